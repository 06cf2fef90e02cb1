//! The `tapster` program: words, colours, exit codes, wiring, and nothing else. What a verb means is in
//! the crates; what it says is in `commands`.
#![expect(clippy::format_push_string, reason = "a few lines for people, where the plainer form reads better")]

mod args;
mod commands;
mod error;
#[cfg_attr(not(test), expect(dead_code, reason = "some are those of `run`"))]
mod exit_code;
mod failure;
mod output;
mod progress;
mod wiring;

use std::panic::catch_unwind;
use std::process::ExitCode;

use args::{Cli, Command};
use error::CliError;
use failure::Outcome;

fn main() -> ExitCode {
    if let Some(code) = hidden() {
        return code.into();
    }
    #[cfg(feature = "failpoints")]
    let _failpoints = fail::FailScenario::setup();
    output::remember_panics();
    let code = catch_unwind(|| match commands::parse() {
        Ok(cli) => tell(run(&cli), cli.global.json),
        Err(code) => code,
    });
    code.unwrap_or_else(|_| tell(Err(CliError::Bug(output::panic_place()).into()), false)).into()
}

/// The hidden verbs: the process between a run and its tap, and the one that tries a DuckDB file. Nobody types them.
fn hidden() -> Option<u8> {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next()?.to_str()? {
        "__guard" => Some(runner::guard(arguments)),
        wiring::PROBE_WORD => arguments.next().map(|path| output::tell_plainly(wiring::probe(path.as_ref()))),
        _ => None,
    }
}

/// One verb, one command.
fn run(cli: &Cli) -> Outcome {
    let global = &cli.global;
    match &cli.command {
        Command::Init(args) => commands::init::run(global, args),
        Command::New(args) => commands::new::run(global, args),
        Command::Runs(args) => commands::runs::run(global, args),
        Command::State(args) => commands::state::run(global, args),
        Command::Explain(args) => commands::explain::run(global, args),
        Command::Completions(args) => commands::completions::run(global, args),
        Command::Install(args) => commands::install::run(global, args),
        Command::Invoke(args) => commands::invoke::run(global, args),
        Command::Check(args) => commands::check::run(global, args),
        Command::Discover(args) => commands::discover::run(global, args),
        Command::Preview(args) => commands::preview::run(global, args),
        Command::Run(args) => commands::run::run(global, args),
        Command::Bench(args) => commands::run::bench(global, args),
        Command::Test(args) => commands::test::run(global, args),
        Command::Config(args) => commands::config::run(global, args),
        Command::Schema(args) => commands::schema::run(args),
        Command::Reserved(verb) => commands::not_built_yet(verb.word()),
    }
}

fn tell(outcome: Outcome, json: bool) -> u8 {
    outcome.unwrap_or_else(|failure| {
        output::print_failure(&failure, json);
        failure.exit_code
    })
}
