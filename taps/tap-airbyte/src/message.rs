//! One line of a source: an `AirbyteMessage`, borrowed. The data of a record stays text.

use std::borrow::Cow;

use singer::{JsonReader, RawJson, ReadError};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    /// RECORD.
    Record(Record<'a>),
    /// The payload of another kind, as text.
    Other(Kind, &'a str),
    /// No message of the protocol, or one that a source does not send.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Spec,
    Catalog,
    State,
    Trace,
    Log,
    Control,
    ConnectionStatus,
}

/// A record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) stream: Cow<'a, str>,
    pub(crate) namespace: Option<Cow<'a, str>>,
    /// One object, byte for byte.
    pub(crate) data: RawJson<'a>,
    /// Milliseconds since 1970.
    pub(crate) emitted_at: Option<i64>,
}

/// Reads a line.
///
/// # Errors
/// A line that begins as a message does and is none, in a few words without any value: something may be lost.
pub(crate) fn parse(line: &str) -> Result<Message<'_>, &'static str> {
    if !line.starts_with('{') {
        return Ok(Message::Unknown);
    }
    match read(line) {
        Ok(Some(found)) => found.message(),
        // A dictionary that Python has printed begins with another quote.
        Err(_) if line.starts_with("{\"") => Err("it begins as a message and is not JSON"),
        Ok(None) | Err(_) => Ok(Message::Unknown),
    }
}

struct Found<'a> {
    kind: Cow<'a, str>,
    record: Option<Record<'a>>,
    /// The payload of its kind.
    payload: Option<&'a str>,
}

impl<'a> Found<'a> {
    fn message(self) -> Result<Message<'a>, &'static str> {
        let kind = match self.kind.as_ref() {
            "RECORD" => {
                let broken = "it is a RECORD without a `stream` or without an object as `data`";
                return self.record.map(Message::Record).ok_or(broken);
            }
            "SPEC" => Kind::Spec,
            "CATALOG" => Kind::Catalog,
            "STATE" => Kind::State,
            "TRACE" => Kind::Trace,
            "LOG" => Kind::Log,
            "CONTROL" => Kind::Control,
            "CONNECTION_STATUS" => Kind::ConnectionStatus,
            _ => return Ok(Message::Unknown),
        };
        self.payload.map(|payload| Message::Other(kind, payload)).ok_or("it is a message without its payload")
    }
}

/// The members of the line; `None` where it has no `type`.
fn read(line: &str) -> Result<Option<Found<'_>>, ReadError> {
    let mut reader = JsonReader::new(line);
    if !reader.open_object()? {
        return Ok(None);
    }
    let (mut kind, mut record, mut payload) = (None, None, None);
    while let Some(name) = reader.next_name()? {
        match name.as_ref() {
            "type" => kind = reader.text()?,
            "record" => record = read_record(&mut reader)?,
            "spec" | "catalog" | "state" | "trace" | "log" | "control" | "connectionStatus" => {
                payload = Some(reader.value()?.get()).filter(|text| text.starts_with('{')).or(payload);
            }
            _ => reader.skip()?,
        }
    }
    reader.end()?;
    Ok(kind.map(|kind| Found { kind, record, payload }))
}

fn read_record<'a>(reader: &mut JsonReader<'a>) -> Result<Option<Record<'a>>, ReadError> {
    if !reader.open_object()? {
        return reader.skip().map(|()| None);
    }
    let (mut stream, mut namespace, mut data, mut emitted_at) = (None, None, None, None);
    while let Some(name) = reader.next_name()? {
        match name.as_ref() {
            "stream" => stream = reader.text()?,
            "namespace" => namespace = reader.text()?.filter(|namespace| !namespace.is_empty()),
            "data" => data = Some(reader.value()?).filter(|data| data.get().starts_with('{')),
            "emitted_at" => emitted_at = milliseconds(reader.value()?.get()),
            _ => reader.skip()?,
        }
    }
    Ok(stream.zip(data).map(|(stream, data)| Record { stream, namespace, data, emitted_at }))
}

/// Of an integer, or of a number with a fraction as some sources write it.
#[expect(clippy::cast_possible_truncation, reason = "a float of milliseconds is far below 2^53")]
fn milliseconds(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|number| number as i64))
}

#[cfg(test)]
mod tests {
    use super::{Kind, Message, parse};

    #[test]
    fn the_data_of_a_record_is_left_as_it_is() {
        let line = r#"{"record": {"emitted_at":1.5e12, "data": {"a": 1.10,"b":[ 1e5 ]}, "meta":{"changes":[]}, "stream":"s", "namespace":""}, "type":"RECORD"}"#;
        let Ok(Message::Record(record)) = parse(line) else { panic!("{:?}", parse(line)) };
        assert_eq!(record.data.get(), r#"{"a": 1.10,"b":[ 1e5 ]}"#);
        assert_eq!((record.stream.as_ref(), record.namespace), ("s", None));
        assert_eq!(record.emitted_at, Some(1_500_000_000_000));
    }

    #[test]
    fn stray_lines_are_passed_over_and_broken_messages_are_not() {
        for line in ["Fetching…", "{'a': 1}", "{\"a\":1}", "[1]", "{\"type\":\"SURPRISE\",\"surprise\":{}}"]
        {
            assert_eq!(parse(line), Ok(Message::Unknown), "{line}");
        }
        for line in [
            r#"{"type":"RECORD","record":{"stream":"s","data":{"a":"#,
            r#"{"type":"RECORD","record":{"stream":"s","data":[1]}}"#,
            r#"{"type":"RECORD"}"#,
            r#"{"type":"STATE","state":null}"#,
            r#"{"type":"LOG","log":{}} {"type":"LOG"}"#,
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert_eq!(parse(r#"{"type":"LOG","log":{}}"#), Ok(Message::Other(Kind::Log, "{}")));
    }
}
