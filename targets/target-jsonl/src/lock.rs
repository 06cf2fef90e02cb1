//! The folder's lock: held for the time of one change of the state file, never between.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use target_api::Result;

use crate::error::{file, locked};
use crate::memory::Memory;

const PAUSE: Duration = Duration::from_millis(20);

/// The lock. Its file stays: who removed it could lock a file that nobody else sees. Given back when this is dropped, by whatever death.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock of this folder for as long as `patience`. Blocks the thread.
    pub(crate) fn take(folder: &Path, memory: Memory, patience: Duration) -> Result<Self> {
        let path = folder.join(memory.lock());
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = opened.map_err(|error| file("opening", &path, error))?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { _file: lock }),
                Err(TryLockError::WouldBlock) if started.elapsed() < patience => sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(locked(&path, patience.as_secs())),
                Err(TryLockError::Error(error)) => return Err(file("locking", &path, error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;
    use crate::memory::Memory;
    use std::time::Duration;
    use target_api::Status;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let take = || Lock::take(folder.path(), Memory::States, Duration::ZERO);
        let held = take().unwrap();
        let error = take().unwrap_err();
        assert_eq!((error.code, &error.status), ("E0385", &Status::Busy));
        drop(held);
        take().unwrap();
    }
}
