//! What a folder remembers, and in which file: of runs that keep their STATE here, and of those that keep none.

use target_api::RunIdentity;

/// A memory of a folder. Each has its file and its lock; no file of lines may be in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// STATEs, fences and files.
    States,
    /// Files alone: those of the stand-alone program, whose runner keeps the STATE.
    Tables,
}

impl Memory {
    /// That of this run.
    pub(crate) fn of(run: &RunIdentity) -> Self {
        if run.keeps_state { Self::States } else { Self::Tables }
    }

    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::States => Self::Tables,
            Self::Tables => Self::States,
        }
    }

    /// Name of its file.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::States => "_tapster_state.json",
            Self::Tables => "_tapster_tables.json",
        }
    }

    /// What it is written as before it takes the other one's place.
    pub(crate) fn new_file(self) -> String {
        crate::state::replacement(self.file())
    }

    /// Name of the file that is locked.
    pub(crate) fn lock(self) -> &'static str {
        match self {
            Self::States => "_tapster_state.lock",
            Self::Tables => "_tapster_tables.lock",
        }
    }
}
