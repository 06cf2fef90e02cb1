use std::ffi::OsString;

use clap::Args;

/// Install the packages of taps, as tapster.lock says
///
/// What a pipeline names with `pip:` gets an environment of its own under .tapster/environments, made by uv
/// where it is on PATH, by python3 and pip otherwise. Exact versions and hashes are in tapster.lock: commit
/// it. A run installs what is missing by itself.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster install                what is missing, for every pipeline
  tapster install github
  tapster install --locked       for CI and production: nothing that the lock lacks
  tapster install --update       look for newer versions, and lock them")]
pub(crate) struct Install {
    /// Names or patterns of files in pipelines/, or paths [default: all]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
    /// Refuse what tapster.lock lacks
    #[arg(long, conflicts_with = "update")]
    pub(crate) locked: bool,
    /// Resolve anew what is in tapster.lock
    #[arg(long)]
    pub(crate) update: bool,
}

/// Start the tap's own program with its resolved config
///
/// It runs in the project folder with the environment and the private config file that it has in a run, and
/// with this terminal. The exit code is its own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster invoke shop -- --discover
  tapster invoke shop -- --help
  tapster invoke shop -- --catalog catalog.json > messages.jsonl
  tapster invoke shop --target -- --version")]
pub(crate) struct Invoke {
    /// The pipeline
    pub(crate) pipeline: String,
    /// The target's program
    #[arg(long)]
    pub(crate) target: bool,
    /// What follows `--config FILE` on its command line
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<OsString>,
}
