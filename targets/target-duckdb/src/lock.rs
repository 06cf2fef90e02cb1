//! One tapster at a time on a DuckDB file.
//!
//! DuckDB itself refuses a second process, but not a second handle in the same process, and it cannot be waited
//! for. So whoever writes holds a lock on `FILE.lock` as well, which the system drops when its owner dies.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use target_api::{Status, TargetError};

use crate::error;

/// How long to wait between two looks at a lock that somebody else holds.
const PAUSE: Duration = Duration::from_millis(50);

/// Until when somebody else's lock is waited for, and whether that is still wanted.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    deadline: Instant,
    closing: Arc<AtomicBool>,
    told: bool,
}

impl Patience {
    /// Waits that long from now on, or until `closing` is true.
    pub(crate) fn new(length: Duration, closing: &Arc<AtomicBool>) -> Self {
        Self { deadline: Instant::now() + length, closing: Arc::clone(closing), told: false }
    }

    /// Sleeps a moment, or says after the deadline who holds the file.
    pub(crate) fn wait(&mut self, database: &Path, holder: &str) -> Result<(), TargetError> {
        if Instant::now() >= self.deadline || self.closing.load(Ordering::Relaxed) {
            let message = format!("{} is in use by {holder}", database.display());
            return Err(TargetError::new(error::LOCKED, Status::Busy, message).with_hint(
                "a DuckDB file has one writer at a time: try again when that program has closed it",
            ));
        }
        if !self.told {
            let longest = self.deadline.saturating_duration_since(Instant::now()).as_secs() + 1;
            tracing::info!(
                target: "tapster::wait",
                "waiting up to {longest} s for {}: it is in use by {holder}",
                database.display()
            );
            self.told = true;
        }
        std::thread::sleep(PAUSE);
        Ok(())
    }
}

/// A held lock. The file goes away with it.
#[derive(Debug)]
pub(crate) struct FileLock {
    path: PathBuf,
    // Dropping it frees the lock.
    _file: File,
}

impl FileLock {
    /// Takes the lock of a DuckDB file, waiting for it with patience.
    pub(crate) fn take(database: &Path, patience: &mut Patience) -> Result<Self, TargetError> {
        let path = lock_path(database);
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(|cause| unusable(&path, &cause))?;
            match file.try_lock() {
                // A former owner may have removed the file between our opening and our locking it.
                Ok(()) if is_at(&file, &path) => {
                    name_holder(&mut file);
                    return Ok(Self { path, _file: file });
                }
                Ok(()) => continue,
                Err(std::fs::TryLockError::Error(cause)) => return Err(unusable(&path, &cause)),
                Err(std::fs::TryLockError::WouldBlock) => {}
            }
            patience.wait(database, &holder(&mut file))?;
        }
    }

    /// Waits until nobody of ours holds the lock, without making the file.
    pub(crate) fn wait_until_free(database: &Path, patience: &mut Patience) -> Result<(), TargetError> {
        loop {
            let Ok(mut file) = File::open(lock_path(database)) else { return Ok(()) };
            if !matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)) {
                return Ok(());
            }
            patience.wait(database, &holder(&mut file))?;
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // While it is still locked: who waits for it sees that it is gone and makes another.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

fn is_at(file: &File, path: &Path) -> bool {
    let inode = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(there)) => inode(held) == inode(there),
        _ => false,
    }
}

/// Writes who we are, for the message of who waits.
fn name_holder(file: &mut File) {
    let program = std::env::current_exe().ok();
    let program =
        program.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let text =
        format!("process {} ({})\n", std::process::id(), program.unwrap_or_else(|| "unknown".to_owned()));
    // A name that cannot be written is only missing from a message.
    let _ = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = (&mut *file).take(200).read_to_string(&mut text);
    let text = text.trim();
    // The holder wrote its name when it took the lock.
    let since = file.metadata().and_then(|metadata| metadata.modified()).ok();
    match (text.is_empty(), since.and_then(|since| since.elapsed().ok())) {
        (true, _) => "another process".to_owned(),
        (false, Some(held)) => format!("{text}, for {} s now", held.as_secs()),
        (false, None) => text.to_owned(),
    }
}

fn unusable(path: &Path, cause: &std::io::Error) -> TargetError {
    let message = format!("{} cannot be made or locked: {cause}", path.display());
    TargetError::new(error::PLACE, Status::Config, message)
        .with_hint("the folder of the DuckDB file must exist and be writable")
}

#[cfg(test)]
mod tests {
    use super::{FileLock, Patience, lock_path};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;
    use target_api::Status;

    fn patience(length: Duration) -> Patience {
        Patience::new(length, &Arc::default())
    }

    #[test]
    fn a_held_lock_names_its_holder_and_a_dropped_one_is_free_and_gone() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.duckdb");
        let mut now = patience(Duration::ZERO);
        FileLock::wait_until_free(&database, &mut now).unwrap();
        assert!(!lock_path(&database).exists(), "looking must not make the file");
        let held = FileLock::take(&database, &mut now).unwrap();
        let busy = FileLock::take(&database, &mut now).unwrap_err();
        assert_eq!(busy.status, Status::Busy);
        assert!(busy.message.contains(&std::process::id().to_string()), "{}", busy.message);
        assert!(FileLock::wait_until_free(&database, &mut now).is_err());
        drop(held);
        assert!(!lock_path(&database).exists());
        FileLock::take(&database, &mut now).unwrap();
    }

    #[test]
    fn who_waits_gets_the_lock_when_its_holder_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.duckdb");
        let held = FileLock::take(&database, &mut patience(Duration::ZERO)).unwrap();
        let waiting = std::thread::spawn({
            let database = database.clone();
            move || FileLock::take(&database, &mut patience(Duration::from_mins(1))).map(drop)
        });
        drop(held);
        waiting.join().unwrap().unwrap();
    }

    #[test]
    fn nobody_waits_for_what_is_closing() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.duckdb");
        let _held = FileLock::take(&database, &mut patience(Duration::ZERO)).unwrap();
        let closing = Arc::new(AtomicBool::new(false));
        let mut long = Patience::new(Duration::from_hours(1), &closing);
        let waiting = std::thread::spawn(move || FileLock::take(&database, &mut long).map(drop));
        closing.store(true, Ordering::Relaxed);
        assert_eq!(waiting.join().unwrap().unwrap_err().status, Status::Busy);
    }
}
