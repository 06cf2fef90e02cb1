use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::ConformanceError;

/// The program that is tested.
#[derive(Clone)]
pub struct Program {
    /// It and its first arguments; no shell.
    pub argv: Vec<OsString>,
    /// Its whole environment; that of this process when it is `None`.
    pub env: Option<Vec<(OsString, OsString)>>,
    /// The folder that it runs in.
    pub folder: PathBuf,
    /// Its config, JSON text. Each start gets a file of its own: taps write into theirs.
    pub config: Option<String>,
    /// Takes secrets out of what it says on its standard error.
    pub redact: Arc<dyn Fn(&str) -> String + Send + Sync>,
}

/// How much and how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// So many records of a tap's run are looked at; then it is cut off.
    pub records: u64,
    /// Longest time of one start of the program.
    pub timeout: Duration,
    /// How long it may take to end when asked to.
    pub grace: Duration,
}

/// Writes a file for the program into the folder of the test, and gives `--flag FILE`.
pub(crate) fn file_argument(
    folder: &Path,
    flag: &str,
    text: &str,
) -> Result<[OsString; 2], ConformanceError> {
    let path = folder.join(format!("{}.json", flag.trim_start_matches('-')));
    fs::write(&path, text).map_err(ConformanceError::file("write", &path))?;
    Ok([flag.into(), path.into()])
}

/// The folder of a test, which nobody else can read.
pub(crate) fn test_folder() -> Result<tempfile::TempDir, ConformanceError> {
    tempfile::tempdir().map_err(ConformanceError::file("make a folder in", std::env::temp_dir()))
}

/// `--config FILE`, when there is a config.
pub(crate) fn config_arguments(program: &Program, folder: &Path) -> Result<Vec<OsString>, ConformanceError> {
    let config = program.config.as_deref();
    Ok(config
        .map(|text| file_argument(folder, "--config", text))
        .transpose()?
        .into_iter()
        .flatten()
        .collect())
}
