//! Bytes in, steps out. No I/O, no clock: both are handed in.

use std::path::PathBuf;
use std::time::Duration;

use columns::ValueLimits;
use columns::arrow_array::RecordBatch;
use singer::LineBuffer;

use crate::batch_files::FileError;
use crate::cutter::Cutter;
use crate::{DecodeError, LoadStep, Rules};

/// How many bytes and how much time may gather.
#[derive(Debug, Clone)]
pub struct DecodeLimits {
    /// Longest line, in bytes.
    pub line_bytes: usize,
    /// Heap bytes at which a stream's batch goes out.
    pub batch_bytes: usize,
    /// Records at which a stream's batch goes out, whatever its bytes.
    pub batch_records: Option<usize>,
    /// Heap bytes of all open batches together, at which the largest goes out.
    pub open_bytes: usize,
    /// Bytes of input after which a STATE becomes a checkpoint.
    pub checkpoint_bytes: u64,
    /// Age at which a STATE becomes a checkpoint.
    pub checkpoint_every: Duration,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            line_bytes: 64 << 20,
            batch_bytes: 32 << 20,
            batch_records: None,
            open_bytes: 64 << 20,
            checkpoint_bytes: 64 << 20,
            checkpoint_every: Duration::from_secs(5),
        }
    }
}

/// The time, as the caller sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Now {
    /// Since the run's start; never goes back.
    pub elapsed: Duration,
    /// Wall clock, microseconds since 1970.
    pub wall: i64,
}

/// What a BATCH message says of its files.
#[derive(Debug, Clone)]
pub struct WaitingBatch {
    /// `jsonl`, `parquet`, `arrow`.
    pub format: String,
    /// `gzip`, `none`.
    pub compression: Option<String>,
    /// Where they are, as the tap wrote it.
    pub manifest: Vec<String>,
}

/// Turns a tap's bytes into steps.
pub struct Decoder {
    lines: LineBuffer,
    cutter: Cutter,
}

impl Decoder {
    /// A decoder at the start of a tap's output.
    #[must_use]
    pub fn new(limits: DecodeLimits, values: ValueLimits, rules: Rules, now: Now) -> Self {
        Self { lines: LineBuffer::new(limits.line_bytes), cutter: Cutter::new(limits, values, rules, now) }
    }

    pub(crate) fn limits(&self) -> &DecodeLimits {
        self.cutter.limits()
    }

    /// Room for the next read.
    pub fn space(&mut self) -> &mut [u8] {
        self.lines.space()
    }

    /// Takes `count` bytes that were written into [`space`](Self::space).
    ///
    /// # Errors
    /// The line that cannot be loaded.
    pub fn filled(&mut self, count: usize, now: Now) -> Result<(), DecodeError> {
        self.cutter.set_time(now);
        self.lines.filled(count);
        self.read_lines()
    }

    fn read_lines(&mut self) -> Result<(), DecodeError> {
        while !self.cutter.waits_for_files() {
            let number = self.lines.line_number() + 1;
            let Some(line) = self.lines.next_line()? else { return Ok(()) };
            self.cutter.line(number, line)?;
        }
        Ok(())
    }

    /// The BATCH message that was met, once: nothing behind it is read until its files have come by
    /// [`file_line`](Self::file_line) and [`file_end`](Self::file_end), and then [`files_end`](Self::files_end).
    pub fn waiting_batch(&mut self) -> Option<WaitingBatch> {
        self.cutter.waiting_batch()
    }

    /// Takes a record, which is a line of a file, counted from 1.
    ///
    /// # Errors
    /// The record that cannot be loaded.
    pub fn file_line(&mut self, number: u64, bytes: &[u8]) -> Result<(), FileError> {
        self.cutter.file_line(number, bytes)
    }

    /// How many rows of a batch of a file are to be handed over at once.
    #[must_use]
    pub fn rows_at_once(&self, rows: &RecordBatch) -> usize {
        self.cutter.rows_at_once(rows)
    }

    /// Takes rows of a file; `before` of its rows came before them.
    ///
    /// # Errors
    /// The record or the column that cannot be loaded.
    pub fn file_rows(&mut self, before: u64, rows: &RecordBatch) -> Result<(), FileError> {
        self.cutter.file_rows(before, rows)
    }

    /// A file has come whole. `delete` names one that is to go once the target has accepted its records.
    pub fn file_end(&mut self, delete: Option<PathBuf>) {
        self.cutter.file_end(delete);
    }

    /// An error in a file, with the place of the BATCH message that names it.
    #[must_use]
    pub fn file_error(&self, file: &str, source: FileError) -> DecodeError {
        self.cutter.file_error(file, source)
    }

    /// All files have come: goes on behind the BATCH message.
    ///
    /// # Errors
    /// As [`filled`](Self::filled).
    pub fn files_end(&mut self) -> Result<(), DecodeError> {
        self.cutter.files_end();
        self.read_lines()
    }

    /// Takes bytes, however many.
    ///
    /// # Errors
    /// As [`filled`](Self::filled).
    pub fn feed(&mut self, mut bytes: &[u8], now: Now) -> Result<(), DecodeError> {
        while !bytes.is_empty() {
            let space = self.space();
            let count = space.len().min(bytes.len());
            let (taken, rest) = bytes.split_at(count);
            space[..count].copy_from_slice(taken);
            self.filled(count, now)?;
            bytes = rest;
        }
        Ok(())
    }

    /// The input is silent: a STATE that is old enough becomes a checkpoint.
    pub fn tick(&mut self, now: Now) {
        self.cutter.set_time(now);
        if self.cutter.is_old() {
            self.cutter.settle(true);
        }
    }

    /// How long until [`tick`](Self::tick) has something to do; `None` while no STATE waits.
    #[must_use]
    pub fn next_tick(&self, now: Now) -> Option<Duration> {
        self.cutter.due_at().map(|due| due.saturating_sub(now.elapsed))
    }

    /// The input has ended whole, with or without a last newline. A last message that is a BATCH is met by
    /// [`waiting_batch`](Self::waiting_batch): this is to be called again behind it.
    ///
    /// # Errors
    /// As [`filled`](Self::filled), and when it ends inside a message.
    pub fn end(&mut self, now: Now) -> Result<(), DecodeError> {
        self.cutter.set_time(now);
        if let Some(line) = self.lines.last_line() {
            let line = line.to_vec();
            self.cutter.last_line(self.lines.line_number(), &line)?;
        }
        if !self.cutter.waits_for_files() {
            self.cutter.end();
        }
        Ok(())
    }

    /// The input is given up: the last STATE becomes a checkpoint, what came after it is dropped.
    pub fn stop(&mut self) {
        self.cutter.settle(false);
    }

    /// The next step that is ready.
    pub fn next_step(&mut self) -> Option<LoadStep> {
        self.cutter.next_step()
    }

    /// Records accepted so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.cutter.records()
    }
}

#[cfg(test)]
mod tests;
