//! Why a run failed: one kind, split by whose fault it is.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use load::{DecodeError, LoadFailure};
use singer::StateError;
use target_api::{Status, TargetError};
use thiserror::Error;

use crate::StopSignal;

/// A tap that exits so asks to be started again: what stopped it will pass by itself (`EX_TEMPFAIL` of sysexits.h).
const TRY_AGAIN: i32 = 75;
/// A tap that exits so cannot work with its config (`EX_CONFIG`).
const CONFIG: i32 = 78;

/// Why a run failed.
#[derive(Debug, Error)]
pub enum RunError {
    /// The tap's process.
    #[error(transparent)]
    Tap(#[from] TapFailure),
    /// The process of a target that is a program of its own.
    #[error(transparent)]
    TargetProgram(#[from] TargetFailure),
    /// A program that cannot be started.
    #[error(transparent)]
    Program(#[from] ProgramFailure),
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

/// What a program is in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It says the records.
    Tap,
    /// It loads them.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tap => "tap",
            Self::Target => "target",
        })
    }
}

/// Why a program cannot be started.
#[derive(Debug, Error)]
pub enum ProgramFailure {
    /// It is nowhere.
    #[error("the {side}'s program `{program}` is not found{}", .searched.map(|n| format!(" in the {n} folders of PATH")).unwrap_or_default())]
    NotFound {
        /// Whose it is.
        side: Side,
        /// The program as it was named.
        program: String,
        /// How many folders were searched; `None` for a path.
        searched: Option<usize>,
    },
    /// It is there but does not start.
    #[error("the {side}'s program `{program}` does not start: {reason}")]
    NotStarted {
        /// Whose it is.
        side: Side,
        /// The program.
        program: String,
        /// What is wrong with it, or the system's reason.
        reason: String,
        /// What to do about it.
        hint: String,
    },
}

/// What the process of a target did wrong.
#[derive(Debug, Error)]
pub enum TargetFailure {
    /// It exited with an error.
    #[error("the target exited {code}")]
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended it.
    #[error("the target was killed by signal {signal}{}", if *.signal == 9 { " (often: out of memory)" } else { "" })]
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// It exited 0 and had not read all.
    #[error("the target exited 0 before it had read all that the tap said")]
    EndedEarly,
    /// It closed its input and went on.
    #[error("the target closed its input before it had read all that the tap said")]
    Closed,
    /// Its guard died.
    #[error("the process that guards the target was ended from outside")]
    GuardLost,
}

/// What a tap's process did wrong.
#[derive(Debug, Error)]
pub enum TapFailure {
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
        match self {
            Self::Target(error) => error.status == Status::Temporary,
            Self::Tap(failure) => matches!(failure, TapFailure::Exited { code: TRY_AGAIN, .. }),
            _ => false,
        }
    }

    /// Number of its page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Tap(failure) => failure.code(),
            Self::TargetProgram(failure) => failure.code(),
            Self::Program(failure) => failure.code(),
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
            Self::Program(_) | Self::State(_) | Self::Tap(TapFailure::Exited { code: CONFIG, .. }) => 78,
            Self::Tap(_) | Self::NoState { .. } => 76,
            Self::Decode(_) => 65,
            Self::Target(error) => match error.status {
                Status::Busy => 75,
                Status::Config => 78,
                Status::Record { .. } => 65,
                Status::Permanent | Status::Temporary => 69,
            },
            Self::Machine { .. } | Self::TargetProgram(_) => 69,
            Self::Cancelled(signal) => signal.exit_code(),
            Self::Bug => 70,
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Tap(failure) => failure.hint(),
            Self::TargetProgram(failure) => failure.hint(),
            Self::Program(failure) => failure.hint(),
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

impl ProgramFailure {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { side: Side::Tap, .. } => "E0406",
            Self::NotStarted { side: Side::Tap, .. } => "E0407",
            Self::NotFound { .. } | Self::NotStarted { .. } => "E0423",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::NotFound { side, searched: Some(_), program }
                if program.starts_with(&format!("{side}-")) =>
            {
                format!(
                    "install it, from PyPI for example by `pip install {program}`, or give its path under `{side}: {{ command: [...] }}`"
                )
            }
            Self::NotFound { side, searched: Some(_), .. } => {
                format!("install it, or give its path under `{side}: {{ command: [...] }}`")
            }
            Self::NotFound { side, .. } => {
                format!("check the path under `{side}`; relative ones start at the project's folder")
            }
            Self::NotStarted { hint, .. } => hint.clone(),
        }
    }
}

impl TargetFailure {
    fn code(&self) -> &'static str {
        match self {
            Self::Exited { .. } => "E0420",
            Self::Signalled { .. } | Self::GuardLost => "E0421",
            Self::EndedEarly | Self::Closed => "E0422",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Exited { .. } => "the target's own last lines say why; the next run goes on from the last STATE that it printed",
            Self::Signalled { signal: 9 } => "see the system's log for the out-of-memory killer; the next run goes on from the last STATE that it printed",
            Self::Signalled { .. } | Self::GuardLost => "run again: it goes on from the last STATE that the target printed",
            Self::EndedEarly | Self::Closed => "a target must read to the end of its input: see its own last lines, and try it by hand with `tapster invoke PIPELINE --target`",
        }
        .to_owned()
    }
}

impl TapFailure {
    fn code(&self) -> &'static str {
        match self {
            Self::Exited { code: TRY_AGAIN, .. } => "E0415",
            Self::Exited { code: CONFIG, .. } => "E0416",
            Self::Exited { .. } => "E0401",
            Self::Signalled { .. } => "E0402",
            Self::Silent(_) => "E0403",
            Self::GuardLost => "E0404",
            Self::NoCatalog(_) => "E0405",
            Self::Lingering(_) => "E0412",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Exited { code: TRY_AGAIN, .. } => "what stopped it passes by itself, says the tap: run again later; it goes on from the last checkpoint".into(),
            Self::Exited { code: CONFIG, .. } => "the tap's own last lines say which setting: mend it under `tap: { config: … }`".into(),
            Self::Exited { .. } => "the tap's own last lines say why; what a checkpoint covers is kept, and the next run goes on from there".into(),
            Self::Signalled { signal: 9, .. } => "see the system's log for the out-of-memory killer; the next run goes on from the last checkpoint".into(),
            Self::Signalled { .. } | Self::GuardLost => "run again: it goes on from the last checkpoint".into(),
            Self::Silent(_) => "raise `limits.idle_timeout` if the tap is known to think for so long".into(),
            Self::NoCatalog(_) => "if the tap has no discovery, say `catalog: false` beside its command".into(),
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
