use clap::{Args, Subcommand, ValueEnum};

use super::reserved::Rest;

/// Look at past and present runs
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  tapster runs list                    the latest of all pipelines
  tapster runs show flights            what became of the latest run
  tapster runs logs flights -f         what it says while it is on")]
pub(crate) enum Runs {
    List(RunsList),
    Show(RunsShow),
    Logs(RunsLogs),
    /// Not built yet: stop a run
    #[command(hide = true)]
    Cancel(Rest),
}

/// List runs, newest first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster runs list
  tapster runs list flights -n 100
  tapster runs list --status failed -e prod")]
pub(crate) struct RunsList {
    /// Only this pipeline's
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: Option<String>,

    /// Only those that stand so
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<Status>,

    /// At most so many
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 20)]
    pub(crate) limit: u32,
}

/// Show a run: whose fault, is the data safe, what to type
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster runs show flights            the latest run of the pipeline
  tapster runs show 01990c2f-4a1b      a run, by the beginning of its id")]
pub(crate) struct RunsShow {
    /// A run's id or its beginning, or a pipeline for its latest run
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
}

/// Print a run's logs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster runs logs flights            what tapster and the tap said in the latest run
  tapster runs logs flights -f         go on while it runs
  tapster runs logs flights --tap      the tap's own words alone, byte for byte")]
pub(crate) struct RunsLogs {
    /// A run's id or its beginning, or a pipeline for its latest run
    #[arg(value_name = "RUN")]
    pub(crate) run: String,

    /// Go on printing until the run ends
    #[arg(short, long)]
    pub(crate) follow: bool,

    /// Only what the tap wrote to stderr
    #[arg(long)]
    pub(crate) tap: bool,
}

/// How a run stands, as the ledger says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub(crate) enum Status {
    /// It is on
    Running,
    /// Everything is committed
    Succeeded,
    /// It ended with an error
    Failed,
    /// It was asked to stop
    Cancelled,
    /// Its process died without a word
    Lost,
}
