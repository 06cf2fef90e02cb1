//! The async runtime, for the verbs that talk to a tap or a target.

use std::io;

use config::Project;
use runner::Shutdown;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::error::CliError;
use crate::failure::Failure;
use crate::wiring::shutdown;

/// Two threads: one drives the load, one has the signals and the log.
pub(super) fn runtime() -> Result<Runtime, CliError> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)
}

/// Runs a verb's work with the signals at hand.
pub(super) fn in_runtime<T>(
    work: impl AsyncFnOnce(&mut Shutdown) -> Result<T, Failure>,
) -> Result<T, Failure> {
    runtime()?.block_on(async {
        let mut signals = shutdown().map_err(failed)?;
        work(&mut signals).await
    })
}

/// A folder for the tap's log of a verb that keeps none.
pub(super) fn scratch(project: &Project) -> Result<TempDir, CliError> {
    runner::sweep(&project.root().join(".tapster/private"));
    tempfile::tempdir().map_err(|source| CliError::File {
        what: "make a folder in",
        path: std::env::temp_dir(),
        source,
    })
}

fn failed(source: io::Error) -> CliError {
    CliError::File { what: "start the threads of", path: "this process".into(), source }
}
