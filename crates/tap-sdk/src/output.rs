//! Messages to stdout, and the METRIC lines that count them to stderr.

use std::fmt;
use std::io::{self, Write};
use std::time::{Duration, Instant};

#[cfg(feature = "arrow")]
use columns::arrow_array::RecordBatch;
use indexmap::IndexMap;
use serde::Serialize;
use singer::{Envelope, Json, MessageWriter};

#[cfg(feature = "arrow")]
use crate::batch_files::BatchFiles;
use crate::{TapError, TapState, log};

/// How often the records are counted in the log.
const METRIC_EVERY: Duration = Duration::from_mins(1);
/// The clock is looked at once in so many records.
const CLOCK_EVERY: u64 = 1024;

/// Where a sync writes its messages. Buffered; a STATE hands everything on.
pub struct Output {
    writer: MessageWriter<Box<dyn Write + Send>>,
    /// Records of each stream since they were last told. Streams may take turns.
    counts: IndexMap<String, u64>,
    counted: u64,
    since: Instant,
    #[cfg(feature = "arrow")]
    files: Option<BatchFiles>,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

impl Output {
    /// Writes to `output`: stdout in [`crate::main`], anything in a test.
    #[must_use]
    pub fn new(output: Box<dyn Write + Send>) -> Self {
        Self {
            writer: MessageWriter::new(output),
            counts: IndexMap::new(),
            counted: 0,
            since: Instant::now(),
            #[cfg(feature = "arrow")]
            files: BatchFiles::from_environment(),
        }
    }

    /// Whether whoever reads our messages takes [`batch`](Self::batch): tapster does, a Singer pipe does not.
    #[cfg(feature = "arrow")]
    #[must_use]
    pub fn takes_batches(&self) -> bool {
        self.files.is_some()
    }

    /// BATCH: records as columns, with the names that they have in SCHEMA. Waits while too many are on their way.
    ///
    /// # Errors
    /// [`TapError::Output`]; also when the file cannot be written, or nobody [takes](Self::takes_batches) it.
    #[cfg(feature = "arrow")]
    pub fn batch(
        &mut self,
        stream: &str,
        version: Option<i64>,
        time_extracted: Option<&str>,
        batch: &RecordBatch,
    ) -> Result<(), TapError> {
        let files = self.files.as_mut();
        let file = files.ok_or_else(|| TapError::failed("nobody takes files of records"))?.write(batch)?;
        self.count(stream, batch.num_rows() as u64);
        self.writer.batch(stream, "arrow", &file, version, time_extracted).map_err(TapError::Output)
    }

    /// SCHEMA, before the stream's first record and whenever it changes. `bookmark_properties` is the replication
    /// key, if the stream has one.
    ///
    /// # Errors
    /// [`TapError::Output`].
    pub fn schema(
        &mut self,
        stream: &str,
        schema: &Json,
        key_properties: &[String],
        bookmark_properties: &[String],
    ) -> Result<(), TapError> {
        self.writer.schema(stream, schema, key_properties, bookmark_properties).map_err(TapError::Output)
    }

    /// RECORD.
    ///
    /// # Errors
    /// [`TapError::Output`].
    pub fn record(&mut self, envelope: &Envelope, record: &impl Serialize) -> Result<(), TapError> {
        self.count(envelope.stream(), 1);
        self.writer.record(envelope, record).map_err(TapError::Output)
    }

    /// RECORD whose JSON is written already: one object without a line break in it.
    ///
    /// # Errors
    /// [`TapError::Output`].
    pub fn record_text(&mut self, envelope: &Envelope, record: &[u8]) -> Result<(), TapError> {
        self.count(envelope.stream(), 1);
        self.writer.record_text(envelope, record).map_err(TapError::Output)
    }

    /// STATE: everything so far is covered by it.
    ///
    /// # Errors
    /// [`TapError::Output`].
    pub fn state(&mut self, state: &TapState) -> Result<(), TapError> {
        self.writer.state(state).map_err(TapError::Output)
    }

    /// `ACTIVATE_VERSION`: records of the stream with another version are to go.
    ///
    /// # Errors
    /// [`TapError::Output`].
    pub fn activate_version(&mut self, stream: &str, version: i64) -> Result<(), TapError> {
        self.writer.activate_version(stream, version).map_err(TapError::Output)
    }

    /// `ACTIVATE_VERSION` of a stream that was emptied: records with another version are to go, even where none with
    /// this one comes.
    ///
    /// # Errors
    /// [`TapError::Output`].
    pub fn truncated(&mut self, stream: &str, version: i64) -> Result<(), TapError> {
        self.writer.truncated(stream, version).map_err(TapError::Output)
    }

    /// Hands on what is buffered and logs the last counts.
    pub(crate) fn finish(&mut self) -> Result<(), TapError> {
        self.log_counts();
        self.writer.flush().map_err(TapError::Output)
    }

    fn count(&mut self, stream: &str, records: u64) {
        let before = self.counted;
        self.counted += records;
        match self.counts.get_mut(stream) {
            Some(count) => *count += records,
            None => {
                self.counts.insert(stream.to_owned(), records);
            }
        }
        if before / CLOCK_EVERY != self.counted / CLOCK_EVERY && self.since.elapsed() >= METRIC_EVERY {
            self.log_counts();
        }
    }

    /// Says how many records there were of each stream since it was last said.
    fn log_counts(&mut self) {
        self.since = Instant::now();
        for (stream, records) in self.counts.drain(..) {
            let stream = Json::String(stream);
            log::info(&format!(
                r#"METRIC: {{"type":"counter","metric":"record_count","value":{records},"tags":{{"stream":{stream}}}}}"#
            ));
        }
    }
}

/// Stdout as a plain file: the standard one cuts every write at line ends.
///
/// # Errors
/// [`TapError::Output`] when it is closed.
pub fn stdout() -> Result<Box<dyn Write + Send>, TapError> {
    use std::os::fd::AsFd as _;
    let stdout = io::stdout().as_fd().try_clone_to_owned().map_err(TapError::Output)?;
    Ok(Box::new(std::fs::File::from(stdout)))
}
