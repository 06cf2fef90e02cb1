use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

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
    Diff(StateDiff),
    Rollback(StateRollback),
    Export(StateExport),
    Import(StateImport),
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

/// Show in what two STATEs of the history differ
///
/// Without sequences it compares the last two. They are the numbers that `state history` lists.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster state diff shop            what the last commit moved
  tapster state diff shop 41         since sequence 41
  tapster state diff shop 41 57 --json")]
pub(crate) struct StateDiff {
    /// The pipeline
    pub(crate) pipeline: String,
    /// The sequence to compare from
    pub(crate) from: Option<i64>,
    /// The sequence to compare with, by default the last
    pub(crate) to: Option<i64>,
}

/// Go back to a STATE of the history, so that the next run reads again what came after it
///
/// What is loaded stays. Streams whose records are merged by a key take them again without harm; where
/// records are appended (no key, `load_method: append-only`) it asks first, because they will be there
/// twice. A tap that reads a database's log can only go back as far as the server has kept it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster state history shop         which there are
  tapster state rollback shop 41")]
pub(crate) struct StateRollback {
    /// The pipeline
    pub(crate) pipeline: String,
    /// The sequence to go back to
    pub(crate) sequence: i64,
}

/// How `state export` wraps the STATE.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum StateFormat {
    /// With pipeline, tap and sequence, for `tapster state import`
    Tapster,
    /// For `meltano state set --input-file`
    Meltano,
}

/// Print the STATE with what another project or tool needs to take it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster state export shop > shop.json              then `state import` it elsewhere
  tapster state export shop --format meltano > state.json")]
pub(crate) struct StateExport {
    /// The pipeline
    pub(crate) pipeline: String,
    /// How it is wrapped
    #[arg(long, value_enum, default_value = "tapster")]
    pub(crate) format: StateFormat,
}

/// Take a STATE from another tool, project or tap
///
/// The file may be what `state export`, `meltano state get` or `meltano state export` printed, a
/// state.json of Meltano's state backend (a partial state is laid over the completed one), or the bare
/// STATE, as PipelineWise and Singer targets keep it. A STATE that another tap wrote is replaced.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meltano state get prod:tap-shop-to-target-postgres > shop.json
  tapster state import shop shop.json")]
pub(crate) struct StateImport {
    /// The pipeline
    pub(crate) pipeline: String,
    /// The file; - for stdin
    pub(crate) file: PathBuf,
    /// Which one, where the file has several
    #[arg(long, value_name = "ID")]
    pub(crate) state_id: Option<String>,
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
