use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Write a new pipeline's file, or a new tap
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tapster new pipeline shop --tap tap-csv --target target-duckdb
  tapster new tap orders --lang python")]
pub(crate) enum New {
    Pipeline(NewPipeline),
    Tap(NewTap),
}

/// Write pipelines/NAME.yml, with every setting of the tap and the target
///
/// Tap and target are asked for their settings. What they need is written out, what they merely allow
/// stands beside it as a comment, and secrets come from the environment.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster new pipeline shop --tap tap-csv --target target-duckdb
  tapster new pipeline finance/orders --tap app-db --target warehouse     names from tapster.yml")]
pub(crate) struct NewPipeline {
    /// The pipeline's name; folders are allowed
    pub(crate) name: String,

    /// A tap of tapster's own, or a name under `taps:` in tapster.yml
    #[arg(long, value_name = "TAP")]
    pub(crate) tap: String,

    /// A target of tapster's own, or a name under `targets:` in tapster.yml
    #[arg(long, value_name = "TARGET")]
    pub(crate) target: String,
}

/// Write taps/NAME, a tap that works, and the pipeline that loads it into DuckDB
///
/// It has a config, discovery, selection, a replication key and STATE, and nothing to install. Two streams stand for
/// what it is to read: put yours in their place, and test it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster new tap orders --lang python
  tapster new tap orders --lang rust --in ~/warehouse

Then: tapster test tap --pipeline orders
      tapster run orders")]
pub(crate) struct NewTap {
    /// The tap's and the pipeline's name: letters, digits, `-` and `_`
    pub(crate) name: String,

    /// The language to write it in
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Language,

    /// The project folder; made if it is not there [default: the project around here, else this folder]
    #[arg(long = "in", value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

/// A language that there is a tap in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum Language {
    /// Python 3.8 or newer, without packages
    Python,
    /// Node.js 18 or newer, without packages
    Node,
    /// bash, with sed and tr
    Bash,
    /// Rust, with one crate for JSON
    Rust,
}
