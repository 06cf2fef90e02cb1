use clap::CommandFactory;

use crate::args::{Cli, Completions};
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::print_bytes;

/// `completions SHELL`: the script, on stdout.
pub(crate) fn run(args: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tapster", &mut script);
    print_bytes(&script)?;
    Ok(exit_code::SUCCESS)
}
