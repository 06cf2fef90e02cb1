//! What a run tells. Terminal, log, ledger and metrics all listen to this, and none of them is known here.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::{RunError, TimeSpent};

/// Something that happened in a run. Holds no record's value.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The fence is taken and the STATE is read.
    Resumed {
        /// The committed STATE, JSON text.
        state: Option<String>,
    },
    /// The tap runs.
    TapStarted {
        /// Its process id.
        pid: u32,
        /// Which attempt this is, from 1.
        attempt: usize,
    },
    /// The target, a program of its own, runs.
    TargetStarted {
        /// Its process id.
        pid: u32,
    },
    /// A table is able to hold what comes.
    TableOpened {
        /// The stream.
        stream: String,
        /// Where it is.
        place: String,
        /// Whether it is new.
        created: bool,
        /// Whether its records replace those of the same key.
        merged: bool,
        /// The statements that were needed.
        statements: Vec<String>,
    },
    /// A batch is accepted.
    BatchWritten {
        /// The stream.
        stream: String,
        /// Records of the batch.
        records: u64,
        /// Bytes of the batch in memory.
        bytes: u64,
        /// How long its stream's messages were read since its last batch.
        reading: Duration,
    },
    /// All that was accepted is durable.
    Checkpointed {
        /// The STATE kept with it, JSON text; `None` when it stayed as it was.
        state: Option<String>,
        /// Number of the commit.
        sequence: i64,
    },
    /// Records have gone to a target that is a program of its own. What became of them is not known.
    Relayed {
        /// The stream.
        stream: String,
        /// How many.
        records: u64,
        /// Bytes of their lines.
        bytes: u64,
        /// Whether they are told apart by a key, so that the target replaces those that it has.
        merged: bool,
    },
    /// A STATE that the target, a program of its own, has printed is kept.
    StateKept {
        /// The STATE, JSON text.
        state: String,
        /// Its number.
        sequence: i64,
    },
    /// The target, a program of its own, has ended.
    TargetExited {
        /// Its exit code.
        code: Option<i32>,
        /// Or the signal that ended it.
        signal: Option<i32>,
    },
    /// The tap has ended.
    TapExited {
        /// Its exit code.
        code: Option<i32>,
        /// Or the signal that ended it.
        signal: Option<i32>,
    },
    /// A temporary error: the tap starts again from the last checkpoint.
    Retrying {
        /// What went wrong.
        error: String,
        /// Its code.
        code: &'static str,
        /// How long until then.
        wait: Duration,
    },
    /// The run is over.
    Finished {
        /// 0 for success.
        exit_code: u8,
    },
}

/// Hears the events of a run. Called from the run's own tasks: it must be quick.
pub type Observer = Arc<dyn Fn(&RunEvent) + Send + Sync>;

/// What came of one stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StreamSummary {
    /// The stream.
    pub stream: String,
    /// Where its table is.
    pub place: String,
    /// Whether this run made the table.
    pub created: bool,
    /// Whether its records are told apart by a key.
    pub keyed: bool,
    /// Whether they replace those of the same key.
    pub merged: bool,
    /// What people should know of its table, such as a column that got another beside it.
    pub notes: Vec<String>,
    /// Records that the target accepted.
    pub records_read: u64,
    /// Records that are durable.
    pub records_written: u64,
    /// Bytes of its batches in memory.
    pub bytes: u64,
    /// Seconds in which its messages came, the tap's thinking and the wait for the target included. Commits are common
    /// to all streams: those at the end are no stream's time.
    pub seconds: f64,
}

/// How a run ended.
#[derive(Debug)]
pub struct RunSummary {
    /// The one reason why it failed, or none.
    pub error: Option<RunError>,
    /// Its streams in the order in which they came.
    pub streams: Vec<StreamSummary>,
    /// The STATE at its start, JSON text.
    pub state_before: Option<String>,
    /// The committed STATE at its end, JSON text.
    pub state_after: Option<String>,
    /// Number of the last commit, when there was one.
    pub sequence: Option<i64>,
    /// How long it took.
    pub elapsed: Duration,
    /// Where the time went.
    pub time_spent: TimeSpent,
    /// The tap's last lines on standard error, secrets taken out.
    pub tap_said: Vec<String>,
    /// Those of the target, where it is a program of its own.
    pub target_said: Vec<String>,
}

impl RunSummary {
    /// The exit code of the run.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.error.as_ref().map_or(0, RunError::exit_code)
    }
}
