//! A program's config, which a tap may rewrite: a token that is good for one use is gone when the next run does not
//! know its successor.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;

use crate::private_folder::RUN_FOLDER;

/// How often a running tap's config file is looked at.
const LOOKED_AT: Duration = Duration::from_millis(250);

/// Keeps a config, JSON text, for the runs to come.
pub type KeepConfig = Arc<dyn Fn(&str) + Send + Sync>;

/// The config as it is now. Clones share it: what discovery rewrote, the run is given.
#[derive(Clone)]
pub struct ProgramConfig {
    text: Arc<Mutex<String>>,
    keep: KeepConfig,
}

impl ProgramConfig {
    /// A config, JSON text. `keep` is called at once with what the program makes of it.
    pub fn new(text: String, keep: KeepConfig) -> Self {
        Self { text: Arc::new(Mutex::new(text)), keep }
    }

    /// A config of which nothing is kept.
    #[must_use]
    pub fn unkept(text: String) -> Self {
        Self::new(text, Arc::new(|_| ()))
    }

    /// Its JSON text.
    #[must_use]
    pub fn text(&self) -> String {
        locked(&self.text).clone()
    }

    fn rewritten(&self, text: String) {
        (self.keep)(&text);
        *locked(&self.text) = text;
    }
}

/// The file that a program was given.
pub(crate) struct ConfigFile {
    path: PathBuf,
    config: ProgramConfig,
    /// What stands in the file for the run's folder.
    folder: String,
    seen: Mutex<Seen>,
}

struct Seen {
    content: String,
    stamp: Option<(SystemTime, u64)>,
}

impl ConfigFile {
    /// A file that was just written with this content.
    pub(crate) fn new(path: PathBuf, config: &ProgramConfig, content: String, folder: &str) -> Self {
        let stamp = stamp(&path);
        let seen = Mutex::new(Seen { content, stamp });
        Self { path, config: config.clone(), folder: folder.to_owned(), seen }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps what the program has made of it. A file that is just being written is looked at again.
    pub(crate) fn look(&self) {
        let mut seen = locked(&self.seen);
        let stamp = stamp(&self.path);
        if stamp.is_none() || stamp == seen.stamp {
            return;
        }
        let Ok(content) = fs::read_to_string(&self.path) else { return };
        if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&content).is_err() {
            return;
        }
        seen.stamp = stamp;
        if content != seen.content {
            self.config.rewritten(content.replace(&self.folder, RUN_FOLDER));
            seen.content = content;
        }
    }

    /// Looks at it from now on, until the answer is dropped.
    pub(crate) fn watch(self) -> Watched {
        let file = Arc::new(self);
        let watched = Arc::clone(&file);
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOKED_AT).await;
                watched.look();
            }
        });
        Watched { file, task }
    }
}

/// A config file that is looked at.
pub(crate) struct Watched {
    file: Arc<ConfigFile>,
    task: JoinHandle<()>,
}

impl Watched {
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Looks at once: the program has ended.
    pub(crate) fn look(&self) {
        self.file.look();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::{Arc, Mutex};

    use super::{ConfigFile, ProgramConfig};

    #[test]
    fn what_a_program_writes_is_kept_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, r#"{"token":"one"}"#).unwrap();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let keeper = Arc::clone(&kept);
        let keep = Arc::new(move |text: &str| keeper.lock().unwrap().push(text.to_owned()));
        let config = ProgramConfig::new(r#"{"token":"one"}"#.to_owned(), keep);
        let file = ConfigFile::new(path.clone(), &config, config.text(), "/run");
        file.look();
        fs::write(&path, r#"{"token":"#).unwrap();
        file.look();
        assert!(kept.lock().unwrap().is_empty(), "half a file is no config");
        fs::write(&path, r#"{"token":"two-two","root":"/run/x"}"#).unwrap();
        file.look();
        file.look();
        let wanted = r#"{"token":"two-two","root":"${TAPSTER_RUN_FOLDER}/x"}"#;
        assert_eq!(
            (kept.lock().unwrap().as_slice(), config.text().as_str()),
            (&[wanted.to_owned()][..], wanted)
        );
    }
}
