//! One error for all targets: the retry decision is data.

use std::error::Error;

use columns::StreamName;
use thiserror::Error as ThisError;

/// Result of a target's work.
pub type Result<T> = std::result::Result<T, TargetError>;

/// What follows from an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Trying again gives the same.
    Permanent,
    /// Trying again from the last commit may help: a lost connection, a deadlock.
    Temporary,
    /// Another run has taken over, or holds what is needed: not now.
    Busy,
    /// The configuration is wrong.
    Config,
    /// One record is refused by the warehouse.
    Record {
        /// Its stream.
        stream: StreamName,
        /// Its place among the records written to this stream by this target, from 1.
        record: u64,
    },
}

/// What went wrong at a target. Never holds a record's value or a secret.
#[derive(Debug, ThisError)]
#[error("{message}")]
pub struct TargetError {
    /// Number of its page, for example `E0301`.
    pub code: &'static str,
    /// What follows from it.
    pub status: Status,
    /// What failed, where, and what was found.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The cause below.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl TargetError {
    /// An error without cause and hint.
    pub fn new(code: &'static str, status: Status, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), hint: None, source: None }
    }

    /// An error that trying again does not mend.
    pub fn permanent(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Status::Permanent, message)
    }

    /// An error that trying again from the last commit may mend.
    pub fn temporary(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Status::Temporary, message)
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}
