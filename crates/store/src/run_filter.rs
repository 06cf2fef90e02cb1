use crate::RunStatus;

/// Which runs to list; an empty filter lists all, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only this environment.
    pub environment: Option<String>,
    /// Only this pipeline.
    pub pipeline: Option<String>,
    /// Only this status.
    pub status: Option<RunStatus>,
    /// At most so many.
    pub limit: Option<u32>,
}
