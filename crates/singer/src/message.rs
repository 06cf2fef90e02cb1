//! One line, one message. A record is walked while its envelope is read, so that its bytes are seen once.

use std::borrow::Cow;

use thiserror::Error;

use crate::reader::Fault;
use crate::{JsonReader, JsonSchema, RawJson, ReadError, SchemaError, State};

/// The longest STATE. Each is held in memory until it is committed, and is written anew with every commit.
pub const STATE_BYTES: usize = 16 << 20;

/// One line of a tap's output.
#[derive(Debug)]
pub enum Message<'a> {
    /// Describes a stream; comes before its records and may come again.
    Schema(Box<SchemaMessage>),
    /// One record.
    Record(RecordMessage<'a>),
    /// Where the tap may go on from.
    State(State),
    /// Records of older versions are to go once those of this one are there.
    ActivateVersion {
        /// The stream's name.
        stream: String,
        /// The new version.
        version: i64,
        /// `x-tapster-truncated`: the tap knows that the stream was emptied, so that the older records go even where
        /// none of this version is there.
        truncated: bool,
    },
    /// Files full of records, by the Meltano SDK's convention.
    Batch(BatchMessage),
    /// Legal by the specification: counted and passed over.
    Unknown {
        /// The `type` as it came.
        kind: String,
    },
}

/// A SCHEMA message.
#[derive(Debug)]
pub struct SchemaMessage {
    /// The stream's name.
    pub stream: String,
    /// The JSON Schema of its records.
    pub schema: JsonSchema,
    /// Its text, as the tap wrote it.
    pub schema_text: String,
    /// The key; empty for a keyless stream.
    pub key_properties: Vec<String>,
    /// The replication key, when the tap says it.
    pub bookmark_properties: Vec<String>,
}

/// A RECORD message.
#[derive(Debug)]
pub struct RecordMessage<'a> {
    /// The stream's name.
    pub stream: Cow<'a, str>,
    /// The record itself, or that the sink has taken it already.
    pub record: RecordBody<'a>,
    /// The table version that the record belongs to.
    pub version: Option<i64>,
    /// When the tap extracted it, RFC 3339.
    pub time_extracted: Option<Cow<'a, str>>,
}

/// Where a record's properties are.
#[derive(Debug)]
pub enum RecordBody<'a> {
    /// The sink took them while the line was read.
    Taken,
    /// They came before `type` or `stream`: still to be read from this text.
    Raw(RawJson<'a>),
}

/// A BATCH message.
#[derive(Debug)]
pub struct BatchMessage {
    /// The stream's name.
    pub stream: String,
    /// `jsonl`, `parquet`, `arrow`.
    pub format: String,
    /// `gzip`, `none`; the SDK's taps also write null.
    pub compression: Option<String>,
    /// Where the files are.
    pub manifest: Vec<String>,
    /// The table version that the records belong to.
    pub version: Option<i64>,
    /// When the tap extracted them, RFC 3339.
    pub time_extracted: Option<String>,
}

/// Takes the properties of a record while its line is read.
pub trait TakeRecord {
    /// Reads one value, the record, from where `record` stands. An error means that the text is not JSON; values
    /// that do not fit are the sink's own affair.
    ///
    /// # Errors
    /// The reader's.
    fn record(&mut self, stream: &str, record: &mut JsonReader<'_>) -> Result<(), ReadError>;
}

/// A sink that passes records over.
pub struct SkipRecords;

impl TakeRecord for SkipRecords {
    fn record(&mut self, _: &str, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        record.skip()
    }
}

/// A line that is not a Singer message. The text never holds a record's value.
#[derive(Debug, Error)]
pub enum MessageError {
    /// Not JSON. `truncated` when the text ends inside a value.
    #[error("not JSON at column {column}: {reason}")]
    NotJson {
        /// Byte column, from 1.
        column: usize,
        /// What the parser expected, without any of the text.
        reason: &'static str,
        /// Whether the text ends inside a value.
        truncated: bool,
    },
    /// JSON, but no object.
    #[error("a message must be a JSON object")]
    NotObject,
    /// A required property is missing or of the wrong kind.
    #[error("the {kind} message has no usable `{property}`: expected {expected}")]
    Property {
        /// The message's type.
        kind: &'static str,
        /// The property.
        property: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// The STATE is longer than [`STATE_BYTES`].
    #[error("it takes {bytes} bytes, and at most {STATE_BYTES} (16 MiB) are kept")]
    StateTooLong {
        /// Bytes of its JSON text.
        bytes: usize,
    },
    /// The schema itself cannot be read.
    #[error("the SCHEMA of stream {stream} cannot be read")]
    Schema {
        /// The stream's name.
        stream: String,
        /// What is wrong with it.
        #[source]
        source: SchemaError,
    },
}

/// Reads one line. A record whose `type` and `stream` stand before it goes into `sink` at once.
///
/// # Errors
/// [`MessageError`]; the sink may then have seen a part of the record.
pub fn parse<'a>(line: &'a str, sink: &mut impl TakeRecord) -> Result<Message<'a>, MessageError> {
    let mut reader = JsonReader::new(line);
    let envelope = read_envelope(&mut reader, sink).map_err(not_json)?.ok_or(MessageError::NotObject)?;
    envelope.into_message()
}

fn not_json(error: ReadError) -> MessageError {
    MessageError::NotJson {
        column: error.at + 1,
        reason: error.reason(),
        truncated: error.fault == Fault::Truncated,
    }
}

/// What of the envelope was there.
#[derive(Default)]
struct Envelope<'a> {
    kind: Option<Cow<'a, str>>,
    stream: Option<Cow<'a, str>>,
    record: Option<RecordBody<'a>>,
    schema: Option<RawJson<'a>>,
    key_properties: Option<RawJson<'a>>,
    bookmark_properties: Option<RawJson<'a>>,
    value: Option<RawJson<'a>>,
    version: Option<RawJson<'a>>,
    truncated: Option<RawJson<'a>>,
    time_extracted: Option<Cow<'a, str>>,
    encoding: Option<RawJson<'a>>,
    manifest: Option<RawJson<'a>>,
}

/// Reads a line to its end; `None` when it is JSON, but no object.
fn read_envelope<'a>(
    reader: &mut JsonReader<'a>,
    sink: &mut impl TakeRecord,
) -> Result<Option<Envelope<'a>>, ReadError> {
    if !reader.open_object()? {
        reader.skip()?;
        return reader.end().map(|()| None);
    }
    let mut envelope = Envelope::default();
    while let Some(name) = reader.next_name()? {
        match &*name {
            "type" => envelope.kind = reader.text()?,
            "stream" => envelope.stream = reader.text()?,
            "time_extracted" => envelope.time_extracted = reader.text()?,
            "record" => envelope.record = Some(envelope.read_record(reader, sink)?),
            "schema" => envelope.schema = Some(reader.value()?),
            "key_properties" => envelope.key_properties = Some(reader.value()?),
            "bookmark_properties" => envelope.bookmark_properties = Some(reader.value()?),
            "value" => envelope.value = Some(reader.value()?),
            "version" => envelope.version = Some(reader.value()?),
            "x-tapster-truncated" => envelope.truncated = Some(reader.value()?),
            "encoding" => envelope.encoding = Some(reader.value()?),
            "manifest" => envelope.manifest = Some(reader.value()?),
            _ => reader.skip()?,
        }
    }
    reader.end().map(|()| Some(envelope))
}

impl<'a> Envelope<'a> {
    fn read_record(
        &self,
        reader: &mut JsonReader<'a>,
        sink: &mut impl TakeRecord,
    ) -> Result<RecordBody<'a>, ReadError> {
        match (&self.kind, &self.stream, &self.record) {
            (Some(kind), Some(stream), None) if kind.eq_ignore_ascii_case("RECORD") => {
                sink.record(stream, reader).map(|()| RecordBody::Taken)
            }
            _ => reader.value().map(RecordBody::Raw),
        }
    }

    fn into_message(self) -> Result<Message<'a>, MessageError> {
        let kind = self.kind.clone().ok_or(MessageError::Property {
            kind: "unnamed",
            property: "type",
            expected: "SCHEMA, RECORD, STATE, ACTIVATE_VERSION or BATCH",
        })?;
        if kind == "RECORD" {
            return self.into_record();
        }
        match kind.to_ascii_uppercase().as_str() {
            "RECORD" => self.into_record(),
            "STATE" => {
                let value = self.value.ok_or(missing("STATE", "value", "the state"))?;
                match value.get().len() {
                    bytes if bytes > STATE_BYTES => Err(MessageError::StateTooLong { bytes }),
                    _ => Ok(Message::State(State::from_raw(value))),
                }
            }
            "SCHEMA" => self.into_schema(),
            "ACTIVATE_VERSION" => {
                let version = self.version("ACTIVATE_VERSION")?;
                let version = version.ok_or(missing("ACTIVATE_VERSION", "version", "an integer"))?;
                let truncated = self.truncated.is_some_and(|raw| raw.get() == "true");
                let stream = self.stream("ACTIVATE_VERSION")?.into_owned();
                Ok(Message::ActivateVersion { stream, version, truncated })
            }
            "BATCH" => self.into_batch(),
            _ => Ok(Message::Unknown { kind: kind.into_owned() }),
        }
    }

    fn into_record(mut self) -> Result<Message<'a>, MessageError> {
        let record = self.record.take().ok_or(missing("RECORD", "record", "an object"))?;
        let version = self.version("RECORD")?;
        let time_extracted = self.time_extracted.take();
        Ok(Message::Record(RecordMessage { stream: self.stream("RECORD")?, record, version, time_extracted }))
    }

    fn into_schema(self) -> Result<Message<'a>, MessageError> {
        let raw = self.schema.ok_or(missing("SCHEMA", "schema", "a JSON Schema"))?;
        let key_properties =
            names(self.key_properties).ok_or(missing("SCHEMA", "key_properties", "a list of names"))?;
        let bookmark_properties = names(self.bookmark_properties).unwrap_or_default();
        let stream = self.stream("SCHEMA")?.into_owned();
        let schema = JsonSchema::parse(raw.get())
            .map_err(|source| MessageError::Schema { stream: stream.clone(), source })?;
        Ok(Message::Schema(Box::new(SchemaMessage {
            stream,
            schema,
            schema_text: raw.get().to_owned(),
            key_properties,
            bookmark_properties,
        })))
    }

    fn into_batch(mut self) -> Result<Message<'a>, MessageError> {
        #[derive(serde::Deserialize)]
        struct Encoding {
            format: String,
            compression: Option<String>,
        }
        let version = self.version("BATCH")?;
        let time_extracted = self.time_extracted.take().map(Cow::into_owned);
        let encoding = self.encoding.take().and_then(|raw| serde_json::from_str::<Encoding>(raw.get()).ok());
        let encoding = encoding.ok_or(missing("BATCH", "encoding", "an object with a `format`"))?;
        let manifest = self.manifest.take().and_then(|raw| serde_json::from_str(raw.get()).ok());
        let manifest = manifest.ok_or(missing("BATCH", "manifest", "a list of files"))?;
        Ok(Message::Batch(BatchMessage {
            stream: self.stream("BATCH")?.into_owned(),
            format: encoding.format,
            compression: encoding.compression,
            manifest,
            version,
            time_extracted,
        }))
    }

    fn stream(self, kind: &'static str) -> Result<Cow<'a, str>, MessageError> {
        self.stream.ok_or(missing(kind, "stream", "the stream's name"))
    }

    fn version(&self, kind: &'static str) -> Result<Option<i64>, MessageError> {
        let Some(raw) = self.version.filter(|raw| raw.get() != "null") else { return Ok(None) };
        raw.get().parse().map(Some).map_err(|_| missing(kind, "version", "an integer"))
    }
}

fn missing(kind: &'static str, property: &'static str, expected: &'static str) -> MessageError {
    MessageError::Property { kind, property, expected }
}

/// A list of names, where taps also write one bare name, `null` or nothing.
fn names(raw: Option<RawJson>) -> Option<Vec<String>> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Names {
        One(String),
        Many(Vec<String>),
    }
    let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Some(Vec::new()) };
    match serde_json::from_str(raw.get()).ok()? {
        Names::One(name) => Some(vec![name]),
        Names::Many(names) => Some(names),
    }
}

#[cfg(test)]
mod tests;
