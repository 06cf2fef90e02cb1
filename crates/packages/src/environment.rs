//! One environment that is ready.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::locked::LockedEnvironment;
use crate::scripts::programs;
use crate::{PackagesError, Result};

/// Written last: an environment without it is half-made.
const MARKER: &str = "tapster.json";

/// An environment with all that was asked for. As long as this lives, nobody removes it.
#[derive(Debug)]
pub struct Environment {
    /// Its folder.
    pub folder: PathBuf,
    /// `3.11`.
    pub python: String,
    /// How many packages are in it.
    pub packages: usize,
    /// Whether it was made just now.
    pub is_new: bool,
    requirements: Vec<String>,
    programs: Vec<String>,
    /// Held, never read.
    #[expect(dead_code, reason = "its lock is what it is for")]
    in_use: File,
}

/// What an environment says about itself.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    /// Where it was made: it works nowhere else.
    folder: PathBuf,
    programs: Vec<String>,
    locked: LockedEnvironment,
}

impl Marker {
    fn is_of(&self, folder: &Path, entry: &LockedEnvironment) -> bool {
        // The folder may have been moved with its project, and the Python under it may be gone.
        self.folder == folder && self.locked == *entry && folder.join("bin/python").exists()
    }
}

fn marker(folder: &Path) -> Option<Marker> {
    serde_json::from_slice(&fs::read(folder.join(MARKER)).ok()?).ok()
}

impl Environment {
    /// The one of a lock's entry, if it is there and whole.
    pub(crate) fn open(environments: &Path, entry: &LockedEnvironment) -> Option<Self> {
        let folder = environments.join(entry.short_hash());
        // First the lock, then the look: whoever removes it has the lock, too.
        let in_use = File::open(guard_path(&folder)).ok()?;
        in_use.try_lock_shared().ok()?;
        Self::look(folder, entry, in_use)
    }

    /// The one in this folder, whose lock is held already.
    pub(crate) fn look(folder: PathBuf, entry: &LockedEnvironment, in_use: File) -> Option<Self> {
        let programs = marker(&folder).filter(|marker| marker.is_of(&folder, entry))?.programs;
        Some(Self {
            python: entry.python.clone(),
            packages: entry.packages.len(),
            is_new: false,
            requirements: entry.requirements.clone(),
            programs,
            folder,
            in_use,
        })
    }

    /// Whether this folder has all that the entry says.
    pub(crate) fn is_whole(folder: &Path, entry: &LockedEnvironment) -> bool {
        marker(folder).is_some_and(|marker| marker.is_of(folder, entry))
    }

    /// Says that the environment in this folder is whole.
    pub(crate) fn finish(folder: &Path, entry: &LockedEnvironment) -> Result<()> {
        let programs = programs(folder, entry);
        let marker = Marker { folder: folder.to_owned(), programs, locked: entry.clone() };
        let path = folder.join(MARKER);
        let text = serde_json::to_vec(&marker).map_err(std::io::Error::other);
        text.and_then(|text| fs::write(&path, text)).map_err(PackagesError::file("write", &path))
    }

    /// What is in the environment of this folder, if it was ever whole.
    pub(crate) fn content(folder: &Path) -> Option<LockedEnvironment> {
        marker(folder).map(|marker| marker.locked)
    }

    /// The program to run: the one that is named, else the only one of the package. `kind` is `tap` or `target`, by
    /// which one of several is told.
    ///
    /// # Errors
    /// None is meant, or several may be.
    pub fn program(&self, executable: Option<&str>, kind: &str) -> Result<PathBuf> {
        let name = match (executable, self.programs.as_slice()) {
            (Some(name), _) => name,
            (None, [one]) => one,
            (None, _) => self.only_one(kind)?,
        };
        let path = self.folder.join("bin").join(name);
        if !name.contains('/') && path.is_file() {
            return Ok(path);
        }
        Err(PackagesError::NoProgram {
            requirements: self.requirements.join(", "),
            executable: executable.map(str::to_owned),
            programs: self.programs.clone(),
        })
    }

    fn only_one(&self, kind: &str) -> Result<&str> {
        let requirements = self.requirements.join(", ");
        let named =
            |prefix: &str| self.programs.iter().filter(|name| name.starts_with(prefix)).collect::<Vec<_>>();
        let of_kind = named(&format!("{kind}-"));
        // Airbyte's taps are sources.
        let of_kind = if of_kind.is_empty() && kind == "tap" { named("source-") } else { of_kind };
        match of_kind.as_slice() {
            [one] => Ok(one),
            _ if self.programs.is_empty() => {
                Err(PackagesError::NoProgram { requirements, executable: None, programs: Vec::new() })
            }
            _ => Err(PackagesError::SeveralPrograms { requirements, programs: self.programs.clone() }),
        }
    }

    /// A PATH with its programs first.
    pub fn path(&self, path: Option<&OsStr>) -> OsString {
        let mut first = self.folder.join("bin").into_os_string();
        if let Some(path) = path.filter(|path| !path.is_empty()) {
            first.push(":");
            first.push(path);
        }
        first
    }
}

/// The file whose lock says who makes or uses an environment. It stays when the environment goes.
pub(crate) fn guard_path(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}
