use clap::{Args, Subcommand};

use super::reserved::Rest;

/// Write a new pipeline's file
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tapster new pipeline shop --tap tap-csv --target target-duckdb")]
pub(crate) enum New {
    Pipeline(NewPipeline),
    /// Not built yet: a working skeleton of a tap
    #[command(hide = true)]
    Tap(Rest),
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
