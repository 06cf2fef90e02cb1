//! How a tap fails.

use std::error::Error as StdError;
use std::io;

use thiserror::Error;

/// Why a tap ends early. The text says what failed and where, the hint what to do; neither ever holds a record's
/// value or a secret.
#[derive(Debug, Error)]
pub enum TapError {
    /// A file named on the command line cannot be used. Exit code 78.
    #[error("{problem}")]
    Config {
        /// What is wrong and where.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The system cannot be read, or holds what cannot be sent. Exit code 1.
    #[error("{problem}")]
    Failed {
        /// What is wrong and where.
        problem: String,
        /// What to do.
        hint: Option<String>,
        /// What lies beneath.
        #[source]
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// It would go well a little later: a limit, a server that is being started. Exit code 75, at which a runner may
    /// start the tap again from the last STATE.
    #[error("{problem}")]
    Temporary {
        /// What is wrong and where.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Nobody takes the messages any more. A closed pipe is no failure of the tap's: it ends without a word.
    #[error("cannot write to stdout: {0}")]
    Output(#[source] io::Error),
}

impl TapError {
    /// A config that cannot be used.
    pub fn config(problem: impl Into<String>) -> Self {
        Self::Config { problem: problem.into(), hint: None }
    }

    /// What a later try may not meet.
    pub fn temporary(problem: impl Into<String>) -> Self {
        Self::Temporary { problem: problem.into(), hint: None }
    }

    /// Anything that went wrong at the system.
    pub fn failed(problem: impl Into<String>) -> Self {
        Self::Failed { problem: problem.into(), hint: None, source: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Config { hint, .. } | Self::Temporary { hint, .. } | Self::Failed { hint, .. } =
            &mut self
        {
            *hint = Some(text.into());
        }
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Config { hint, .. } | Self::Temporary { hint, .. } | Self::Failed { hint, .. } => {
                hint.as_deref()
            }
            Self::Output(_) => None,
        }
    }

    /// Whether the reader of our output went away.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// 78 for the config, 75 for what a later try may not meet, 141 (as by SIGPIPE) when nobody reads on, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config { .. } => 78,
            Self::Temporary { .. } => 75,
            Self::Output(_) if self.is_closed_pipe() => 141,
            Self::Failed { .. } | Self::Output(_) => 1,
        }
    }
}
