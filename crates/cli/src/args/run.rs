use clap::Args;

use crate::exit_code;

/// Run pipelines: load what is new, each record once
///
/// A run goes on from the STATE that the target keeps. It may be stopped or killed at any moment: run it
/// again, and no record is lost or loaded twice. Several pipelines run one beside the other, and all of
/// them run even if one fails.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "the flags have these names")]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", exit_code::HELP))]
pub(crate) struct Run {
    /// Names or patterns of files in pipelines/, or paths that end in .yml
    #[arg(value_name = "PIPELINE", required_unless_present_any = ["all", "tag"])]
    pub(crate) pipelines: Vec<String>,

    /// Every pipeline of the project
    #[arg(long, conflicts_with_all = ["pipelines", "tag"])]
    pub(crate) all: bool,

    /// Not built yet: the pipelines with this tag
    #[arg(long, value_name = "TAG", hide = true)]
    pub(crate) tag: Vec<String>,

    #[command(flatten)]
    pub(crate) streams: Narrowing,

    /// Say what would be done: method, bookmark and table of each stream; change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// If the pipeline is running, wait so long for it (30s, 5m, 1h)
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<String>,

    /// Stop a run that takes longer; what is complete is kept
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,

    /// Not built yet: at most so many at once
    #[arg(long, value_name = "N", hide = true)]
    pub(crate) jobs: Option<u32>,

    /// Go on until SIGINT or SIGTERM, without a timeout
    ///
    /// One pipeline whose tap follows its source, as one that reads a log does. The tap finds a 1 in its variable
    /// `TAPSTER_CONTINUOUS`. The signal is passed on to it: it has `limits.grace` to say its last STATE and end,
    /// and all up to that STATE is committed. When it ends with 0, so does the run; otherwise the exit code is
    /// that of the signal.
    #[arg(long, conflicts_with_all = ["all", "tag", "timeout", "dry_run"])]
    pub(crate) continuous: bool,
}

/// What a run does with the streams of its file, never more than the file says.
#[derive(Debug, Args)]
pub(crate) struct Narrowing {
    /// Only these streams (a name or a pattern) of those that the file selects
    #[arg(long, value_name = "PATTERN")]
    pub(crate) select: Vec<String>,

    /// Not these streams
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,

    /// Forget the bookmarks of the selected streams and load them from the beginning
    #[arg(long)]
    pub(crate) full_refresh: bool,
}

const EXAMPLES: &str = "\
Examples:
  tapster run flights                           load what is new
  tapster run flights --select airlines         one stream of it
  tapster run flights --full-refresh            from the beginning
  tapster run flights --dry-run                 what would be done
  tapster run 'finance/*' -e prod --wait 10m    several, in another environment
  tapster run --all --json                      for a script";
