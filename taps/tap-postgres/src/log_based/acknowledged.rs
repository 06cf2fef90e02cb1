//! How far the target has committed: from `--state`, and while tapster runs the tap, from the file that it replaces
//! after each commit.

use std::path::PathBuf;

use tap_sdk::{TapError, TapState};

use crate::bookmark::Bookmark;
use crate::log_based::lsn::Lsn;

/// Variable in which tapster names that file.
const FILE: &str = "TAPSTER_COMMITTED_STATE";

/// Looks at that file.
#[derive(Debug)]
pub(super) struct Acknowledged {
    file: Option<PathBuf>,
    seen: Vec<u8>,
}

impl Acknowledged {
    pub(super) fn new() -> Self {
        Self { file: std::env::var_os(FILE).map(PathBuf::from), seen: Vec::new() }
    }

    /// What these streams have all come to, where a newer STATE was committed since the last look.
    pub(super) fn news<'a>(&mut self, ids: impl Iterator<Item = &'a str>) -> Result<Option<Lsn>, TapError> {
        let Some(file) = &self.file else { return Ok(None) };
        // There is none before the first commit.
        let Ok(content) = std::fs::read(file) else { return Ok(None) };
        if content == self.seen {
            return Ok(None);
        }
        let state = std::str::from_utf8(&content).unwrap_or_default();
        let reached = reached(&TapState::parse(state)?, ids)?;
        self.seen = content;
        Ok(reached)
    }
}

/// What these streams have all come to. One that has come nowhere yet needs nothing of the log: its rows are read anew.
pub(super) fn reached<'a>(
    state: &TapState,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Option<Lsn>, TapError> {
    let mut least: Option<Lsn> = None;
    for id in ids {
        let lsn = state.bookmark::<Bookmark>(id)?.and_then(|bookmark| bookmark.lsn);
        least = match (least, lsn) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
    Ok(least)
}
