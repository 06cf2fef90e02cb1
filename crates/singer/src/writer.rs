//! Writes messages: the other end of the wire, for taps in Rust.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::Json;

/// Bytes gathered before they are handed on: the size of a pipe on Linux.
const BUFFER: usize = 64 * 1024;

/// Writes Singer messages, one a line, buffered; a STATE hands everything on at once.
///
/// Errors are those of the output; a value that has no JSON form is [`io::ErrorKind::InvalidData`].
#[derive(Debug)]
pub struct MessageWriter<W: Write> {
    output: BufWriter<W>,
}

/// What the records of a stream have in common, encoded once.
#[derive(Debug, Clone)]
pub struct Envelope {
    stream: String,
    /// The line up to and with `"record":`.
    head: Vec<u8>,
}

impl Envelope {
    /// For records of this stream; `version` where the stream has `ACTIVATE_VERSION`, `time_extracted` in RFC 3339.
    #[must_use]
    pub fn new(stream: &str, version: Option<i64>, time_extracted: Option<&str>) -> Self {
        // What a reader needs to know about the record comes before it, so that it reads the line once.
        let version = version.map_or_else(String::new, |version| format!(r#","version":{version}"#));
        let time = time_extracted
            .map_or_else(String::new, |time| format!(r#","time_extracted":{}"#, json_text(time)));
        let stream_text = json_text(stream);
        let head = format!(r#"{{"type":"RECORD","stream":{stream_text}{version}{time},"record":"#);
        Self { stream: stream.to_owned(), head: head.into_bytes() }
    }

    /// The stream's name.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
enum Line<'a, S: Serialize> {
    Schema {
        stream: &'a str,
        schema: &'a Json,
        key_properties: &'a [String],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        bookmark_properties: &'a [String],
    },
    State {
        value: &'a S,
    },
    ActivateVersion {
        stream: &'a str,
        version: i64,
        #[serde(rename = "x-tapster-truncated", skip_serializing_if = "std::ops::Not::not")]
        truncated: bool,
    },
    Batch {
        stream: &'a str,
        encoding: Encoding<'a>,
        manifest: [&'a str; 1],
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        time_extracted: Option<&'a str>,
    },
}

#[derive(Serialize)]
struct Encoding<'a> {
    format: &'a str,
    compression: &'a str,
}

impl<W: Write> MessageWriter<W> {
    /// Writes to `output`, which needs no buffer of its own.
    pub fn new(output: W) -> Self {
        Self { output: BufWriter::with_capacity(BUFFER, output) }
    }

    /// SCHEMA: before the first record of the stream, and again when it changes. Empty `key_properties` mean that
    /// the stream has no key; `bookmark_properties` are its replication key, if any.
    ///
    /// # Errors
    /// See [`MessageWriter`].
    pub fn schema(
        &mut self,
        stream: &str,
        schema: &Json,
        key_properties: &[String],
        bookmark_properties: &[String],
    ) -> io::Result<()> {
        let line: Line<()> = Line::Schema { stream, schema, key_properties, bookmark_properties };
        self.line(&line)
    }

    /// RECORD. A float that is no number is written as `null`, as `serde_json` does.
    ///
    /// # Errors
    /// See [`MessageWriter`].
    pub fn record(&mut self, envelope: &Envelope, record: &impl Serialize) -> io::Result<()> {
        self.output.write_all(&envelope.head)?;
        serde_json::to_writer(&mut self.output, record)?;
        self.output.write_all(b"}\n")
    }

    /// RECORD whose JSON is written already: one object, without a line break in it. It is not looked at.
    ///
    /// # Errors
    /// See [`MessageWriter`].
    pub fn record_text(&mut self, envelope: &Envelope, record: &[u8]) -> io::Result<()> {
        debug_assert!(record.starts_with(b"{") && record.ends_with(b"}") && !record.contains(&b'\n'));
        self.output.write_all(&envelope.head)?;
        self.output.write_all(record)?;
        self.output.write_all(b"}\n")
    }

    /// STATE: all records so far are covered by `value`. Flushes.
    ///
    /// # Errors
    /// See [`MessageWriter`].
    pub fn state(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.line(&Line::State { value })?;
        self.flush()
    }

    /// `ACTIVATE_VERSION`: records of the stream with another version are to go.
    ///
    /// # Errors
    /// See [`MessageWriter`].
    pub fn activate_version(&mut self, stream: &str, version: i64) -> io::Result<()> {
        let line: Line<()> = Line::ActivateVersion { stream, version, truncated: false };
        self.line(&line)
    }

    /// `ACTIVATE_VERSION` of a stream that was emptied: records with another version are to go, even where none with
    /// this one comes.
    ///
    /// # Errors
    /// See [`MessageWriter`].
    pub fn truncated(&mut self, stream: &str, version: i64) -> io::Result<()> {
        let line: Line<()> = Line::ActivateVersion { stream, version, truncated: true };
        self.line(&line)
    }

    /// BATCH: the records of a file, plain and of this format, come here. Flushes, so that they are read at once.
    ///
    /// # Errors
    /// See [`MessageWriter`].
    pub fn batch(
        &mut self,
        stream: &str,
        format: &str,
        file: &str,
        version: Option<i64>,
        time_extracted: Option<&str>,
    ) -> io::Result<()> {
        let encoding = Encoding { format, compression: "none" };
        let line: Line<()> = Line::Batch { stream, encoding, manifest: [file], version, time_extracted };
        self.line(&line)?;
        self.flush()
    }

    /// Hands on what is buffered.
    ///
    /// # Errors
    /// See [`MessageWriter`].
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.output, line)?;
        self.output.write_all(b"\n")
    }
}

fn json_text(text: &str) -> String {
    Json::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Envelope, MessageWriter};
    use crate::{Json, Message, RecordBody, SkipRecords, parse};

    fn lines(write: impl FnOnce(&mut MessageWriter<&mut Vec<u8>>)) -> Vec<String> {
        let mut bytes = Vec::new();
        let mut writer = MessageWriter::new(&mut bytes);
        write(&mut writer);
        writer.flush().unwrap();
        drop(writer);
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let schema = Json::parse(r#"{"properties":{"id":{"multipleOf":1e-38}}}"#).unwrap();
        let lines = lines(|writer| {
            let envelope = Envelope::new("a \"b\"", Some(7), Some("2024-01-02T03:04:05Z"));
            writer.schema("s", &schema, &["id".to_owned()], &[]).unwrap();
            writer.record(&envelope, &std::collections::BTreeMap::from([("id", "x\ny")])).unwrap();
            writer.record_text(&Envelope::new("s", None, None), br#"{"id":1.10}"#).unwrap();
            writer.activate_version("s", 7).unwrap();
            writer.truncated("s", 8).unwrap();
            writer.batch("s", "arrow", "file:///a b", Some(7), None).unwrap();
            writer.state(&Json::parse(r#"{"bookmarks":{"s":1.10}}"#).unwrap()).unwrap();
        });
        assert_eq!(
            lines,
            [
                r#"{"type":"SCHEMA","stream":"s","schema":{"properties":{"id":{"multipleOf":1e-38}}},"key_properties":["id"]}"#,
                r#"{"type":"RECORD","stream":"a \"b\"","version":7,"time_extracted":"2024-01-02T03:04:05Z","record":{"id":"x\ny"}}"#,
                r#"{"type":"RECORD","stream":"s","record":{"id":1.10}}"#,
                r#"{"type":"ACTIVATE_VERSION","stream":"s","version":7}"#,
                r#"{"type":"ACTIVATE_VERSION","stream":"s","version":8,"x-tapster-truncated":true}"#,
                r#"{"type":"BATCH","stream":"s","encoding":{"format":"arrow","compression":"none"},"manifest":["file:///a b"],"version":7}"#,
                r#"{"type":"STATE","value":{"bookmarks":{"s":1.10}}}"#,
            ]
        );
        for line in &lines {
            assert!(parse(line, &mut SkipRecords).is_ok(), "{line}");
        }
        let truncated = |line: &str| match parse(line, &mut SkipRecords) {
            Ok(Message::ActivateVersion { version, truncated, .. }) => Some((version, truncated)),
            _ => None,
        };
        assert_eq!([truncated(&lines[3]), truncated(&lines[4])], [Some((7, false)), Some((8, true))]);
        let Ok(Message::Record(record)) = parse(&lines[1], &mut SkipRecords) else { panic!() };
        assert_eq!((record.stream.as_ref(), record.version), ("a \"b\"", Some(7)));
        assert!(matches!(record.record, RecordBody::Taken), "the record comes last, to be read at once");
    }

    #[test]
    fn a_state_hands_on_everything_before_it() {
        let mut bytes = Vec::new();
        let mut writer = MessageWriter::new(&mut bytes);
        writer.record_text(&Envelope::new("s", None, None), b"{}").unwrap();
        writer.state(&1).unwrap();
        // The writer is forgotten as a killed process would: its buffer must hold nothing.
        std::mem::forget(writer);
        assert!(bytes.ends_with(b"{\"type\":\"STATE\",\"value\":1}\n"));
    }
}
