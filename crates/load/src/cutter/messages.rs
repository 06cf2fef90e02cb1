//! What each message does.

use columns::{Envelope, RecordError, Refused, SchemaRefused, TableSchema};
use singer::{
    JsonReader, Message, MessageError, ReadError, RecordBody, RecordMessage, SchemaMessage, TakeRecord,
    framing_excerpt,
};

use target_api::Version;

use super::Cutter;
use crate::repair::read_line;
use crate::stream::Stream;
use crate::{DecodeError, LoadStep};

/// Why a record is not taken, wherever it came from.
pub(super) enum RecordRefused {
    Schema(SchemaRefused),
    Record(RecordError),
}

impl RecordRefused {
    /// The error of a record of a line.
    fn at(self, line: u64, stream: &str) -> DecodeError {
        let stream = stream.to_owned();
        match self {
            Self::Schema(source) => DecodeError::Schema { line, stream, source },
            Self::Record(source) => DecodeError::Record { line, stream, source },
        }
    }
}

impl Cutter {
    pub(crate) fn line(&mut self, line: u64, bytes: &[u8]) -> Result<(), DecodeError> {
        read_line(line, bytes, |text| self.message(line, text))
    }

    /// The last line has no newline: when it breaks off, the tap was cut off.
    pub(crate) fn last_line(&mut self, line: u64, bytes: &[u8]) -> Result<(), DecodeError> {
        self.line(line, bytes).map_err(|error| error.of_last_line(self.records))
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
                Message::ActivateVersion { stream, version, truncated } => {
                    self.activate_version(&stream, Version { number: version, truncated });
                }
                Message::Batch(batch) => self.batch_message(line, batch)?,
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
            let walked = stream.walk(&mut JsonReader::new(raw.get()));
            if walked.is_err() {
                stream.builder.take_back();
                let source =
                    MessageError::Property { kind: "RECORD", property: "record", expected: "an object" };
                return Err(DecodeError::Message { line, excerpt: framing_excerpt(b"{"), source });
            }
        }
        let envelope = self.envelope(record.version, record.time_extracted.as_deref());
        self.take_walked(index, &envelope, wire).map_err(|refused| refused.at(line, &record.stream))
    }

    /// What comes with a record that was read now.
    pub(super) fn envelope<'a>(&self, version: Option<i64>, time_extracted: Option<&'a str>) -> Envelope<'a> {
        Envelope {
            version,
            time_extracted,
            received: self.now.wall,
            sync_started: self.sync_started,
            sequence: self.now.wall / 1000,
        }
    }

    /// Takes the walked record of a stream into its batch; false when its table had to change.
    pub(super) fn take_walked(
        &mut self,
        index: usize,
        envelope: &Envelope<'_>,
        wire: usize,
    ) -> Result<bool, RecordRefused> {
        if let Some(invalid) = self.streams[index].invalid() {
            self.streams[index].builder.take_back();
            return Err(RecordRefused::Record(invalid));
        }
        if self.add_what_records_need(index, envelope.version.is_some())? {
            return Ok(false);
        }
        match self.streams[index].builder.accept(envelope) {
            Ok(()) => self.accepted(index, wire),
            Err(Refused::Widen(table)) => {
                self.widen(index, table);
                return Ok(false);
            }
            Err(Refused::Record(error)) => return Err(RecordRefused::Record(error)),
        }
        Ok(true)
    }

    /// Adds the `_sdc_` columns that records need which were just looked at; they must be looked at again where it
    /// did.
    pub(super) fn add_what_records_need(
        &mut self,
        index: usize,
        versioned: bool,
    ) -> Result<bool, RecordRefused> {
        let stream = &mut self.streams[index];
        let (unversioned, undeletable) = (versioned && stream.lacks_version(), stream.lacks_deleted_at());
        if !unversioned && !undeletable {
            return Ok(false);
        }
        stream.builder.take_back();
        self.emit(index);
        let stream = &mut self.streams[index];
        let added =
            if undeletable { stream.add_deleted_at(&self.values) } else { stream.add_version(&self.values) };
        added.map_err(RecordRefused::Schema)?;
        self.open_table(index);
        Ok(true)
    }

    pub(super) fn widen(&mut self, index: usize, table: TableSchema) {
        self.emit(index);
        self.streams[index].widen(table, &self.values);
        self.open_table(index);
    }

    pub(super) fn unexpected(&self, line: u64, stream: &str) -> DecodeError {
        let stream = stream.to_owned();
        if let Some(hint) = self.not_selected.get(&stream) {
            DecodeError::NotSelected { line, stream, hint: hint.clone() }
        } else {
            DecodeError::NoSchema { line, stream }
        }
    }

    pub(super) fn find(&mut self, stream: &str) -> Option<usize> {
        if let Some(last) = self.last.filter(|&last| self.streams[last].name.as_str() == stream) {
            return Some(last);
        }
        self.last = self.index.get(stream).copied();
        self.last
    }

    fn activate_version(&mut self, stream: &str, version: Version) {
        let Some(index) = self.find(stream).filter(|&index| self.streams[index].obeys_versions()) else {
            tracing::debug!(stream, "passed over ACTIVATE_VERSION of a stream without SCHEMA or selection");
            return;
        };
        // A table that waits is made with its version.
        let waits = !self.streams[index].opened;
        let versioned = waits && self.add_version(index);
        // A stream begins or has ended, and what was sent before is kept whatever comes.
        self.settle(true);
        self.emit(index);
        if !self.streams[index].opened || (!versioned && self.add_version(index)) {
            self.open_table(index);
        }
        let stream = &mut self.streams[index];
        (stream.announced, stream.followed) = (Some(version.number), false);
        self.steps.push_back(LoadStep::ActivateVersion { stream: stream.name.clone(), version });
        self.dirty = true;
    }

    /// Whether the stream's table has become a versioned one.
    fn add_version(&mut self, index: usize) -> bool {
        let stream = &mut self.streams[index];
        stream.lacks_version() && stream.add_version(&self.values).is_ok()
    }
}

impl TakeRecord for Cutter {
    fn record(&mut self, stream: &str, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        let Some(index) = self.find(stream) else { return record.skip() };
        self.walking = Some(index);
        self.streams[index].walk(record)
    }
}
