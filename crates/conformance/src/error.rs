use std::io;
use std::path::PathBuf;

use singer::CatalogError;
use thiserror::Error;

/// Why nothing could be tested. What a program does wrong is no error, but a failed check.
#[derive(Debug, Error)]
pub enum ConformanceError {
    /// The program does not start.
    #[error("`{program}` does not start")]
    NotStarted {
        /// As it was named.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot {what} {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The catalog that was given cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// No stream of the catalog is to be tested.
    #[error("no stream of the catalog is selected")]
    NothingSelected,
}

impl ConformanceError {
    /// Number of its page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotStarted { .. } => "E0490",
            Self::File { .. } => "E0491",
            Self::Catalog(error) => error.code(),
            Self::NothingSelected => "E0492",
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotStarted { .. } => {
                "what follows `--` is started as it stands, without a shell: check the path, `chmod +x` it, or put its interpreter before it".into()
            }
            Self::File { .. } => "check the path, and rights and free space there".into(),
            Self::Catalog(error) => return error.hint(),
            Self::NothingSelected => "check the patterns of --select, and `selected` in the catalog".into(),
        })
    }

    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}
