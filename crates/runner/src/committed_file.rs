//! What was committed, told to a running tap: a file that is replaced in one step.

use std::fs;
use std::io;
use std::path::Path;

use singer::State;

use crate::{ProgramCommand, RunPlan};

/// Name of the file in the run's private folder; the tap finds its path in `TAPSTER_COMMITTED_STATE`.
pub(crate) const FILE: &str = "committed.json";

/// The tap's command with the file's path in its environment, and there, too, whether it goes on for ever.
pub(crate) fn told_of(plan: &RunPlan, folder: &Path) -> ProgramCommand {
    let mut tap = plan.tap.clone();
    tap.env.push(("TAPSTER_COMMITTED_STATE".into(), folder.join(FILE).into()));
    if plan.continuous {
        tap.env.push(("TAPSTER_CONTINUOUS".into(), "1".into()));
    }
    tap
}

/// Tells a running tap what was committed.
pub(crate) fn tell(folder: &Path, state: &State) {
    if let Err(error) = replace(folder, state.as_str()) {
        tracing::warn!(%error, "the tap cannot be told what was committed");
    }
}

/// Replaces the file with this STATE. Log-based taps acknowledge to their server only from it.
pub(crate) fn replace(folder: &Path, state: &str) -> io::Result<()> {
    let new = folder.join("committed.json.new");
    fs::write(&new, state)?;
    fs::rename(new, folder.join(FILE))
}
