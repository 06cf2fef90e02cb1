//! The preflight: may we do here what a run will do? Leaves nothing behind.

use std::path::Path;

use target_api::Result;

use crate::error::{file, folder as unusable};
use crate::memory::Memory;
use crate::state::StateFile;

/// Verifies that the folder is there and can be written to, or can be made, and that its state file is ours.
pub(crate) fn check(folder: &Path) -> Result<()> {
    let nearest = nearest(folder);
    if !nearest.is_dir() {
        return Err(unusable(format!("{} is not a folder", nearest.display())));
    }
    // A file without a name, gone when it is closed, needs the very rights that a run needs.
    tempfile::tempfile_in(nearest).map_err(|error| file("making a file in", nearest, error))?;
    if nearest == folder {
        StateFile::read(folder, Memory::States)?;
        StateFile::read(folder, Memory::Tables)?;
    }
    Ok(())
}

/// The folder itself, or the one in which its missing parents will be made.
fn nearest(folder: &Path) -> &Path {
    let there = |path: &&Path| path.as_os_str().is_empty() || path.symlink_metadata().is_ok();
    match folder.ancestors().find(there) {
        Some(path) if !path.as_os_str().is_empty() => path,
        _ => Path::new("."),
    }
}
