use std::fmt;

use serde::Serialize;

/// Which pipeline, in which environment: what a lock, a run and a STATE belong to.
///
/// Both parts are opaque text here. The environment is empty in a project that has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct PipelineName {
    /// The environment's name, or empty.
    pub environment: String,
    /// The pipeline's name, for example `finance/orders`.
    pub pipeline: String,
}

impl PipelineName {
    /// Names a pipeline in an environment (empty for none).
    pub fn new(environment: impl Into<String>, pipeline: impl Into<String>) -> Self {
        Self { environment: environment.into(), pipeline: pipeline.into() }
    }
}

impl fmt::Display for PipelineName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.pipeline)?;
        if self.environment.is_empty() { Ok(()) } else { write!(formatter, " ({})", self.environment) }
    }
}
