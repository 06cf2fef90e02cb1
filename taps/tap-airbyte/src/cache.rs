//! What a source said of its config before: starting it takes seconds.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tap_sdk::log;

use crate::arguments::Arguments;

/// The file of a source's specification, if there is to be one. As long as the program is the same one, it is good.
pub(crate) struct Cache(Option<PathBuf>);

impl Cache {
    /// The one of this source: of its command line, and of the files in it as they are.
    pub(crate) fn of(arguments: &Arguments) -> Self {
        let mut hasher = Sha256::new();
        for argument in &arguments.command {
            hasher.update((argument.len() as u64).to_le_bytes());
            hasher.update(argument.as_encoded_bytes());
            // A program that is installed or edited anew is another one.
            if let Ok(file) = fs::metadata(argument) {
                hasher.update(format!("{} {} {}", file.len(), file.mtime(), file.mtime_nsec()));
            }
        }
        let mut name = "spec-".to_owned();
        for byte in hasher.finalize().iter().take(12) {
            let _ = write!(name, "{byte:02x}");
        }
        Self(arguments.cache.as_ref().map(|folder| folder.join(name + ".json")))
    }

    /// What was kept.
    pub(crate) fn get(&self) -> Option<String> {
        fs::read_to_string(self.0.as_ref()?).ok()
    }

    /// Keeps it. Failing only costs time later.
    pub(crate) fn put(&self, text: &str) {
        let Some(path) = &self.0 else { return };
        let Some(folder) = path.parent() else { return };
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        let written = made.and_then(|()| {
            // Readable by nobody else, and never half written.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(path).map_err(|error| error.error)
        });
        if let Err(error) = written {
            log::debug(&format!("{} cannot be kept: {error}", path.display()));
        }
    }
}
