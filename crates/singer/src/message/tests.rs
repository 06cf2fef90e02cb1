use super::{Message, MessageError, RecordBody, SkipRecords, TakeRecord, parse};
use crate::{JsonReader, ReadError};

/// Remembers what it was given.
#[derive(Default)]
struct Taken(Vec<(String, serde_json::Value)>);

impl TakeRecord for Taken {
    fn record(&mut self, stream: &str, record: &mut JsonReader<'_>) -> Result<(), ReadError> {
        self.0.push((stream.to_owned(), serde_json::from_str(record.value()?.get()).unwrap()));
        Ok(())
    }
}

#[test]
fn a_record_is_taken_while_its_line_is_read() {
    let line = r#"{"type":"RECORD","stream":"a","record":{"id":1},"version":7,"time_extracted":"2026-01-01T00:00:00Z"}"#;
    let mut taken = Taken::default();
    let Message::Record(record) = parse(line, &mut taken).unwrap() else { panic!("not a record") };
    assert!(matches!(record.record, RecordBody::Taken));
    assert_eq!((record.version, record.time_extracted.as_deref()), (Some(7), Some("2026-01-01T00:00:00Z")));
    assert_eq!(taken.0, [("a".to_owned(), serde_json::json!({"id": 1}))]);
}

#[test]
fn a_record_before_its_type_is_kept_raw() {
    let line = r#"{"record":{"id":12345678901234567890123},"stream":"a","type":"record"}"#;
    let mut taken = Taken::default();
    let Message::Record(record) = parse(line, &mut taken).unwrap() else { panic!("not a record") };
    let RecordBody::Raw(raw) = record.record else { panic!("taken without a stream") };
    assert_eq!(raw.get(), r#"{"id":12345678901234567890123}"#);
    assert!(taken.0.is_empty());
}

#[test]
fn schemas_take_a_bare_key_and_none() {
    for (keys, expected) in
        [(r#""id""#, vec!["id"]), ("[]", vec![]), ("null", vec![]), (r#"["a","b"]"#, vec!["a", "b"])]
    {
        let line = format!(
            r#"{{"type":"SCHEMA","stream":"s","schema":{{"properties":{{}}}},"key_properties":{keys}}}"#
        );
        let Message::Schema(schema) = parse(&line, &mut SkipRecords).unwrap() else { panic!("not a schema") };
        assert_eq!(schema.key_properties, expected);
    }
}

#[test]
fn state_bytes_are_kept() {
    let line = r#"{"type": "STATE", "value": {"b":  12345678901234567890.10, "a": []}}"#;
    let Message::State(state) = parse(line, &mut SkipRecords).unwrap() else { panic!("not a state") };
    assert_eq!(state.as_str(), r#"{"b":  12345678901234567890.10, "a": []}"#);
}

#[test]
fn a_state_of_any_kind_is_taken_up_to_its_limit() {
    let taken = |value: &str| match parse(&format!(r#"{{"type":"STATE","value":{value}}}"#), &mut SkipRecords)
    {
        Ok(Message::State(state)) => Ok(state.as_str() == value),
        Ok(other) => panic!("not a state: {other:?}"),
        Err(error) => Err(error.to_string()),
    };
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    for value in ["{}", "[]", "[1,2]", "null", "4", &text(crate::STATE_BYTES)] {
        assert_eq!(taken(value), Ok(true));
    }
    let error = taken(&text(crate::STATE_BYTES + 1)).unwrap_err();
    assert!(error.contains("16777217 bytes") && error.contains("16 MiB") && !error.contains("xx"), "{error}");
}

#[test]
fn unknown_types_are_legal() {
    assert!(
        matches!(parse(r#"{"type":"LOG","x":1}"#, &mut SkipRecords).unwrap(), Message::Unknown { kind } if kind == "LOG")
    );
}

#[test]
fn refused_lines_say_why() {
    let error = |line: &str| parse(line, &mut SkipRecords).unwrap_err();
    assert!(matches!(error("Starting sync"), MessageError::NotJson { truncated: false, .. }));
    assert!(matches!(error("[1]"), MessageError::NotObject));
    assert!(matches!(error("12"), MessageError::NotObject));
    assert!(matches!(
        error(r#"{"type":"RECORD","stream":"a","record":{"x":1"#),
        MessageError::NotJson { truncated: true, .. }
    ));
    assert!(matches!(
        error(r#"{"type":"RECORD","stream":"a"}"#),
        MessageError::Property { property: "record", .. }
    ));
    assert!(matches!(
        error(r#"{"type":"RECORD","record":{}}"#),
        MessageError::Property { property: "stream", .. }
    ));
    assert!(matches!(error(r#"{"stream":"a"}"#), MessageError::Property { property: "type", .. }));
    assert!(matches!(error(r#"{"type":"STATE"}"#), MessageError::Property { property: "value", .. }));
    assert!(matches!(error(r#"{"type":"STATE","value":{}} x"#), MessageError::NotJson { .. }));
    assert!(matches!(
        error(r#"{"type":"ACTIVATE_VERSION","stream":"a","version":"x"}"#),
        MessageError::Property { .. }
    ));
}

#[test]
fn errors_never_show_a_value() {
    for line in [
        r#"{"type":"RECORD","stream":"a","record":{"email":"ada@x","n":tru}}"#,
        r#"{"type":"RECORD","stream":"a","record":{"email":"ada@x"#,
    ] {
        assert!(!format!("{:?}", parse(line, &mut SkipRecords).unwrap_err()).contains("ada"));
    }
}
