use clap::Args;

/// Run a pipeline and tell where the time went
///
/// It is a run like any other: it loads what is new, and is in the ledger. Then it tells how long it waited for the
/// tap and for the target, how long it decoded, and what could be made quicker. A run of a few records tells little.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tapster bench flights
  tapster bench flights --select flights --full-refresh     one stream, from the beginning
  tapster bench flights --json                              `time_spent` in seconds, for a script")]
pub(crate) struct Bench {
    /// The pipeline
    pub(crate) pipeline: String,

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
