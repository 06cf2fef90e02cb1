//! A project's packages: found, or made.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::environment::{Environment, guard_path};
use crate::installer::{Installer, Work};
use crate::interpreter::Interpreter;
use crate::lock_file::Lock;
use crate::locked::{LockedEnvironment, platform};
use crate::{PackagesError, Result, Wanted};

/// How the lock is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// What the lock holds is installed as it says; what it lacks is found out and added.
    Missing,
    /// What the lock lacks is refused.
    Locked,
    /// All is found out anew, and put in the lock.
    Update,
}

/// The managed environments of one project.
#[derive(Debug)]
pub struct Packages {
    root: PathBuf,
    environments: PathBuf,
}

impl Packages {
    /// Those of the project in this folder.
    pub fn new(root: &Path) -> Self {
        // Environments know where they lie, so they go by one name of the folder.
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        Self { environments: root.join(".tapster/environments"), root }
    }

    /// The environment of what is wanted, made if it is not there. One that is there costs a look at the lock: no
    /// network is touched and no program started. `tell` hears what takes long, in a few words.
    ///
    /// # Errors
    /// See [`PackagesError`].
    pub fn environment(
        &self,
        wanted: &Wanted,
        mode: Mode,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Environment> {
        wanted.check()?;
        let lock = Lock::read(&self.root)?;
        let locked = if mode == Mode::Update { Vec::new() } else { lock.serving(wanted) };
        if let Some(ready) =
            locked.iter().rev().find_map(|entry| Environment::open(&self.environments, entry))
        {
            return Ok(ready);
        }
        if locked.is_empty() && mode == Mode::Locked {
            return Err(not_locked(wanted));
        }
        fs::create_dir_all(&self.environments)
            .map_err(PackagesError::file("make the folder", &self.environments))?;
        let installer = Installer::here();
        let python = interpreter(wanted, &locked, mode, installer.uv())?;
        let shown = wanted.shown();
        if let Some(entry) = locked.into_iter().find(|entry| entry.python == python.version) {
            return self.make(&installer, &python, entry, &shown, tell);
        }
        tell(&format!("looking up {shown} for Python {} with {}", python.version, installer.name()));
        let constraints = lock.elsewhere(wanted, &python.version).filter(|_| mode != Mode::Update);
        let constraints = constraints.map(LockedEnvironment::constraints).unwrap_or_default();
        let guard_path = self.environments.join("resolving.lock");
        let guard = File::create(&guard_path).map_err(PackagesError::file("write", &guard_path))?;
        let work = Work { folder: &self.environments, guard: &guard, about: &shown };
        let entry = installer.resolve(&work, &python, &wanted.requirements, &constraints)?;
        let environment = self.make(&installer, &python, &entry, &shown, tell)?;
        Lock::add(&self.root, &self.environments.join("tapster.lock.lock"), entry, mode == Mode::Update)?;
        Ok(environment)
    }

    /// Whether the lock holds what is wanted, without a look at anything else. `false` where the project has no
    /// lock yet.
    ///
    /// # Errors
    /// What is wanted is not written well, or the lock lacks it or is none.
    pub fn check(&self, wanted: &Wanted) -> Result<bool> {
        wanted.check()?;
        if !Lock::exists(&self.root) {
            return Ok(false);
        }
        let lock = Lock::read(&self.root)?;
        if lock.serving(wanted).is_empty() { Err(not_locked(wanted)) } else { Ok(true) }
    }

    /// Makes the environment of an entry, unless somebody else does so meanwhile.
    fn make(
        &self,
        installer: &Installer,
        python: &Interpreter,
        entry: &LockedEnvironment,
        shown: &str,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Environment> {
        let folder = self.environments.join(entry.short_hash());
        let guard = Self::locked_for(&folder, shown, tell)?;
        let is_there = Environment::is_whole(&folder, entry);
        if !is_there {
            remove(&folder)?;
            tell(&format!(
                "installing {shown} ({} packages) for Python {} with {}",
                entry.packages.len(),
                entry.python,
                installer.name()
            ));
            let work = Work { folder: &self.environments, guard: &guard, about: shown };
            let made = installer.make(&work, python, entry, &folder);
            if let Err(error) = made.and_then(|()| Environment::finish(&folder, entry)) {
                remove(&folder)?;
                return Err(error);
            }
        }
        // From making to using: others may use it, too.
        guard.lock_shared().map_err(PackagesError::file("lock", &folder))?;
        let gone = std::io::Error::other("it was removed as soon as it was made");
        let mut made = Environment::look(folder.clone(), entry, guard)
            .ok_or_else(|| PackagesError::file("use", &folder)(gone))?;
        made.is_new = !is_there;
        self.remove_older(entry);
        Ok(made)
    }

    /// The lock of an environment's folder, for this process alone.
    fn locked_for(folder: &Path, shown: &str, tell: &mut dyn FnMut(&str)) -> Result<File> {
        let path = guard_path(folder);
        let guard = File::options().create(true).truncate(false).write(true).open(&path);
        let guard = guard.map_err(PackagesError::file("write", &path))?;
        if guard.try_lock().is_err() {
            tell(&format!("waiting for another tapster that installs {shown}"));
            guard.lock().map_err(PackagesError::file("lock", &path))?;
        }
        Ok(guard)
    }

    /// Removes what an environment replaces and nobody uses. Failing is harmless: it only takes room.
    fn remove_older(&self, entry: &LockedEnvironment) {
        for folder in
            fs::read_dir(&self.environments).into_iter().flatten().flatten().map(|entry| entry.path())
        {
            let is_older =
                |old: LockedEnvironment| old.is_for(&entry.requirements, &entry.python) && old != *entry;
            if !Environment::content(&folder).is_some_and(is_older) {
                continue;
            }
            let guard = File::open(guard_path(&folder));
            if guard.as_ref().is_ok_and(|guard| guard.try_lock().is_ok()) {
                let _ = fs::remove_dir_all(&folder);
            }
        }
    }
}

/// The Python that is asked for; where none is, that of the lock, then `python3`.
fn interpreter(
    wanted: &Wanted,
    locked: &[&LockedEnvironment],
    mode: Mode,
    uv: Option<&Path>,
) -> Result<Interpreter> {
    if let Some(version) = &wanted.python {
        return Interpreter::of(version, uv);
    }
    let usual = Interpreter::any(uv);
    let is_locked = |python: &Interpreter| locked.iter().any(|entry| entry.python == python.version);
    if locked.is_empty() || usual.as_ref().is_ok_and(is_locked) {
        return usual;
    }
    let mut problem = None;
    for entry in locked.iter().rev() {
        match Interpreter::of(&entry.python, uv) {
            Ok(python) => return Ok(python),
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    match problem {
        Some(error) if mode == Mode::Locked => Err(error),
        _ => usual,
    }
}

fn not_locked(wanted: &Wanted) -> PackagesError {
    PackagesError::NotLocked {
        requirements: wanted.shown(),
        python: wanted.python.clone(),
        platform: platform(),
    }
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(PackagesError::file("remove", folder))?;
    }
    Ok(())
}
