//! Bytes in, steps out. No I/O, no clock: both are handed in.
//!
//! A cut happens only at a STATE. Each STATE is noted with the number of records that every open builder held then
//! (the marks). It becomes a checkpoint at once when the bytes or the age since the last cut are over the limit, and
//! otherwise before anything later goes out, when input falls silent, or at the end: the rows up to the marks go
//! first, then the checkpoint, then the rest. So the steps before a checkpoint hold exactly the records before its
//! STATE, always.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use columns::{Envelope, Refused, StreamName, ValueLimits};
use serde::Deserializer;
use serde::de::IgnoredAny;
use singer::{
    LineBuffer, Message, MessageError, RecordBody, RecordMessage, RecordSink, SchemaMessage, State,
    framing_excerpt,
};

use crate::repair::repaired;
use crate::stream::Stream;
use crate::{DecodeError, LoadStep, Rules};

/// How many bytes and how much time may gather.
#[derive(Debug, Clone)]
pub struct DecodeLimits {
    /// Longest line, in bytes.
    pub line_bytes: usize,
    /// Heap bytes at which a stream's batch goes out.
    pub batch_bytes: usize,
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

/// Turns a tap's bytes into steps.
pub struct Decoder {
    lines: LineBuffer,
    core: Core,
}

impl Decoder {
    /// A decoder at the start of a tap's output.
    #[must_use]
    pub fn new(limits: DecodeLimits, values: ValueLimits, rules: Rules, now: Now) -> Self {
        Self { lines: LineBuffer::new(limits.line_bytes), core: Core::new(limits, values, rules, now) }
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
        self.core.now = now;
        self.lines.filled(count);
        loop {
            let number = self.lines.line_number() + 1;
            let Some(line) = self.lines.next_line()? else { return Ok(()) };
            self.core.line(number, line)?;
        }
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
        self.core.now = now;
        if self.core.is_old() {
            self.core.settle(true);
        }
    }

    /// How long until [`tick`](Self::tick) has something to do; `None` while no STATE waits.
    #[must_use]
    pub fn next_tick(&self, now: Now) -> Option<Duration> {
        self.core.pending.as_ref()?;
        Some((self.core.cut_at + self.core.limits.checkpoint_every).saturating_sub(now.elapsed))
    }

    /// The input has ended whole, with or without a last newline.
    ///
    /// # Errors
    /// As [`filled`](Self::filled), and when it ends inside a message.
    pub fn end(&mut self, now: Now) -> Result<(), DecodeError> {
        self.core.now = now;
        if let Some(line) = self.lines.last_line() {
            let line = line.to_vec();
            self.core.last_line(self.lines.line_number(), &line)?;
        }
        self.core.end();
        Ok(())
    }

    /// The input is given up: the last STATE becomes a checkpoint, what came after it is dropped.
    pub fn stop(&mut self) {
        self.core.settle(false);
    }

    /// The next step that is ready.
    pub fn next_step(&mut self) -> Option<LoadStep> {
        self.core.steps.pop_front()
    }

    /// Records accepted so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.core.records
    }
}

/// Wire bytes after which a builder is asked how much it holds.
const WEIGH_EVERY: usize = 64 << 10;

struct Core {
    limits: DecodeLimits,
    values: ValueLimits,
    rules: Rules,
    streams: Vec<Stream>,
    index: HashMap<String, usize>,
    not_selected: HashSet<String>,
    /// The stream of the last record, and of the one being walked.
    last: Option<usize>,
    walking: Option<usize>,
    /// Streams whose builders hold records.
    open: Vec<usize>,
    open_bytes: usize,
    steps: VecDeque<LoadStep>,
    /// The STATE that the marks belong to.
    pending: Option<State>,
    last_cut: Option<State>,
    dirty: bool,
    wire_since_cut: u64,
    cut_at: Duration,
    records: u64,
    now: Now,
    sync_started: i64,
}

impl Core {
    fn new(limits: DecodeLimits, values: ValueLimits, rules: Rules, now: Now) -> Self {
        Self {
            limits,
            values,
            rules,
            streams: Vec::new(),
            index: HashMap::new(),
            not_selected: HashSet::new(),
            last: None,
            walking: None,
            open: Vec::new(),
            open_bytes: 0,
            steps: VecDeque::new(),
            pending: None,
            last_cut: None,
            dirty: false,
            wire_since_cut: 0,
            cut_at: now.elapsed,
            records: 0,
            sync_started: now.wall / 1000,
            now,
        }
    }

    fn line(&mut self, line: u64, bytes: &[u8]) -> Result<(), DecodeError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            DecodeError::NotUtf8 { line, column: at + 1, byte: bytes.get(at).copied().unwrap_or_default() }
        })?;
        match self.message(line, text) {
            Err(DecodeError::Message { source: MessageError::NotJson { .. }, .. })
                if repaired(text).is_some() =>
            {
                let text = repaired(text).unwrap_or_default();
                self.message(line, &text)
            }
            done => done,
        }
    }

    /// The last line has no newline: when it breaks off, the tap was cut off.
    fn last_line(&mut self, line: u64, bytes: &[u8]) -> Result<(), DecodeError> {
        self.line(line, bytes).map_err(|error| match error {
            DecodeError::Message { source: MessageError::NotJson { truncated: true, .. }, line, excerpt } => {
                DecodeError::Truncated { line, records: self.records, excerpt }
            }
            other => other,
        })
    }

    /// Applies one message. A record that changes its table first is walked again into the new one.
    fn message(&mut self, line: u64, text: &str) -> Result<(), DecodeError> {
        loop {
            self.walking = None;
            let message = singer::parse(text, self).map_err(|source| {
                self.take_back();
                DecodeError::Message { line, excerpt: framing_excerpt(text.as_bytes()), source }
            })?;
            match message {
                Message::Record(record) => {
                    if !self.record_message(line, &record, text.len())? {
                        continue;
                    }
                }
                Message::State(state) => self.state(state),
                Message::Schema(schema) => self.schema(line, schema)?,
                Message::ActivateVersion { stream, version } => self.activate_version(&stream, version),
                Message::Batch(batch) => {
                    return Err(DecodeError::BatchFiles { line, stream: batch.stream, format: batch.format });
                }
                Message::Unknown { kind } => {
                    tracing::warn!(line, kind, "passed over a message of an unknown type");
                }
            }
            return Ok(());
        }
    }

    fn take_back(&mut self) {
        if let Some(stream) = self.walking.take().and_then(|index| self.streams.get_mut(index)) {
            stream.builder.take_back();
        }
    }

    fn schema(&mut self, line: u64, schema: Box<SchemaMessage>) -> Result<(), DecodeError> {
        let refused = |stream: &str, source| DecodeError::Schema { line, stream: stream.to_owned(), source };
        if let Some(&index) = self.index.get(&schema.stream) {
            let redeclared =
                self.streams[index].redeclared(&schema).map_err(|e| refused(&schema.stream, e))?;
            if let Some(table) = redeclared {
                self.emit(index);
                self.streams[index].declare(schema, table, &self.values);
                self.open_table(index);
            }
            return Ok(());
        }
        let rule = (self.rules)(&schema.stream);
        if !rule.selected {
            self.not_selected.insert(schema.stream);
            return Ok(());
        }
        let name = schema.stream.clone();
        let stream = Stream::new(schema, rule, &self.values).map_err(|e| refused(&name, e))?;
        self.index.insert(name, self.streams.len());
        self.streams.push(stream);
        self.open_table(self.streams.len() - 1);
        Ok(())
    }

    fn open_table(&mut self, index: usize) {
        self.steps.push_back(LoadStep::Table(Box::new(self.streams[index].table())));
        self.dirty = true;
    }

    /// Takes a walked record into its batch; false when its table had to change and it must be walked again.
    fn record_message(
        &mut self,
        line: u64,
        record: &RecordMessage,
        wire: usize,
    ) -> Result<bool, DecodeError> {
        let Some(index) = self.find(&record.stream) else {
            return Err(self.unexpected(line, &record.stream));
        };
        let stream = &mut self.streams[index];
        if let RecordBody::Raw(raw) = record.record {
            let walked = stream.builder.walk(&mut serde_json::Deserializer::from_str(raw.get()));
            if walked.is_err() {
                stream.builder.take_back();
                let source =
                    MessageError::Property { kind: "RECORD", property: "record", expected: "an object" };
                return Err(DecodeError::Message { line, excerpt: framing_excerpt(b"{"), source });
            }
        }
        if record.version.is_some() && stream.lacks_version() {
            stream.builder.take_back();
            self.emit(index);
            let versioned = self.streams[index].add_version(&self.values);
            versioned.map_err(|source| DecodeError::Schema {
                line,
                stream: record.stream.to_string(),
                source,
            })?;
            self.open_table(index);
            return Ok(false);
        }
        let envelope = Envelope {
            version: record.version,
            time_extracted: record.time_extracted.as_deref(),
            received: self.now.wall,
            sync_started: self.sync_started,
            sequence: self.now.wall / 1000,
        };
        match stream.builder.accept(&envelope) {
            Ok(()) => self.accepted(index, wire),
            Err(Refused::Widen(table)) => {
                self.emit(index);
                self.streams[index].widen(table, &self.values);
                self.open_table(index);
                return Ok(false);
            }
            Err(Refused::Record(source)) => {
                return Err(DecodeError::Record { line, stream: record.stream.to_string(), source });
            }
        }
        Ok(true)
    }

    fn unexpected(&self, line: u64, stream: &str) -> DecodeError {
        let stream = stream.to_owned();
        if self.not_selected.contains(&stream) {
            DecodeError::NotSelected { line, stream }
        } else {
            DecodeError::NoSchema { line, stream }
        }
    }

    fn find(&mut self, stream: &str) -> Option<usize> {
        if let Some(last) = self.last.filter(|&last| self.streams[last].name.as_str() == stream) {
            return Some(last);
        }
        self.last = self.index.get(stream).copied();
        self.last
    }

    /// Counts an accepted record and lets batches go that have become too large.
    fn accepted(&mut self, index: usize, wire: usize) {
        self.records += 1;
        self.dirty = true;
        self.wire_since_cut += wire as u64;
        let stream = &mut self.streams[index];
        if stream.builder.records() == 1 {
            self.open.push(index);
        }
        stream.unweighed += wire;
        if stream.unweighed < WEIGH_EVERY {
            return;
        }
        let before = stream.held;
        (stream.held, stream.unweighed) = (stream.builder.bytes(), 0);
        self.open_bytes = self.open_bytes + stream.held - before;
        if stream.held >= self.limits.batch_bytes {
            self.emit(index);
        } else if self.open_bytes + self.open.len() * WEIGH_EVERY > self.limits.open_bytes {
            let largest = self.open.iter().copied().max_by_key(|&open| self.streams[open].held);
            if let Some(largest) = largest {
                self.emit(largest);
            }
        }
    }

    fn activate_version(&mut self, stream: &str, version: i64) {
        let Some(index) = self.find(stream) else {
            tracing::debug!(stream, "passed over ACTIVATE_VERSION of a stream without SCHEMA or selection");
            return;
        };
        // What follows is later than the noted STATE: that one goes first.
        self.settle(true);
        self.emit(index);
        if self.streams[index].lacks_version() && self.streams[index].add_version(&self.values).is_ok() {
            self.open_table(index);
        }
        self.steps.push_back(LoadStep::ActivateVersion { stream: self.streams[index].name.clone(), version });
        self.dirty = true;
    }

    fn state(&mut self, state: State) {
        for &open in &self.open {
            self.streams[open].mark = self.streams[open].builder.records();
        }
        if !self.dirty && self.last_cut.as_ref() == Some(&state) {
            return;
        }
        self.pending = Some(state);
        if self.wire_since_cut >= self.limits.checkpoint_bytes || self.is_old() {
            self.settle(true);
        }
    }

    fn is_old(&self) -> bool {
        self.now.elapsed.saturating_sub(self.cut_at) >= self.limits.checkpoint_every
    }

    /// Makes the noted STATE a checkpoint: rows up to the marks, the checkpoint, then (or never) the rest.
    fn settle(&mut self, keep_rest: bool) {
        let Some(state) = self.pending.take() else { return };
        let mut rest = Vec::new();
        for index in std::mem::take(&mut self.open) {
            let mark = self.streams[index].mark;
            let Some((stream, batch)) = self.finish(index) else { continue };
            let records = batch.num_rows();
            if mark > 0 {
                let batch = if mark == records { batch.clone() } else { batch.slice(0, mark) };
                self.steps.push_back(LoadStep::Batch { stream: stream.clone(), batch });
            }
            if mark < records {
                rest.push(LoadStep::Batch { stream, batch: batch.slice(mark, records - mark) });
            }
        }
        self.steps.push_back(LoadStep::Checkpoint(state.clone()));
        (self.last_cut, self.wire_since_cut, self.cut_at) = (Some(state), 0, self.now.elapsed);
        self.dirty = !rest.is_empty();
        if keep_rest {
            self.steps.extend(rest);
        }
    }

    /// Lets a stream's batch go. When it holds records later than the noted STATE, that one goes first.
    fn emit(&mut self, index: usize) {
        if self.streams[index].builder.records() > self.streams[index].mark {
            self.settle(true);
        }
        if let Some((stream, batch)) = self.finish(index) {
            self.open.retain(|&open| open != index);
            self.steps.push_back(LoadStep::Batch { stream, batch });
        }
    }

    fn finish(&mut self, index: usize) -> Option<(StreamName, columns::arrow_array::RecordBatch)> {
        let stream = &mut self.streams[index];
        self.open_bytes -= stream.held;
        (stream.held, stream.unweighed, stream.mark) = (0, 0, 0);
        for property in stream.builder.unknown_properties() {
            tracing::warn!(
                stream = stream.name.as_str(),
                property,
                "dropped a property that the SCHEMA does not have"
            );
        }
        stream.builder.finish().map(|batch| (stream.name.clone(), batch))
    }

    fn end(&mut self) {
        self.settle(true);
        for index in std::mem::take(&mut self.open) {
            if let Some((stream, batch)) = self.finish(index) {
                self.steps.push_back(LoadStep::Batch { stream, batch });
            }
        }
        self.steps.push_back(LoadStep::End);
    }
}

impl RecordSink for Core {
    fn record<'de, D: Deserializer<'de>>(&mut self, stream: &str, record: D) -> Result<(), D::Error> {
        let Some(index) = self.find(stream) else {
            return record.deserialize_ignored_any(IgnoredAny).map(drop);
        };
        self.walking = Some(index);
        self.streams[index].builder.walk(record)
    }
}

#[cfg(test)]
mod tests;
