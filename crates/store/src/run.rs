use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{PipelineName, RunId, raw_json};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Its process holds the pipeline's lock.
    Running,
    /// The tap exited 0, the stream was whole, everything is committed.
    Succeeded,
    /// It ended with an error; what a committed STATE covers is safe.
    Failed,
    /// A person or the system asked it to stop.
    Cancelled,
    /// Its process died without finishing the ledger's line.
    Lost,
}

impl RunStatus {
    /// The word in the ledger and in `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }

    /// Reads the word; `None` for an unknown one.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled, Self::Lost]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What is known when a run begins; process, host and time are filled in by the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// The tap as the pipeline names it, for example `tap-csv`.
    pub tap: String,
    /// The target as the pipeline names it.
    pub target: String,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// Any status but `Running`.
    pub status: RunStatus,
    /// The exit code of the run's process, as documented for `tapster run`.
    pub exit_code: i32,
    /// What went wrong, unless it succeeded.
    pub failure: Option<RunFailure>,
    /// The last committed STATE, byte for byte; `None` when there is none.
    pub state_after: Option<String>,
}

/// An error as it was told to the person who started the run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RunFailure {
    /// The error's code, for example `E0401`.
    pub code: String,
    /// Message and cause chain, without record values or secrets.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
    /// The tap's last lines on stderr.
    pub tap_said: Option<String>,
    /// The target's, where it is a program of its own and failed.
    pub target_said: Option<String>,
}

/// One stream's figures in one run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct StreamFigures {
    /// The stream's name as the tap emits it.
    pub stream: String,
    /// Where its table is, as the target names it; empty when no table was opened.
    pub place: String,
    /// Whether its records replace those of the same key: others are there twice when they are read again.
    pub merged: bool,
    /// Records read from the tap.
    pub records_read: u64,
    /// Records durable in the target.
    pub records_written: u64,
    /// Records refused, each with a reason.
    pub records_rejected: u64,
    /// Bytes of the tap's output that belonged to the stream.
    pub bytes: u64,
    /// Seconds in which its messages came.
    pub seconds: f64,
    /// The stream's entry in the STATE before the run, as JSON text.
    #[serde(serialize_with = "raw_json::serialize")]
    pub bookmark_before: Option<String>,
    /// The same after the run.
    #[serde(serialize_with = "raw_json::serialize")]
    pub bookmark_after: Option<String>,
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// The run's id.
    pub id: RunId,
    /// Pipeline and environment.
    #[serde(flatten)]
    pub name: PipelineName,
    /// The tap as the pipeline named it.
    pub tap: String,
    /// The target as the pipeline named it.
    pub target: String,
    /// The process that ran it.
    pub pid: u32,
    /// The host of that process.
    pub host: String,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it ended, or was found to be lost.
    pub ended: Option<DateTime<Utc>>,
    /// How it stands.
    pub status: RunStatus,
    /// Its exit code; `None` while it runs and when it was lost.
    pub exit_code: Option<i32>,
    /// What went wrong.
    pub failure: Option<RunFailure>,
    /// The folder with `tap.log` and `run.log`.
    pub log: PathBuf,
    /// The STATE that it started from, byte for byte.
    #[serde(serialize_with = "raw_json::serialize")]
    pub state_before: Option<String>,
    /// The last STATE that it committed, byte for byte.
    #[serde(serialize_with = "raw_json::serialize")]
    pub state_after: Option<String>,
    /// The figures of its streams, in the order in which they were recorded.
    pub streams: Vec<StreamFigures>,
}
