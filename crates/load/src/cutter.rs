//! Messages in, steps out, cut at a STATE.
//!
//! Each STATE is noted with the number of records that every open builder held then (the marks). It becomes a
//! checkpoint at once when the bytes or the age since the last cut are over the limit, and otherwise before anything
//! later goes out, when input falls silent, or at the end: the rows up to the marks go first, then the checkpoint,
//! then the rest. So the steps before a checkpoint hold exactly the records before its STATE, always.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use columns::arrow_array::RecordBatch;
use columns::{Envelope, Refused, ValueLimits};
use singer::{
    JsonReader, Message, MessageError, ReadError, RecordBody, RecordMessage, SchemaMessage, State,
    TakeRecord, framing_excerpt,
};

use crate::repair::repaired;
use crate::stream::Stream;
use crate::{DecodeError, DecodeLimits, LoadStep, Now, Rules};

/// Wire bytes after which a builder is asked how much it holds.
const WEIGH_EVERY: usize = 64 << 10;

pub(crate) struct Cutter {
    limits: DecodeLimits,
    values: ValueLimits,
    rules: Rules,
    streams: Vec<Stream>,
    index: HashMap<String, usize>,
    /// What to do about the streams that may not come.
    not_selected: HashMap<String, String>,
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

impl Cutter {
    pub(crate) fn new(limits: DecodeLimits, values: ValueLimits, rules: Rules, now: Now) -> Self {
        Self {
            limits,
            values,
            rules,
            streams: Vec::new(),
            index: HashMap::new(),
            not_selected: HashMap::new(),
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

    /// The time since the last read goes to the stream whose records came last.
    pub(crate) fn set_time(&mut self, now: Now) {
        if let Some(stream) = self.last.and_then(|last| self.streams.get_mut(last)) {
            stream.reading += now.elapsed.saturating_sub(self.now.elapsed);
        }
        self.now = now;
    }

    pub(crate) fn next_step(&mut self) -> Option<LoadStep> {
        self.steps.pop_front()
    }

    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// When the noted STATE is old enough to become a checkpoint; `None` while none waits.
    pub(crate) fn due_at(&self) -> Option<Duration> {
        self.pending.as_ref().map(|_| self.cut_at + self.limits.checkpoint_every)
    }

    pub(crate) fn line(&mut self, line: u64, bytes: &[u8]) -> Result<(), DecodeError> {
        let text = simdutf8::compat::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            DecodeError::NotUtf8 { line, column: at + 1, byte: bytes.get(at).copied().unwrap_or_default() }
        })?;
        let done = self.message(line, text);
        if matches!(done, Err(DecodeError::Message { source: MessageError::NotJson { .. }, .. }))
            && let Some(text) = repaired(text)
        {
            return self.message(line, &text);
        }
        done
    }

    /// The last line has no newline: when it breaks off, the tap was cut off.
    pub(crate) fn last_line(&mut self, line: u64, bytes: &[u8]) -> Result<(), DecodeError> {
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
                self.streams[index].refuse_keyless(line, &table)?;
                self.emit(index);
                self.streams[index].declare(schema, table, &self.values);
                if self.streams[index].opened {
                    self.open_table(index);
                }
            }
            return Ok(());
        }
        let rule = (self.rules)(&schema.stream);
        if let Some(hint) = rule.not_selected {
            self.not_selected.insert(schema.stream, hint);
            return Ok(());
        }
        let name = schema.stream.clone();
        let stream = Stream::new(schema, rule, &self.values).map_err(|e| refused(&name, e))?;
        stream.refuse_keyless(line, stream.builder.schema())?;
        self.index.insert(name, self.streams.len());
        self.streams.push(stream);
        self.dirty = true;
        Ok(())
    }

    /// Gives the target the tables that wait.
    fn open_waiting(&mut self, is_time: impl Fn(&Stream) -> bool) {
        for index in 0..self.streams.len() {
            if !self.streams[index].opened && is_time(&self.streams[index]) {
                self.open_table(index);
            }
        }
    }

    fn open_table(&mut self, index: usize) {
        self.streams[index].opened = true;
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
            let walked = stream.builder.walk(&mut JsonReader::new(raw.get()));
            if walked.is_err() {
                stream.builder.take_back();
                let source =
                    MessageError::Property { kind: "RECORD", property: "record", expected: "an object" };
                return Err(DecodeError::Message { line, excerpt: framing_excerpt(b"{"), source });
            }
        }
        let (unversioned, undeletable) =
            (record.version.is_some() && stream.lacks_version(), stream.lacks_deleted_at());
        if unversioned || undeletable {
            stream.builder.take_back();
            self.emit(index);
            let stream = &mut self.streams[index];
            let added = if undeletable {
                stream.add_deleted_at(&self.values)
            } else {
                stream.add_version(&self.values)
            };
            added.map_err(|source| DecodeError::Schema {
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
        if let Some(hint) = self.not_selected.get(&stream) {
            DecodeError::NotSelected { line, stream, hint: hint.clone() }
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
        if !self.streams[index].opened {
            self.open_table(index);
        }
        let stream = &mut self.streams[index];
        if stream.builder.records() == 1 {
            self.open.push(index);
        }
        stream.unweighed += wire;
        if self.limits.batch_records.is_some_and(|most| stream.builder.records() >= most) {
            self.emit(index);
            return;
        }
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
        let Some(index) = self.find(stream).filter(|&index| self.streams[index].obeys_versions()) else {
            tracing::debug!(stream, "passed over ACTIVATE_VERSION of a stream without SCHEMA or selection");
            return;
        };
        // A table that waits is made with its version.
        let waits = !self.streams[index].opened;
        let versioned = waits && self.add_version(index);
        // What follows is later than the noted STATE: that one goes first.
        self.settle(true);
        self.emit(index);
        if !self.streams[index].opened || (!versioned && self.add_version(index)) {
            self.open_table(index);
        }
        self.steps.push_back(LoadStep::ActivateVersion { stream: self.streams[index].name.clone(), version });
        self.dirty = true;
    }

    /// Whether the stream's table has become a versioned one.
    fn add_version(&mut self, index: usize) -> bool {
        let stream = &mut self.streams[index];
        stream.lacks_version() && stream.add_version(&self.values).is_ok()
    }

    fn state(&mut self, state: State) {
        for &open in &self.open {
            self.streams[open].mark = self.streams[open].builder.records();
        }
        if !self.dirty && self.last_cut.as_ref() == Some(&state) {
            return;
        }
        self.streams.iter_mut().for_each(|stream| stream.due = true);
        self.pending = Some(state);
        if self.wire_since_cut >= self.limits.checkpoint_bytes || self.is_old() {
            self.settle(true);
        }
    }

    pub(crate) fn is_old(&self) -> bool {
        self.now.elapsed.saturating_sub(self.cut_at) >= self.limits.checkpoint_every
    }

    /// Makes the noted STATE a checkpoint: rows up to the marks, the checkpoint, then (or never) the rest.
    pub(crate) fn settle(&mut self, keep_rest: bool) {
        let Some(state) = self.pending.take() else { return };
        self.open_waiting(|stream| stream.due);
        let mut rest = Vec::new();
        for index in std::mem::take(&mut self.open) {
            let mark = self.streams[index].mark;
            let Some(whole) = self.finish(index) else { continue };
            let records = whole.num_rows();
            let stream = self.streams[index].name.clone();
            let mut reading = std::mem::take(&mut self.streams[index].reading);
            if mark > 0 {
                let (stream, batch) = (stream.clone(), whole.slice(0, mark));
                self.steps.push_back(LoadStep::Batch {
                    stream,
                    batch,
                    reading: std::mem::take(&mut reading),
                });
            }
            if mark < records {
                let batch = whole.slice(mark, records - mark);
                rest.push(LoadStep::Batch { stream, batch, reading });
            }
        }
        self.steps.push_back(LoadStep::Checkpoint(state.clone()));
        (self.last_cut, self.wire_since_cut, self.cut_at) = (Some(state), 0, self.now.elapsed);
        self.dirty = !rest.is_empty() || self.streams.iter().any(|stream| !stream.opened);
        if keep_rest {
            self.steps.extend(rest);
        }
    }

    /// Lets a stream's batch go. When it holds records later than the noted STATE, that one goes first.
    fn emit(&mut self, index: usize) {
        if self.streams[index].builder.records() > self.streams[index].mark {
            self.settle(true);
        }
        if let Some(batch) = self.finish(index) {
            self.open.retain(|&open| open != index);
            self.push(index, batch);
        }
    }

    fn push(&mut self, index: usize, batch: RecordBatch) {
        let stream = &mut self.streams[index];
        let (name, reading) = (stream.name.clone(), std::mem::take(&mut stream.reading));
        self.steps.push_back(LoadStep::Batch { stream: name, batch, reading });
    }

    fn finish(&mut self, index: usize) -> Option<RecordBatch> {
        let stream = &mut self.streams[index];
        self.open_bytes -= stream.held;
        (stream.held, stream.unweighed, stream.mark) = (0, 0, 0);
        for property in stream.undeclared() {
            tracing::warn!(
                stream = stream.name.as_str(),
                property,
                "dropped a property that the SCHEMA does not have"
            );
        }
        stream.builder.finish()
    }

    pub(crate) fn end(&mut self) {
        self.settle(true);
        self.open_waiting(|_| true);
        for index in std::mem::take(&mut self.open) {
            if let Some(batch) = self.finish(index) {
                self.push(index, batch);
            }
        }
        self.steps.push_back(LoadStep::End);
    }
}

impl TakeRecord for Cutter {
    fn record(&mut self, stream: &str, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        let Some(index) = self.find(stream) else { return record.skip() };
        self.walking = Some(index);
        self.streams[index].builder.walk(record)
    }
}
