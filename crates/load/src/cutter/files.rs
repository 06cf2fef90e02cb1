//! The files of a BATCH message. Their records come as those of RECORD messages do, between the same cuts.

use std::path::PathBuf;

use columns::arrow_array::RecordBatch;
use columns::{Refused, memory_size};
use singer::{BatchMessage, JsonReader, repaired};

use super::Cutter;
use super::messages::RecordRefused;
use crate::batch_files::FileError;
use crate::decoder::WaitingBatch;
use crate::{DecodeError, LoadStep};

/// A BATCH message whose files are still to come.
pub(super) struct OpenBatch {
    line: u64,
    index: usize,
    version: Option<i64>,
    time_extracted: Option<String>,
    /// The message, until it is asked for.
    waiting: Option<WaitingBatch>,
}

impl Cutter {
    /// Notes the message: its files come from outside.
    pub(super) fn batch_message(&mut self, line: u64, batch: BatchMessage) -> Result<(), DecodeError> {
        let Some(index) = self.find(&batch.stream) else { return Err(self.unexpected(line, &batch.stream)) };
        // The SDK's taps announce the version of a stream and leave it out of its BATCH messages.
        let version = batch.version.or(self.streams[index].announced);
        let waiting =
            WaitingBatch { format: batch.format, compression: batch.compression, manifest: batch.manifest };
        let time_extracted = batch.time_extracted;
        self.batch = Some(OpenBatch { line, index, version, time_extracted, waiting: Some(waiting) });
        Ok(())
    }

    pub(crate) fn waits_for_files(&self) -> bool {
        self.batch.is_some()
    }

    pub(crate) fn waiting_batch(&mut self) -> Option<WaitingBatch> {
        self.batch.as_mut().and_then(|batch| batch.waiting.take())
    }

    /// All files of the message have come.
    pub(crate) fn files_end(&mut self) {
        self.batch = None;
    }

    /// Where an error in a file was met: the line of the BATCH message, and its stream.
    pub(crate) fn file_error(&self, file: &str, source: FileError) -> DecodeError {
        let batch = self.batch.as_ref();
        let stream =
            batch.and_then(|batch| self.streams.get(batch.index)).map(|stream| stream.name.to_string());
        DecodeError::File {
            line: batch.map(|batch| batch.line).unwrap_or_default(),
            stream: stream.unwrap_or_default(),
            file: file.to_owned(),
            source,
        }
    }

    /// Takes a record from its line in a file.
    pub(crate) fn file_line(&mut self, number: u64, bytes: &[u8]) -> Result<(), FileError> {
        let text = simdutf8::compat::from_utf8(bytes).map_err(|_| FileError::NotUtf8 { line: number })?;
        match self.file_record(number, text, bytes.len()) {
            Err(FileError::NotRecord { .. }) if let Some(text) = repaired(text) => {
                self.file_record(number, &text, bytes.len())
            }
            done => done,
        }
    }

    fn file_record(&mut self, number: u64, text: &str, wire: usize) -> Result<(), FileError> {
        let Some(batch) = self.batch.take() else { return Ok(()) };
        let done = self.walk_record(&batch, number, text, wire);
        self.batch = Some(batch);
        done
    }

    fn walk_record(
        &mut self,
        batch: &OpenBatch,
        number: u64,
        text: &str,
        wire: usize,
    ) -> Result<(), FileError> {
        loop {
            let mut reader = JsonReader::new(text);
            let stream = &mut self.streams[batch.index];
            if let Err(error) = stream.walk(&mut reader).and_then(|()| reader.end()) {
                stream.builder.take_back();
                return Err(FileError::NotRecord {
                    line: number,
                    column: error.column(),
                    reason: error.reason(),
                });
            }
            let envelope = self.envelope(batch.version, batch.time_extracted.as_deref());
            match self.take_walked(batch.index, &envelope, wire) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(RecordRefused::Schema(source)) => return Err(FileError::Table(source)),
                Err(RecordRefused::Record(source)) => {
                    return Err(FileError::Record { record: number, source });
                }
            }
        }
    }

    /// How many rows of a batch make one of the size that goes out.
    pub(crate) fn rows_at_once(&self, rows: &RecordBatch) -> usize {
        let row = (memory_size(rows) / rows.num_rows().max(1)).max(1);
        let most = self.limits.batch_records.unwrap_or(usize::MAX);
        (self.limits.batch_bytes / row).clamp(1, most.max(1))
    }

    /// Takes rows of a file; `before` of its rows came before them.
    pub(crate) fn file_rows(&mut self, before: u64, rows: &RecordBatch) -> Result<(), FileError> {
        let Some(batch) = self.batch.take() else { return Ok(()) };
        let done = self.conform_rows(&batch, before, rows.clone());
        self.batch = Some(batch);
        done
    }

    fn conform_rows(
        &mut self,
        batch: &OpenBatch,
        mut before: u64,
        mut rows: RecordBatch,
    ) -> Result<(), FileError> {
        let index = batch.index;
        while rows.num_rows() > 0 {
            let envelope = self.envelope(batch.version, batch.time_extracted.as_deref());
            let conformed =
                self.streams[index].builder.conform(&rows, &envelope).map_err(FileError::Column)?;
            let versioned = envelope.version.is_some();
            match self.add_what_records_need(index, versioned) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(RecordRefused::Schema(source)) => return Err(FileError::Table(source)),
                Err(RecordRefused::Record(source)) => {
                    return Err(FileError::Record { record: before + 1, source });
                }
            }
            let fit = conformed.batch.as_ref().map_or(0, RecordBatch::num_rows);
            if let Some(fitting) = conformed.batch {
                self.push_rows(index, fitting);
            }
            before += fit as u64;
            rows = rows.slice(fit, rows.num_rows() - fit);
            match conformed.refused {
                Some(Refused::Widen(table)) => self.widen(index, table),
                Some(Refused::Record(source)) => {
                    return Err(FileError::Record { record: before + 1, source });
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Lets rows go that are a batch already. What is open of the stream goes before them.
    fn push_rows(&mut self, index: usize, rows: RecordBatch) {
        self.pass();
        self.emit(index);
        if !self.streams[index].opened {
            self.open_table(index);
        }
        self.records += rows.num_rows() as u64;
        self.wire_since_cut += memory_size(&rows) as u64;
        self.dirty = true;
        self.tell_undeclared(index);
        self.push(index, rows);
    }

    /// A file has come to its end. One that is to be deleted goes out with all of its records, since the tap may wait
    /// for that.
    pub(crate) fn file_end(&mut self, delete: Option<PathBuf>) {
        if let (Some(index), Some(file)) = (self.batch.as_ref().map(|batch| batch.index), delete) {
            self.emit(index);
            self.steps.push_back(LoadStep::FileAccepted(file));
        }
    }
}
