//! Finds a tap's program before it is started, so that a missing one is named as such.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::{TapCommand, TapFailure};

/// The program of a tap as a path.
pub(crate) fn find(tap: &TapCommand) -> Result<PathBuf, TapFailure> {
    let program = tap.argv.first().map(PathBuf::from).unwrap_or_default();
    let name = program.display().to_string();
    if program.components().count() > 1 {
        let path = tap.folder.join(&program);
        return match usable(&path) {
            Some(true) => Ok(path),
            Some(false) => {
                Err(TapFailure::NotStarted { program: name, reason: "it is not executable".into() })
            }
            None => Err(TapFailure::NotFound { program: name, searched: None }),
        };
    }
    let path = tap.env.iter().find(|(key, _)| key == "PATH").map(|(_, value)| value.as_os_str());
    let folders: Vec<PathBuf> = std::env::split_paths(path.unwrap_or(OsStr::new(""))).collect();
    let found = folders.iter().map(|folder| folder.join(&program)).find(|path| usable(path) == Some(true));
    found.ok_or(TapFailure::NotFound { program: name, searched: Some(folders.len()) })
}

/// Whether a file may be run; `None` when there is none.
fn usable(path: &Path) -> Option<bool> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some(metadata.permissions().mode() & 0o111 != 0)
}
