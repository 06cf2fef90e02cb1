//! The keys of the project's files: every word that a file may hold, built or reserved.

mod pipeline;
mod program;
mod project;
mod schedule;
mod stream;

pub(crate) use pipeline::PIPELINE_FILE;
pub(crate) use project::PROJECT_FILE;
