use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::reserved::Rest;

/// Look at and change the STATE that runs go on from
///
/// The STATE of a pipeline is in its target, committed with the records that it covers. Changes are
/// commits there, under the pipeline's lock; `.tapster/` keeps a copy with the history.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tapster state get shop                       where the next run goes on
  tapster state clear shop --select orders     read one stream again")]
pub(crate) enum State {
    List(StateList),
    Get(StateGet),
    Set(StateSet),
    Clear(StateClear),
    History(StateHistory),
    Move(StateMove),
    /// Not built yet: compare two entries of the history
    #[command(hide = true)]
    Diff(Rest),
    /// Not built yet: go back to an entry of the history
    #[command(hide = true)]
    Rollback(Rest),
    /// Not built yet: write the STATE for another tool
    #[command(hide = true)]
    Export(Rest),
    /// Not built yet: take the STATE of another tool
    #[command(hide = true)]
    Import(Rest),
}

/// List the last known STATE of every pipeline
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster state list
  tapster state list -e prod --json")]
pub(crate) struct StateList {}

/// Print the STATE, byte for byte, as the target has it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster state get shop
  tapster state get shop > state.json     to edit it, see `tapster state set`")]
pub(crate) struct StateGet {
    /// The pipeline
    pub(crate) pipeline: String,
}

/// Replace the STATE by a file's content
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster state get shop > state.json     then edit it
  tapster state set shop state.json --yes")]
pub(crate) struct StateSet {
    /// The pipeline
    pub(crate) pipeline: String,
    /// A file with the STATE as JSON; - for stdin
    pub(crate) file: PathBuf,
}

/// Forget the STATE, so that the next run reads everything again
///
/// What is loaded stays. Records of a stream without a key are then there twice: to replace them, use
/// `run --full-refresh`, which needs no cleared STATE.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster state clear shop --yes
  tapster state clear shop --select orders     only this stream's bookmark")]
pub(crate) struct StateClear {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Only the bookmarks of these streams (a name or a pattern)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) select: Vec<String>,
}

/// List the STATEs that a pipeline has had, newest first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster state history shop
  tapster state history shop -n 3 --json     whole STATEs")]
pub(crate) struct StateHistory {
    /// The pipeline
    pub(crate) pipeline: String,
    /// At most so many
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
}

/// Give a pipeline's STATE, tables and history to its new name
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  git mv pipelines/shop.yml pipelines/shop-eu.yml
  tapster state move shop shop-eu")]
pub(crate) struct StateMove {
    /// The pipeline's old name
    pub(crate) old: String,
    /// Its new name
    pub(crate) new: String,
}
