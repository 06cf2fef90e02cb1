//! Records as files of columns: Arrow IPC in the run's own folder, named by BATCH messages.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use arrow_ipc::writer::StreamWriter;
use columns::arrow_array::RecordBatch;

use crate::TapError;

/// Variable in which tapster names the run's own folder. It reads BATCH files there, and removes each once the target
/// has accepted its records.
const FOLDER: &str = "TAPSTER_RUN_FOLDER";

/// Most bytes of files that wait to be accepted, unless one alone has more. A file that does not fit beside them waits
/// to be written: a slow warehouse slows the tap, and no more than this lies on the disk.
const WAITING: u64 = 48 << 20;

/// How long until files are looked at again while the tap waits for them to go.
const LOOK: Duration = Duration::from_millis(2);

/// Writes batches into files, for a runner that takes them.
#[derive(Debug)]
pub(crate) struct BatchFiles {
    folder: PathBuf,
    written: u64,
    /// Files that are perhaps still there, with their sizes.
    waiting: VecDeque<(PathBuf, u64)>,
}

impl BatchFiles {
    /// `None` where whoever reads our messages has named no folder: it gets records.
    pub(crate) fn from_environment() -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os(FOLDER)?);
        folder.is_absolute().then(|| Self::new(folder))
    }

    fn new(folder: PathBuf) -> Self {
        Self { folder, written: 0, waiting: VecDeque::new() }
    }

    /// Writes one file, after waiting until there is room for it; gives its address.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<String, TapError> {
        // A file has little more than its columns have in memory.
        let coming = batch.get_array_memory_size() as u64;
        while !self.has_room(coming) {
            thread::sleep(LOOK);
        }
        self.written += 1;
        let path = self.folder.join(format!("batch-{}.arrow", self.written));
        write(&path, batch).map_err(|error| {
            TapError::failed(format!("cannot write {}: {error}", path.display()))
                .with_hint("look whether the disk is full")
        })?;
        let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        let address = format!("file://{}", path.display());
        self.waiting.push_back((path, bytes));
        Ok(address)
    }

    fn has_room(&mut self, coming: u64) -> bool {
        // They go in the order in which they came.
        while self.waiting.front().is_some_and(|(path, _)| !path.exists()) {
            self.waiting.pop_front();
        }
        let waiting: u64 = self.waiting.iter().map(|(_, bytes)| bytes).sum();
        self.waiting.is_empty() || waiting + coming <= WAITING
    }
}

fn write(path: &Path, batch: &RecordBatch) -> Result<(), Box<dyn std::error::Error>> {
    let mut writer =
        StreamWriter::try_new(BufWriter::with_capacity(256 << 10, File::create(path)?), &batch.schema())?;
    writer.write(batch)?;
    writer.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use columns::arrow_array::{ArrayRef, BinaryArray};

    use super::*;

    fn batch(bytes: usize) -> RecordBatch {
        let values = Arc::new(BinaryArray::from_vec(vec![&vec![7; bytes]])) as ArrayRef;
        RecordBatch::try_from_iter([("v", values)]).unwrap()
    }

    #[test]
    fn it_waits_until_its_files_are_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = BatchFiles::new(folder.path().to_owned());
        let third = usize::try_from(WAITING / 3).unwrap();
        let addresses: Vec<_> = (0..2).map(|_| files.write(&batch(third)).unwrap()).collect();
        assert!(addresses[0].ends_with("/batch-1.arrow") && addresses[1].ends_with("/batch-2.arrow"));
        assert!(!files.has_room(WAITING / 3), "three files are more than may wait");
        let first = folder.path().join("batch-1.arrow");
        let accepted = thread::spawn(move || fs::remove_file(first).unwrap());
        files.write(&batch(third)).unwrap();
        accepted.join().unwrap();
        assert!(folder.path().join("batch-3.arrow").exists() && files.has_room(1));
    }
}
