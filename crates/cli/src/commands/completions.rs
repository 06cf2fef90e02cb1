use clap::CommandFactory;
use serde_json::json;

use crate::args::{Cli, Completions, Global};
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::Printer;

/// `completions SHELL`: the script, on stdout.
pub(crate) fn run(global: &Global, args: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tapster", &mut script);
    let script = String::from_utf8_lossy(&script);
    let document = json!({ "shell": args.shell.to_string(), "script": script });
    Printer::new(global).result(&document, || script.clone().into_owned())?;
    Ok(exit_code::SUCCESS)
}
