use clap::Args;

use super::Narrowing;

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

    #[command(flatten)]
    pub(crate) streams: Narrowing,
}
