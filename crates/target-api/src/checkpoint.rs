//! Who runs, and what a commit makes durable.

use std::collections::BTreeSet;
use std::sync::Arc;

use columns::StreamName;

/// Who runs: the key of the state row, and what to check against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunIdentity {
    /// Environment of the project; empty when there are none.
    pub environment: String,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Shard of the pipeline; empty until shards are used.
    pub shard: String,
    /// What identifies the tap: a STATE that another one wrote is refused.
    pub tap: String,
    /// Whether another tap's STATE is replaced instead: somebody brings one that this tap understands.
    pub takes_over: bool,
    /// The run's id.
    pub run: String,
    /// Which streams start over.
    pub full_refresh: FullRefresh,
    /// Whether the target keeps the STATE. Where it does not (the stand-alone targets, whose runner keeps it), there is
    /// no fence either: no state row is made, locked or written, and each commit is good for itself. Which tables
    /// there are, and the names given to their columns, is remembered all the same.
    pub keeps_state: bool,
}

impl RunIdentity {
    /// Whether a STATE that another tap wrote gives way.
    #[must_use]
    pub fn replaces_foreign_state(&self) -> bool {
        self.takes_over || self.full_refresh == FullRefresh::All
    }
}

/// Which streams start over. The tables of those that this pipeline owns are emptied in the transaction of the
/// run's first commit, so that a crash before it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FullRefresh {
    /// None.
    #[default]
    No,
    /// All; another tap's STATE is given up, too.
    All,
    /// These.
    Streams(BTreeSet<StreamName>),
}

impl FullRefresh {
    /// Whether this stream starts over.
    #[must_use]
    pub fn covers(&self, stream: &str) -> bool {
        match self {
            Self::No => false,
            Self::All => true,
            Self::Streams(streams) => streams.contains(stream),
        }
    }
}

/// What a commit does to the STATE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// The STATE stays: the last records of a clean end.
    Keep,
    /// This JSON text becomes the STATE, byte for byte.
    Set(Arc<str>),
    /// There is no STATE any more.
    Clear,
}

/// A flush point: everything written before it becomes durable, with this STATE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// What becomes of the STATE.
    pub state: StateChange,
}

/// What a commit has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Number of the commit in the state row; grows by one each time.
    pub sequence: i64,
}

/// The state row as it stands, read without taking the fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredState {
    /// The STATE, when there is one.
    pub state: Option<String>,
    /// Number of the last commit.
    pub sequence: i64,
    /// The tap that wrote it.
    pub tap: String,
    /// The run that wrote it.
    pub run: String,
}
