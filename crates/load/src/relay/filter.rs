//! What becomes of each line: it goes through as it came, with less in it, or not at all.

use std::collections::HashMap;

use singer::{
    Json, JsonReader, LineBuffer, Message, MessageError, ReadError, RecordBody, SchemaMessage, TakeRecord,
    framing_excerpt, parse,
};

use super::leave_out::{Passing, Shorter};
use crate::repair::read_line;
use crate::{DecodeError, Rules};

/// What a relay tells of the lines that it lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayEvent {
    /// The first SCHEMA of a stream.
    Stream {
        /// The stream.
        stream: String,
        /// Whether its records are told apart by a key.
        keyed: bool,
    },
    /// Records of one stream after another.
    Records {
        /// The stream.
        stream: String,
        /// How many.
        records: u64,
        /// Bytes of their lines.
        bytes: u64,
    },
    /// A STATE.
    State,
}

/// Turns a tap's bytes into those that the target gets. No I/O, no clock.
pub struct Relay {
    lines: LineBuffer,
    streams: Streams,
    /// What the target has not got yet, and how much of the front it has.
    out: Vec<u8>,
    sent: usize,
    /// The end of the last STATE in `out`.
    state_end: usize,
    records: u64,
    events: Vec<RelayEvent>,
}

impl Relay {
    /// A relay at the start of a tap's output, which refuses lines of more bytes than this.
    #[must_use]
    pub fn new(line_bytes: usize, rules: Rules) -> Self {
        Self {
            lines: LineBuffer::new(line_bytes),
            streams: Streams { rules, known: HashMap::new(), not_selected: HashMap::new() },
            out: Vec::new(),
            sent: 0,
            state_end: 0,
            records: 0,
            events: Vec::new(),
        }
    }

    /// Room for the next read.
    pub fn space(&mut self) -> &mut [u8] {
        self.lines.space()
    }

    /// Takes `count` bytes that were written into [`space`](Self::space).
    ///
    /// # Errors
    /// The line that may not go through.
    pub fn filled(&mut self, count: usize) -> Result<(), DecodeError> {
        self.lines.filled(count);
        loop {
            let number = self.lines.line_number() + 1;
            let Some(bytes) = self.lines.next_line()? else { return Ok(()) };
            let passed = self.streams.line(number, bytes)?;
            pass(bytes, passed, (&mut self.out, &mut self.state_end), &mut self.events, &mut self.records);
        }
    }

    /// The input has ended whole, with or without a last newline.
    ///
    /// # Errors
    /// As [`filled`](Self::filled), and when it ends inside a message.
    pub fn end(&mut self) -> Result<(), DecodeError> {
        let Some(bytes) = self.lines.last_line().map(<[u8]>::to_vec) else { return Ok(()) };
        let passed = self.streams.line(self.lines.line_number(), &bytes);
        let passed = passed.map_err(|error| error.of_last_line(self.records))?;
        pass(&bytes, passed, (&mut self.out, &mut self.state_end), &mut self.events, &mut self.records);
        Ok(())
    }

    /// What the target is to get next; empty when nothing waits.
    #[must_use]
    pub fn waiting(&self) -> &[u8] {
        self.out.get(self.sent..).unwrap_or_default()
    }

    /// The target has got so many bytes of it.
    pub fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.out.len() {
            self.out.clear();
            (self.sent, self.state_end) = (0, 0);
        }
    }

    /// The target is to get no more than the last STATE that waits, or, where none does, the rest of the line that it
    /// has a part of.
    pub fn cut_short(&mut self) {
        let rest = self.out.get(self.sent..).unwrap_or_default();
        let is_inside = self.sent > 0 && self.out.get(self.sent - 1) != Some(&b'\n');
        let line_end = rest.iter().position(|&byte| byte == b'\n').filter(|_| is_inside);
        let end = self.sent + line_end.map_or(0, |at| at + 1);
        self.out.truncate(end.max(self.state_end));
        self.sent(0);
    }

    /// What has happened since the last call, in order.
    pub fn take_events(&mut self) -> Vec<RelayEvent> {
        std::mem::take(&mut self.events)
    }

    /// Records let through so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }
}

/// What becomes of a line.
enum Passed {
    /// It does not go through.
    Dropped,
    /// It goes through, in other words where there are some.
    Line { said: Option<String>, event: Option<RelayEvent> },
}

/// Adds a line to what the target gets.
fn pass(
    bytes: &[u8],
    passed: Passed,
    (out, state_end): (&mut Vec<u8>, &mut usize),
    events: &mut Vec<RelayEvent>,
    records: &mut u64,
) {
    let Passed::Line { said, event } = passed else { return };
    let start = out.len();
    out.extend_from_slice(said.as_ref().map_or(bytes, String::as_bytes));
    out.push(b'\n');
    match event {
        Some(RelayEvent::Records { stream, .. }) => {
            let line = (out.len() - start) as u64;
            *records += 1;
            match events.last_mut() {
                Some(RelayEvent::Records { stream: last, records, bytes }) if *last == stream => {
                    (*records, *bytes) = (*records + 1, *bytes + line);
                }
                _ => events.push(RelayEvent::Records { stream, records: 1, bytes: line }),
            }
        }
        Some(RelayEvent::State) => {
            *state_end = out.len();
            events.push(RelayEvent::State);
        }
        other => events.extend(other),
    }
}

/// What is known of the streams.
struct Streams {
    rules: Rules,
    known: HashMap<String, Stream>,
    /// What to do about the streams that may not come.
    not_selected: HashMap<String, String>,
}

struct Stream {
    passing: Passing,
    /// Whether its SCHEMA has columns that are left out.
    leaves_out: bool,
}

impl Streams {
    fn line(&mut self, line: u64, bytes: &[u8]) -> Result<Passed, DecodeError> {
        // Python writes NaN where JSON has none, and a target in Python reads it: the line stays as it is.
        read_line(line, bytes, |text| self.message(line, text))
    }

    fn message(&mut self, line: u64, text: &str) -> Result<Passed, DecodeError> {
        let refused =
            |source| DecodeError::Message { line, excerpt: framing_excerpt(text.as_bytes()), source };
        let mut walk = Walk { streams: self, text, record: None };
        let message = parse(text, &mut walk).map_err(refused)?;
        let walked = walk.record;
        let line_as_it_is = |event| Ok(Passed::Line { said: None, event });
        match message {
            Message::Record(record) => {
                let Some(stream) = self.known.get(&*record.stream) else {
                    return Err(self.unexpected(line, &record.stream));
                };
                let walked = match record.record {
                    RecordBody::Taken => walked,
                    RecordBody::Raw(raw) => {
                        // The line has been read to its end: this reads a part of it again.
                        let start = raw.get().as_ptr() as usize - text.as_ptr() as usize;
                        let shorter = stream.passing.record(raw.get(), &mut JsonReader::new(raw.get()));
                        shorter.ok().map(|shorter| Walked { shorter, start, end: start + raw.get().len() })
                    }
                };
                let expected = |expected| {
                    refused(MessageError::Property { kind: "RECORD", property: "record", expected })
                };
                let Walked { shorter, start, end } = walked.ok_or_else(|| expected("an object"))?;
                let shorter = shorter.map_err(|unfit| expected(unfit.expected()))?;
                let around = |record: String| {
                    let (before, after) = (text.get(..start), text.get(end..));
                    [before.unwrap_or_default(), &record, after.unwrap_or_default()].concat()
                };
                let event = RelayEvent::Records { stream: record.stream.into_owned(), records: 1, bytes: 0 };
                Ok(Passed::Line { said: shorter.map(around), event: Some(event) })
            }
            Message::Schema(schema) => Ok(self.schema(&schema, text)),
            Message::State(_) => line_as_it_is(Some(RelayEvent::State)),
            Message::ActivateVersion { stream, .. } if self.known.contains_key(&stream) => {
                line_as_it_is(None)
            }
            Message::ActivateVersion { stream, .. } => {
                tracing::debug!(
                    stream,
                    "passed over ACTIVATE_VERSION of a stream without SCHEMA or selection"
                );
                Ok(Passed::Dropped)
            }
            Message::Batch(batch) => match self.known.get(&batch.stream) {
                None => Err(self.unexpected(line, &batch.stream)),
                Some(stream) if stream.leaves_out => {
                    Err(DecodeError::FilesNotRelayed { line, stream: batch.stream })
                }
                Some(_) => line_as_it_is(None),
            },
            Message::Unknown { kind } => {
                tracing::warn!(line, kind, "passed over a message of an unknown type");
                Ok(Passed::Dropped)
            }
        }
    }

    fn schema(&mut self, schema: &SchemaMessage, text: &str) -> Passed {
        let rule = (self.rules)(&schema.stream);
        if let Some(hint) = rule.not_selected {
            self.not_selected.insert(schema.stream.clone(), hint);
            return Passed::Dropped;
        }
        let keys = rule.key_properties.clone().unwrap_or_else(|| schema.key_properties.clone());
        let mut stream = Stream { passing: Passing::new(rule, keys), leaves_out: false };
        let keys = &stream.passing.keys;
        let (rekeyed, keyed) = (*keys != schema.key_properties, !keys.is_empty());
        // It was read as JSON a moment ago.
        let mut message = Json::parse(text).unwrap_or(Json::Null);
        if let Json::Object(members) = &mut message {
            if rekeyed {
                let keys = keys.iter().cloned().map(Json::String).collect();
                members.insert("key_properties".to_owned(), Json::Array(keys));
            }
            if let Some(schema) = members.get_mut("schema") {
                stream.leaves_out = stream.passing.schema(schema, &[]);
            }
        }
        let said = (stream.leaves_out || rekeyed).then(|| message.to_string());
        let is_new = self.known.insert(schema.stream.clone(), stream).is_none();
        let event = is_new.then(|| RelayEvent::Stream { stream: schema.stream.clone(), keyed });
        Passed::Line { said, event }
    }

    fn unexpected(&self, line: u64, stream: &str) -> DecodeError {
        let stream = stream.to_owned();
        match self.not_selected.get(&stream) {
            Some(hint) => DecodeError::NotSelected { line, stream, hint: hint.clone() },
            None => DecodeError::NoSchema { line, stream },
        }
    }
}

/// A record that was read while its line was, and where in the line it stands.
struct Walked {
    shorter: Shorter,
    start: usize,
    end: usize,
}

/// Reads a record where it stands.
struct Walk<'a> {
    streams: &'a Streams,
    text: &'a str,
    record: Option<Walked>,
}

impl TakeRecord for Walk<'_> {
    fn record(&mut self, stream: &str, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        let Some(stream) = self.streams.known.get(stream) else { return record.skip() };
        let start = record.position();
        let shorter = stream.passing.record(self.text, record)?;
        self.record = Some(Walked { shorter, start, end: record.position() });
        Ok(())
    }
}
