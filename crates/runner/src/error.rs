//! Why a run failed: one kind, split by whose fault it is.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use load::{DecodeError, LoadFailure};
use singer::StateError;
use target_api::{Status, TargetError};
use thiserror::Error;

use crate::StopSignal;

/// Why a run failed.
#[derive(Debug, Error)]
pub enum RunError {
    /// The tap's process.
    #[error(transparent)]
    Tap(#[from] TapFailure),
    /// What the tap wrote.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The target.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The STATE cannot be edited as the run needs it.
    #[error(transparent)]
    State(#[from] StateError),
    /// The tap sends too much without a STATE.
    #[error(
        "the tap has sent {bytes} bytes, the last of stream {stream}, without a STATE: more than {limit} bytes may not wait"
    )]
    NoState {
        /// What waits, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        limit: u64,
        /// The stream that broke it.
        stream: String,
    },
    /// The run took too long.
    #[error("the run reached its timeout of {}", human(*.0))]
    Timeout(Duration),
    /// Somebody stopped it.
    #[error("stopped by {}", match .0 { StopSignal::Interrupt => "SIGINT", StopSignal::Terminate => "SIGTERM" })]
    Cancelled(StopSignal),
    /// The machine: files, pipes, processes.
    #[error("cannot {what} {}", .path.display())]
    Machine {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A thread of tapster has panicked.
    #[error("a bug in tapster: the decode thread has died")]
    Bug,
}

/// What a tap's process did wrong.
#[derive(Debug, Error)]
pub enum TapFailure {
    /// The program is nowhere.
    #[error("the tap's program `{program}` is not found{}", .searched.map(|n| format!(" in the {n} folders of PATH")).unwrap_or_default())]
    NotFound {
        /// The program as it was named.
        program: String,
        /// How many folders were searched; `None` for a path.
        searched: Option<usize>,
    },
    /// The program is there but does not start.
    #[error("the tap's program `{program}` does not start: {reason}")]
    NotStarted {
        /// The program.
        program: String,
        /// What is wrong with it, or the system's reason.
        reason: String,
        /// What to do about it.
        hint: String,
    },
    /// It exited with an error.
    #[error("the tap exited {code}{}", place(*.records))]
    Exited {
        /// Its exit code.
        code: i32,
        /// Records it sent; `None` during discovery.
        records: Option<u64>,
    },
    /// A signal ended it.
    #[error("the tap was killed by signal {signal}{}{}", if *.signal == 9 { " (often: out of memory)" } else { "" }, place(*.records))]
    Signalled {
        /// The signal's number.
        signal: i32,
        /// Records it sent; `None` during discovery.
        records: Option<u64>,
    },
    /// It said nothing for too long.
    #[error("the tap has been silent for {}", human(*.0))]
    Silent(Duration),
    /// It closed its output and did not end.
    #[error("the tap closed its output but did not exit within {}", human(*.0))]
    Lingering(Duration),
    /// Its guard died.
    #[error("the process that guards the tap was ended from outside")]
    GuardLost,
    /// Discovery gave no catalog.
    #[error("the tap's discovery gave no catalog: {0}")]
    NoCatalog(String),
}

fn place(records: Option<u64>) -> String {
    records
        .map_or_else(|| " during discovery".to_owned(), |records| format!(" after sending {records} records"))
}

/// A duration as people say it.
fn human(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{}ms", duration.as_millis()),
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

impl RunError {
    pub(crate) fn machine(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Machine { what, path, source }
    }

    /// Whether the runner should start the tap again from the last checkpoint.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Target(error) if error.status == Status::Temporary)
    }

    /// Number of its page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Tap(failure) => failure.code(),
            Self::Decode(error) => error.code(),
            Self::Target(error) => error.code,
            Self::State(_) => "E0413",
            Self::NoState { .. } => "E0414",
            Self::Timeout(_) => "E0408",
            Self::Cancelled(_) => "E0409",
            Self::Machine { .. } => "E0411",
            Self::Bug => "E0499",
        }
    }

    /// The documented exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Tap(TapFailure::Silent(_)) | Self::Timeout(_) => 124,
            Self::Tap(TapFailure::NotFound { .. } | TapFailure::NotStarted { .. }) | Self::State(_) => 78,
            Self::Tap(_) | Self::NoState { .. } => 76,
            Self::Decode(_) => 65,
            Self::Target(error) => match error.status {
                Status::Busy => 75,
                Status::Config => 78,
                Status::Record { .. } => 65,
                Status::Permanent | Status::Temporary => 69,
            },
            Self::Machine { .. } => 69,
            Self::Cancelled(signal) => signal.exit_code(),
            Self::Bug => 70,
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Tap(failure) => failure.hint(),
            Self::Decode(error) => return error.hint(),
            Self::Target(error) => return error.hint.clone(),
            Self::State(_) => "run without `--select` and with `--full-refresh`, so that the whole STATE starts over".into(),
            Self::NoState { .. } => "raise `limits.max_staged` if the target has the room; nothing of it is committed before the tap says a STATE".into(),
            Self::Timeout(_) => "run again: it goes on from the last checkpoint; raise `limits.timeout` or `--timeout` if it needs longer".into(),
            Self::Cancelled(_) => "what a checkpoint covers is kept; run again to go on from there".into(),
            Self::Machine { .. } => "free space or rights on this machine, then run again".into(),
            Self::Bug => "please report it with the run's log".into(),
        })
    }
}

impl TapFailure {
    fn code(&self) -> &'static str {
        match self {
            Self::Exited { .. } => "E0401",
            Self::Signalled { .. } => "E0402",
            Self::Silent(_) => "E0403",
            Self::GuardLost => "E0404",
            Self::NoCatalog(_) => "E0405",
            Self::NotFound { .. } => "E0406",
            Self::NotStarted { .. } => "E0407",
            Self::Lingering(_) => "E0412",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Exited { .. } => "the tap's own last lines say why; what a checkpoint covers is kept, and the next run goes on from there".into(),
            Self::Signalled { signal: 9, .. } => "see the system's log for the out-of-memory killer; the next run goes on from the last checkpoint".into(),
            Self::Signalled { .. } | Self::GuardLost => "run again: it goes on from the last checkpoint".into(),
            Self::Silent(_) => "raise `limits.idle_timeout` if the tap is known to think for so long".into(),
            Self::NoCatalog(_) => "if the tap has no discovery, say `catalog: false` beside its command".into(),
            Self::NotFound { searched: Some(_), program } if program.starts_with("tap-") => format!(
                "install it, from PyPI for example by `pip install {program}`, or give its path under `tap: {{ command: [...] }}`"
            ),
            Self::NotFound { searched: Some(_), .. } => "install it, or give its path under `tap: { command: [...] }`".into(),
            Self::NotFound { .. } => "check the path under `tap`; relative ones start at the project's folder".into(),
            Self::NotStarted { hint, .. } => hint.clone(),
            Self::Lingering(_) => "the tap must exit once its output is complete: tell its author, or raise `limits.grace`".into(),
        }
    }
}

impl From<LoadFailure> for RunError {
    fn from(failure: LoadFailure) -> Self {
        match failure {
            LoadFailure::Target(error) => Self::Target(error),
            LoadFailure::State(error) => Self::State(error),
            LoadFailure::Staged { bytes, limit, stream } => {
                Self::NoState { bytes, limit, stream: stream.to_string() }
            }
        }
    }
}
