//! The private folder of a run: config, catalog and state for the tap, for nobody else's eyes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use load::FilePlaces;

use crate::config::ConfigFile;
use crate::{ProgramConfig, RunError, committed_file};

/// Name of the file that is locked for as long as the folder's owner lives.
const OWNER: &str = "owner.lock";
const CONFIG: &str = "config.json";
pub(crate) const CATALOG: &str = "catalog.json";
pub(crate) const STATE: &str = "state.json";

/// Stands in a config for the path of the run's folder, which the tap also finds in its environment.
pub(crate) const RUN_FOLDER: &str = "${TAPSTER_RUN_FOLDER}";

/// A folder (0700) with files (0600) that is gone when the run ends.
pub(crate) struct PrivateFolder {
    path: PathBuf,
    /// Holds the lock.
    _owner: File,
}

impl PrivateFolder {
    /// Makes `parent/name`, after removing what dead runs left in `parent`.
    pub(crate) fn create(parent: &Path, name: &str) -> Result<Self, RunError> {
        let path = parent.join(name);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(RunError::machine("make the private folder", &path))?;
        let owner = path.join(OWNER);
        let file = OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&owner);
        let file =
            file.and_then(|file| file.lock().map(|()| file)).map_err(RunError::machine("lock", &owner))?;
        Ok(Self { path, _owner: file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the files of the tap's BATCH messages may lie: here, but for our own files, and in these folders.
    pub(crate) fn file_places(&self, roots: &[PathBuf]) -> FilePlaces {
        FilePlaces {
            run_folder: Some(self.path.clone()),
            reserved: vec![OWNER, CONFIG, CATALOG, STATE, committed_file::FILE],
            roots: roots.to_vec(),
        }
    }

    /// Writes a program's config.
    pub(crate) fn write_config(&self, config: &ProgramConfig) -> Result<ConfigFile, RunError> {
        let path = serde_json::to_string(&self.path.display().to_string()).unwrap_or_default();
        let inside = path.get(1..path.len().saturating_sub(1)).unwrap_or_default();
        let content = config.text().replace(RUN_FOLDER, inside);
        let path = self.write(CONFIG, &content)?;
        Ok(ConfigFile::new(path, config, content, inside))
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, RunError> {
        let path = self.path.join(name);
        let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(RunError::machine("write", &path))?;
        Ok(path)
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // The guard removes it, too: whoever comes second finds nothing.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the private folders that dead runs left under `parent`.
pub fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let free = match File::open(path.join(OWNER)) {
            Ok(file) => file.try_lock().is_ok(),
            // No owner yet: it may be just being made, so only an old one is a left-over.
            Err(_) => entry
                .metadata()
                .and_then(|m| m.modified())
                .is_ok_and(|m| m.elapsed().is_ok_and(|age| age.as_secs() > 60)),
        };
        if free {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PrivateFolder, sweep};
    use crate::ProgramConfig;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_its_owner_reads_it_and_it_goes() {
        let parent = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::create(parent.path(), "run").unwrap();
        let file = folder.write_config(&ProgramConfig::unkept("{}".to_owned())).unwrap();
        let file = file.path();
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
        drop(folder);
        assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn left_overs_are_swept_and_live_ones_are_not() {
        let parent = tempfile::tempdir().unwrap();
        let live = PrivateFolder::create(parent.path(), "live").unwrap();
        std::fs::create_dir(parent.path().join("dead")).unwrap();
        std::fs::write(parent.path().join("dead/owner.lock"), "").unwrap();
        sweep(parent.path());
        assert!(live.path().exists() && !parent.path().join("dead").exists());
    }
}
