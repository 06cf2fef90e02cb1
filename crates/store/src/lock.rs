use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::folder::{file_error, lock_file_name, make_private_folder};
use crate::{PipelineName, Result, RunId, Store, StoreError, lost, time};

/// Who holds a pipeline's lock, as the lock's file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// The id of its run.
    pub run: String,
    /// Its process.
    pub pid: u32,
    /// The host of that process.
    pub host: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.to_rfc3339_opts(SecondsFormat::Secs, true);
        let Self { run, pid, host, .. } = self;
        write!(formatter, "run {run}, pid {pid} on {host}, since {since}")
    }
}

/// The right to run one pipeline in one environment. Dropped, or at its process's end by whatever
/// death, the operating system frees it.
#[derive(Debug)]
pub struct PipelineLock {
    // Held open for its lock; closed on exec, so no child process inherits it.
    _file: File,
    name: PipelineName,
    run: RunId,
}

impl PipelineLock {
    /// Which pipeline it locks.
    pub fn name(&self) -> &PipelineName {
        &self.name
    }

    /// The run that took it.
    pub fn run(&self) -> RunId {
        self.run
    }
}

impl Store {
    /// Takes the pipeline's lock for a run, or says at once who holds it ([`StoreError::Busy`]).
    /// A run whose process died while the ledger said `running` is marked lost.
    pub fn lock(&self, name: &PipelineName, run: RunId) -> Result<PipelineLock> {
        // The ledger's write transaction is the gate: nobody looks whether a lock is free while another
        // takes it, so a look is never mistaken for a holder, and the holder's text is always whole.
        self.write(|ledger| {
            let (mut file, path) = self.lock_file(name)?;
            if try_lock(&file, &path)? {
                write_holder(&mut file, run).map_err(file_error("write", &path))?;
                lost::mark_pipeline(ledger, name).map_err(|error| self.sqlite_error(error))?;
                Ok(PipelineLock { _file: file, name: name.clone(), run })
            } else {
                let holder = Box::new(read_holder(&mut file).map_err(file_error("read", &path))?);
                Err(StoreError::Busy { name: name.clone(), holder })
            }
        })
    }

    /// Like [`Store::lock`], but while another holds it asks `pause` whether to try again; `pause` waits
    /// as long as it sees fit and answers `false` to give up, which returns `Busy`.
    pub fn lock_while(
        &self,
        name: &PipelineName,
        run: RunId,
        mut pause: impl FnMut(&LockHolder) -> bool,
    ) -> Result<PipelineLock> {
        loop {
            match self.lock(name, run) {
                Err(StoreError::Busy { name, holder }) => {
                    if !pause(&holder) {
                        return Err(StoreError::Busy { name, holder });
                    }
                }
                other => return other,
            }
        }
    }

    /// Whether nobody holds the pipeline's lock. Only inside a write transaction.
    pub(crate) fn is_free(&self, name: &PipelineName) -> Result<bool> {
        let (file, path) = self.lock_file(name)?;
        try_lock(&file, &path)
    }

    /// The lock's file is made once and never removed: removing it would let two processes lock two
    /// files of one name.
    fn lock_file(&self, name: &PipelineName) -> Result<(File, PathBuf)> {
        let folder = self.folder().join("locks");
        make_private_folder(&folder)?;
        let path = folder.join(lock_file_name(name));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(file_error("open", &path))?;
        Ok((file, path))
    }
}

fn try_lock(file: &File, path: &std::path::Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(file_error("lock", path)(error)),
    }
}

fn write_holder(file: &mut File, run: RunId) -> std::io::Result<()> {
    let holder =
        LockHolder { run: run.to_string(), pid: std::process::id(), host: host(), since: time::now() };
    let text = serde_json::to_vec(&holder)?;
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&text)
}

/// Text that another program left there is no reason to let two runs start: the holder is unknown then.
fn read_holder(file: &mut File) -> std::io::Result<LockHolder> {
    let mut text = Vec::new();
    file.rewind()?;
    file.take(4096).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text).unwrap_or_else(|_| LockHolder {
        run: "unknown".to_owned(),
        pid: 0,
        host: "an unknown host".to_owned(),
        since: DateTime::UNIX_EPOCH,
    }))
}

/// This machine's name.
pub(crate) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
