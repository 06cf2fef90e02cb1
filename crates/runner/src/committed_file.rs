//! What was committed, told to a running tap: a file that is replaced in one step.

use std::fs;
use std::io;
use std::path::Path;

/// Name of the file in the run's private folder; the tap finds its path in `TAPSTER_COMMITTED_STATE`.
pub(crate) const FILE: &str = "committed.json";

/// Replaces the file with this STATE. Log-based taps acknowledge to their server only from it.
pub(crate) fn replace(folder: &Path, state: &str) -> io::Result<()> {
    let new = folder.join("committed.json.new");
    fs::write(&new, state)?;
    fs::rename(new, folder.join(FILE))
}
