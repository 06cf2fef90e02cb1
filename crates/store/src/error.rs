use std::io;
use std::path::{Path, PathBuf};

use crate::{LockHolder, PipelineName};

/// What the store's calls return.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why the store could not do what was asked. Nothing in it is a record's value or a secret.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The ledger was written by a newer tapster.
    #[error(
        "{} was written by a newer tapster (format {found}, this one knows {known})", file.display()
    )]
    Newer {
        /// The ledger.
        file: PathBuf,
        /// Its format number.
        found: i64,
        /// The newest format that this program knows.
        known: i64,
    },
    /// The ledger is not what tapster wrote.
    #[error("{} is damaged: {reason}", file.display())]
    Damaged {
        /// The ledger.
        file: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A file or folder of the store cannot be used.
    #[error("cannot {what} {}", path.display())]
    File {
        /// The verb, for example `create`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// SQLite failed in another way (disk full, read-only, busy for too long).
    #[error("cannot use the ledger {}", file.display())]
    Ledger {
        /// The ledger.
        file: PathBuf,
        /// SQLite's answer.
        source: rusqlite::Error,
    },
    /// Another process runs this pipeline.
    #[error("{name} is already running: {holder}")]
    Busy {
        /// Which pipeline.
        name: PipelineName,
        /// Who runs it.
        holder: Box<LockHolder>,
    },
    /// Neither a run nor a pipeline with runs has this name.
    #[error("no run `{run}`: neither a run's id nor a pipeline that has run here")]
    UnknownRun {
        /// What was asked for.
        run: String,
    },
    /// Several runs begin so.
    #[error("`{run}` begins the ids of several runs: {}", candidates.join(", "))]
    AmbiguousRun {
        /// What was asked for.
        run: String,
        /// Some of the ids.
        candidates: Vec<String>,
    },
    /// A pipeline may not be renamed onto one that has a history.
    #[error("cannot move the history of {from} to {to}: {to} has a history of its own")]
    NameTaken {
        /// The old name.
        from: PipelineName,
        /// The new name.
        to: PipelineName,
    },
    /// A run's line in the ledger was closed before.
    #[error("run {run} is not open in the ledger")]
    NotRunning {
        /// The run's id.
        run: String,
    },
}

impl StoreError {
    /// The code in the `E05xx` range, with a page under `docs/errors`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "E0501",
            Self::Damaged { .. } => "E0502",
            Self::File { .. } => "E0503",
            Self::Ledger { .. } => "E0504",
            Self::Busy { .. } => "E0505",
            Self::UnknownRun { .. } => "E0506",
            Self::AmbiguousRun { .. } => "E0507",
            Self::NameTaken { .. } => "E0508",
            Self::NotRunning { .. } => "E0510",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Newer { .. } => "use that tapster here, or a newer one".to_owned(),
            Self::Damaged { file, .. } => format!(
                "nothing was changed; move {} away: the next run takes the STATE from the target and \
                 begins a new ledger, only the history is lost",
                file.display()
            ),
            Self::File { path, .. } => format!("check the rights and the free space at {}", path.display()),
            Self::Ledger { .. } => {
                "check the free space and the rights; if another tapster holds it, try again".to_owned()
            }
            Self::Busy { .. } => "try again when it has ended".to_owned(),
            Self::UnknownRun { .. } => "see `tapster runs list`".to_owned(),
            Self::AmbiguousRun { .. } => "give more of the id".to_owned(),
            Self::NameTaken { to, .. } => format!("clear it first: tapster state clear {}", to.pipeline),
            Self::NotRunning { .. } => return None,
        };
        Some(hint)
    }

    /// Sorts SQLite's errors into damage and the rest, and names the file.
    pub(crate) fn from_sqlite(file: &Path, error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let damaged = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => {
                matches!(failure.code, DatabaseCorrupt | NotADatabase)
            }
            // A value that our own writer never wrote.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => true,
            _ => false,
        };
        if damaged {
            Self::Damaged { file: file.to_owned(), reason: error.to_string() }
        } else {
            Self::Ledger { file: file.to_owned(), source: error }
        }
    }
}
