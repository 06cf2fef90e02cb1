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

use std::panic::catch_unwind;
use std::process::ExitCode;

use args::{Cli, Command};
use error::CliError;
use failure::Outcome;

fn main() -> ExitCode {
    if let Some(code) = guard() {
        return code.into();
    }
    output::remember_panics();
    let code = catch_unwind(|| match commands::parse() {
        Ok(cli) => tell(run(&cli), cli.global.json),
        Err(code) => code,
    });
    code.unwrap_or_else(|_| tell(Err(CliError::Bug(output::panic_place()).into()), false)).into()
}

/// `tapster __guard …` is the process between a run and its tap; nobody types it.
fn guard() -> Option<u8> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == "__guard").then(|| runner::guard(arguments))
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
        Command::Completions(args) => commands::completions::run(args),
        Command::Check(_) => commands::not_built_yet("check"),
        Command::Discover(_) => commands::not_built_yet("discover"),
        Command::Preview(_) => commands::not_built_yet("preview"),
        Command::Run(_) => commands::not_built_yet("run"),
        Command::Config(_) => commands::not_built_yet("config"),
        Command::Schema(_) => commands::not_built_yet("schema"),
        Command::Reserved(verb) => commands::not_built_yet(verb.word()),
    }
}

fn tell(outcome: Outcome, json: bool) -> u8 {
    outcome.unwrap_or_else(|failure| {
        output::print_failure(&failure, json);
        failure.exit_code
    })
}
