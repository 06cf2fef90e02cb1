//! `tapster.lock`: JSON, sorted, one hash a line, so that a change reads well in a review.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::locked::{LockedEnvironment, platform};
use crate::{PackagesError, Result, Wanted};

const NAME: &str = "tapster.lock";
const ABOUT: &str =
    "Written by `tapster install`: commit it, and every machine installs the same. Not for editing.";
const VERSION: u32 = 1;

/// What is in the file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Lock {
    about: String,
    version: u32,
    environments: Vec<LockedEnvironment>,
}

impl Default for Lock {
    fn default() -> Self {
        Self { about: ABOUT.to_owned(), version: VERSION, environments: Vec::new() }
    }
}

impl Lock {
    /// Whether the project has one.
    pub(crate) fn exists(root: &Path) -> bool {
        root.join(NAME).exists()
    }

    /// The project's, empty where there is none yet.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let path = root.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(PackagesError::File { what: "read", path, source }),
        };
        let bad = |path: PathBuf| move |reason: String| PackagesError::BadLock { path, reason };
        let head: Head =
            serde_json::from_slice(&bytes).map_err(|error| bad(path.clone())(error.to_string()))?;
        if head.version != VERSION {
            return Err(bad(path)(format!(
                "it has version {}, and this tapster reads {VERSION}",
                head.version
            )));
        }
        serde_json::from_slice(&bytes).map_err(|error| bad(path)(error.to_string()))
    }

    /// Those that this machine can use for it.
    pub(crate) fn serving(&self, wanted: &Wanted) -> Vec<&LockedEnvironment> {
        self.environments.iter().filter(|entry| entry.serves(wanted)).collect()
    }

    /// One of another kind of machine, for the versions in it.
    pub(crate) fn elsewhere(&self, wanted: &Wanted, python: &str) -> Option<&LockedEnvironment> {
        self.environments.iter().find(|entry| entry.is_for(&wanted.requirements, python))
    }

    /// Whether it holds exactly this.
    pub(crate) fn holds(&self, entry: &LockedEnvironment) -> bool {
        self.environments.contains(entry)
    }

    /// Puts it in, in the place of what it replaces: `anew` that of every platform.
    fn put(&mut self, entry: LockedEnvironment, anew: bool) {
        self.environments.retain(|old| {
            let is_same_place = old.platform.as_ref().is_none_or(|name| *name == platform());
            !(old.is_for(&entry.requirements, &entry.python)
                && (anew || entry.platform.is_none() || is_same_place))
        });
        self.environments.push(entry);
        self.environments.sort();
    }

    /// Adds an entry to the project's file. Others may do the same at once: `guard` is the file that they all lock.
    pub(crate) fn add(root: &Path, guard: &Path, entry: LockedEnvironment, anew: bool) -> Result<()> {
        let file = File::create(guard).map_err(PackagesError::file("write", guard))?;
        file.lock().map_err(PackagesError::file("lock", guard))?;
        let mut lock = Self::read(root)?;
        if lock.holds(&entry) && !anew {
            return Ok(());
        }
        lock.put(entry, anew);
        lock.write(root)
    }

    fn write(&self, root: &Path) -> Result<()> {
        let path = root.join(NAME);
        let failed = || PackagesError::file("write", &path);
        let mut text =
            serde_json::to_vec_pretty(self).map_err(|error| failed()(std::io::Error::other(error)))?;
        text.push(b'\n');
        if fs::read(&path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        let mut file =
            tempfile::Builder::new().prefix(".tapster.lock-").tempfile_in(root).map_err(failed())?;
        file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(failed())?;
        readable(file.path());
        file.persist(&path).map_err(|error| failed()(error.error))?;
        Ok(())
    }
}

/// A temporary file is its owner's alone; this one is committed and shared.
fn readable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    // Where it cannot be done, only the owner reads it.
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o644));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locked::LockedPackage;

    fn entry(requirement: &str, python: &str, platform: Option<&str>, version: &str) -> LockedEnvironment {
        LockedEnvironment {
            requirements: vec![requirement.to_owned()],
            python: python.to_owned(),
            platform: platform.map(str::to_owned),
            packages: vec![LockedPackage {
                version: Some(version.to_owned()),
                sha256: vec!["aa".into(), "bb".into()],
                ..LockedPackage::named("tap-x")
            }],
        }
    }

    fn add(folder: &Path, entry: LockedEnvironment, anew: bool) {
        Lock::add(folder, &folder.join("guard"), entry, anew).unwrap();
    }

    #[test]
    fn the_file_is_the_same_whatever_the_order_in_which_it_grew() {
        let entries =
            [entry("b", "3.11", None, "1"), entry("a", "3.12", None, "1"), entry("a", "3.11", None, "1")];
        let texts = [[0, 1, 2], [2, 0, 1]].map(|order| {
            let folder = tempfile::tempdir().unwrap();
            for at in order {
                add(folder.path(), entries[at].clone(), false);
            }
            fs::read_to_string(folder.path().join(NAME)).unwrap()
        });
        assert_eq!(texts[0], texts[1]);
        assert_eq!(texts[0].lines().filter(|line| line.trim().starts_with("\"aa\"")).count(), 3);
    }

    #[test]
    fn each_platform_has_its_own_until_one_holds_everywhere() {
        let folder = tempfile::tempdir().unwrap();
        let here = platform();
        let versions = |lock: &Lock| lock.environments.len();
        add(folder.path(), entry("a", "3.11", Some("plan9-mips"), "1"), false);
        add(folder.path(), entry("a", "3.11", Some(&here), "1"), false);
        let lock = Lock::read(folder.path()).unwrap();
        let wanted = Wanted { requirements: vec!["a".into()], python: None };
        assert_eq!((versions(&lock), lock.serving(&wanted).len()), (2, 1));
        // An update is made anew for all.
        add(folder.path(), entry("a", "3.11", Some(&here), "2"), true);
        assert_eq!(versions(&Lock::read(folder.path()).unwrap()), 1);
        add(folder.path(), entry("a", "3.11", Some("plan9-mips"), "2"), false);
        add(folder.path(), entry("a", "3.11", None, "2"), false);
        assert_eq!(versions(&Lock::read(folder.path()).unwrap()), 1);
    }

    #[test]
    fn a_lock_that_is_none_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for text in [
            "",
            "{}",
            "{\"version\": 2}",
            "<<<<<<< HEAD\n{}",
            "{\"about\":\"\",\"version\":1,\"environments\":[{}]}",
        ] {
            fs::write(folder.path().join(NAME), text).unwrap();
            let error = Lock::read(folder.path()).unwrap_err();
            assert_eq!(error.code(), "E0613", "{text}");
        }
    }
}
