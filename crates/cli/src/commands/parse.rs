use std::io::Write;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches};

use crate::args::{Cli, Command, LogFormat};
use crate::error::CliError;
use crate::exit_code;
use crate::output::{print_failure, print_json, set_color, set_form, start_logging};

/// Reads the command line and sets up colours and log by it. `Err` is the exit code of a program that has
/// nothing more to do: help was printed, or what was wrong was told.
pub(crate) fn parse() -> Result<Cli, u8> {
    let mut command = Cli::command().mut_subcommands(examples_first);
    let parsed = command
        .try_get_matches_from_mut(std::env::args_os())
        .and_then(|matches| Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command)));
    match parsed {
        Ok(cli) => {
            set_form(cli.global.log_format, subject(&cli));
            set_color(cli.global.color);
            start_logging(&cli.global);
            Ok(cli)
        }
        Err(error) => Err(answer(&nearest_first(error))),
    }
}

/// A verb's help, with its examples before its flags: there are many flags on every verb.
fn examples_first(command: clap::Command) -> clap::Command {
    command
        .help_template("{before-help}{about-with-newline}\n{usage-heading} {usage}{after-help}\n\n{all-args}")
        .mut_subcommands(examples_first)
}

/// Of the verbs that may have been meant, the one with the same letters first: `run` for `rnu`.
fn nearest_first(mut error: clap::Error) -> clap::Error {
    let letters = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    let command = Cli::command();
    let mut verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(clap::Command::get_name);
    if let Some(swapped) = verbs.find(|verb| letters(verb) == letters(typed)) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![swapped.to_owned()]));
    }
    error
}

fn answer(error: &clap::Error) -> u8 {
    let text = error.render();
    match error.kind() {
        ErrorKind::DisplayVersion if asks_for_json() => {
            let document = serde_json::json!({ "version": env!("CARGO_PKG_VERSION") });
            print_json(&document).map_or(exit_code::UNAVAILABLE, |()| exit_code::SUCCESS)
        }
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that went away, as in `tapster --help | head -1`, has read enough.
            let _ = write!(anstream::stdout(), "{}", text.ansi());
            exit_code::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = write!(anstream::stderr(), "{}", text.ansi());
            exit_code::COMMAND_LINE
        }
        _ => {
            if asks_for_json_log() {
                set_form(LogFormat::Json, None);
            }
            let text = text.to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
            print_failure(&CliError::Usage(text.to_owned()).into(), asks_for_json());
            exit_code::COMMAND_LINE
        }
    }
}

/// The pipeline of a run that goes on beside others: its words name it.
fn subject(cli: &Cli) -> Option<String> {
    match &cli.command {
        Command::Run(run) if cli.global.beside_others => run.pipelines.first().cloned(),
        _ => None,
    }
}

/// The flag counts also where the rest of the line was not understood.
fn asks_for_json() -> bool {
    std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json")
}

/// So does `--log-format json`.
fn asks_for_json_log() -> bool {
    let mut words = std::env::args_os().skip(1).take_while(|word| word != "--");
    let mut next_is_form = false;
    words.any(|word| {
        let json = word == "--log-format=json" || (next_is_form && word == "json");
        next_is_form = word == "--log-format";
        json
    })
}
