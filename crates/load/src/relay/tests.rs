//! The relay's lines, from bytes to bytes.

use std::sync::Arc;

use super::{Relay, RelayEvent};
use crate::{DecodeError, Rules, StreamRule};

const SCHEMA: &str = r#"{"type": "SCHEMA", "stream": "a", "schema": {"properties": {"id": {"type": "integer"}, "secret": {"type":"string"}, "o": {"properties": {"x": {}, "y": {}}}}, "required": ["id", "secret"]}, "key_properties": ["id"]}"#;

/// Without the columns `secret` and `o.x`, and without the stream `b`.
fn narrow() -> Rules {
    Arc::new(|stream| StreamRule {
        not_selected: (stream == "b").then(|| "leave it".to_owned()),
        columns: Arc::new(|path| !matches!(path, ["secret" | "id"] | ["o", "x"])),
        excludes_nested: true,
        ..StreamRule::default()
    })
}

fn feed(relay: &mut Relay, mut bytes: &[u8]) -> Result<(), DecodeError> {
    while !bytes.is_empty() {
        let space = relay.space();
        let count = space.len().min(bytes.len());
        space[..count].copy_from_slice(&bytes[..count]);
        relay.filled(count)?;
        bytes = &bytes[count..];
    }
    Ok(())
}

fn relayed(rules: Rules, text: &str) -> Result<String, DecodeError> {
    let mut relay = Relay::new(1 << 20, rules);
    feed(&mut relay, text.as_bytes())?;
    relay.end()?;
    Ok(String::from_utf8(relay.waiting().to_vec()).unwrap())
}

#[test]
fn lines_that_lose_nothing_keep_every_byte() {
    let lines = [
        SCHEMA,
        r#"{ "record" : {"id":1.10,  "secret":"\u00e9","o":{"x":[NaN]}}, "stream":"a", "type":"RECORD" }"#,
        r#"{"type":"RECORD","stream":"a","record":{"id":12345678901234567890},"version":3,"more":[1]}"#,
        r#"{"type":"ACTIVATE_VERSION","stream":"a","version":3}"#,
        r#"{"type":"BATCH","stream":"a","encoding":{"format":"jsonl"},"manifest":["file:///x"]}"#,
        r#"{"type":"STATE","value":{"bookmarks":{"a": 1.0}}}"#,
    ];
    let text = lines.join("\n");
    let all: Rules = Arc::new(|_| StreamRule::default());
    assert_eq!(relayed(Arc::clone(&all), &text).unwrap(), format!("{text}\n"));
    let framed = format!("\u{feff}{}\r\n", lines.join("\r\n\r\n"));
    assert_eq!(relayed(all, &framed).unwrap(), format!("{text}\n"), "a mark, blank lines and CRLF go");
}

#[test]
fn what_does_not_come_is_not_put_in_where_columns_are_left_out() {
    let keeping = SCHEMA.replace(r#""schema": {"#, r#""schema": {"x-tapster-absent":"keep","#);
    let record = r#"{"type":"RECORD","stream":"a","record":{"id":1}}"#;
    let truncated = r#"{"type":"ACTIVATE_VERSION","stream":"a","version":3,"x-tapster-truncated":true}"#;
    let passed = relayed(narrow(), &[&*keeping, record, truncated].join("\n")).unwrap();
    let (schema, rest) = passed.split_once('\n').unwrap();
    assert!(schema.contains(r#""x-tapster-absent":"keep""#) && !schema.contains("secret"), "{schema}");
    assert_eq!(rest, format!("{record}\n{truncated}\n"));
}

#[test]
fn what_is_not_selected_is_left_out_and_the_rest_stays_as_it_was() {
    let lines = [
        SCHEMA,
        r#"{"type":"SCHEMA","stream":"b","schema":{"properties":{}},"key_properties":[]}"#,
        r#"{"type":"ACTIVATE_VERSION","stream":"b","version":3}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id": 1.0, "secret": "s", "o" : [{"x":1, "y": 2e0}], "z" : {} },"version":1}"#,
        r#"{"record":{"secret":{"deep":[]},"id":2},"type":"RECORD","stream":"a"}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id":3,"o":{"y":"é"}}}"#,
        r#"{"type":"HELLO"}"#,
    ];
    let expected = [
        r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"},"o":{"properties":{"y":{}}}},"required":["id"]},"key_properties":["id"]}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id": 1.0,"o" :[{"y": 2e0}],"z" : {}},"version":1}"#,
        r#"{"record":{"id":2},"type":"RECORD","stream":"a"}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id":3,"o":{"y":"é"}}}"#,
    ];
    assert_eq!(relayed(narrow(), &lines.join("\n")).unwrap(), expected.join("\n") + "\n");
}

#[test]
fn the_pipelines_own_key_is_told_to_the_target() {
    let rules: Rules = Arc::new(|_| StreamRule {
        key_properties: Some(vec!["o".to_owned()]),
        columns: Arc::new(|path| path != ["id"]),
        ..StreamRule::default()
    });
    let told = relayed(rules, SCHEMA).unwrap();
    assert!(told.contains(r#""key_properties":["o"]"#) && !told.contains(r#""id""#), "{told}");
}

#[test]
fn refusals_have_the_codes_of_any_other_run() {
    let record = r#"{"type":"RECORD","stream":"a","record":{"id":1}}"#;
    let batch = r#"{"type":"BATCH","stream":"a","encoding":{"format":"jsonl"},"manifest":[]}"#;
    let schema_b = r#"{"type":"SCHEMA","stream":"b","schema":{"properties":{}},"key_properties":[]}"#;
    let deep = format!(
        r#"{{"type":"RECORD","stream":"a","record":{{"o":{}1{}}}}}"#,
        "[".repeat(600),
        "]".repeat(600)
    );
    for (code, text) in [
        ("E0203", "INFO hunter2\n".to_owned()),
        ("E0204", record[..20].to_owned()),
        ("E0205", record.to_owned()),
        ("E0206", format!("{schema_b}\n{}", record.replace("\"a\"", "\"b\""))),
        ("E0203", format!("{SCHEMA}\n{}", record.replace(r#"{"id":1}"#, "[1]"))),
        ("E0203", format!("{SCHEMA}\n{deep}\n")),
        ("E0424", format!("{SCHEMA}\n{batch}")),
        ("E0201", format!("{}\n", "x".repeat(3 << 20))),
    ] {
        let error = relayed(narrow(), &text).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let mut relay = Relay::new(1 << 20, narrow());
    assert_eq!(feed(&mut relay, b"{\"\xff\"}\n").unwrap_err().code(), "E0202");
}

#[test]
fn a_stop_ends_at_the_last_state_that_waits_and_never_inside_a_line() {
    let state = r#"{"type":"STATE","value":{}}"#;
    let record = r#"{"type":"RECORD","stream":"a","record":{"id":1}}"#;
    for (lines, sent, rest) in [
        (vec![SCHEMA, record, state, record], 0, vec![SCHEMA, record, state]),
        (vec![SCHEMA, record, state, record], 10, vec![SCHEMA, record, state]),
        (vec![SCHEMA, record, record], 0, vec![]),
        (vec![SCHEMA, record, record], SCHEMA.len() + 1, vec![SCHEMA]),
        (vec![SCHEMA, record, record], SCHEMA.len() + 5, vec![SCHEMA, record]),
        (vec![SCHEMA, state, record], SCHEMA.len() + state.len() + 3, vec![SCHEMA, state, record]),
    ] {
        let mut relay = Relay::new(1 << 20, Arc::new(|_| StreamRule::default()));
        feed(&mut relay, (lines.join("\n") + "\n").as_bytes()).unwrap();
        let all = relay.waiting().to_vec();
        relay.sent(sent);
        relay.cut_short();
        let got = [&all[..sent], relay.waiting()].concat();
        let rest = rest.iter().flat_map(|line| [line, "\n"]).collect::<String>();
        assert_eq!(String::from_utf8(got).unwrap(), rest, "{sent} of {lines:?}");
    }
}

#[test]
fn streams_and_records_are_told_in_order() {
    let keyless = SCHEMA.replace(r#"["id"]}"#, "[]}").replace(r#""a""#, r#""c""#);
    let record = r#"{"type":"RECORD","stream":"a","record":{"id":1}}"#;
    let other = record.replace("\"a\"", "\"c\"");
    let mut relay = Relay::new(1 << 20, Arc::new(|_| StreamRule::default()));
    let text =
        [SCHEMA, &keyless, record, record, &other, SCHEMA, r#"{"type":"STATE","value":1}"#, ""].join("\n");
    feed(&mut relay, text.as_bytes()).unwrap();
    let records = |stream: &str, records| {
        let bytes = records * (record.len() as u64 + 1);
        RelayEvent::Records { stream: stream.to_owned(), records, bytes }
    };
    let stream = |stream: &str, keyed| RelayEvent::Stream { stream: stream.to_owned(), keyed };
    let expected =
        [stream("a", true), stream("c", false), records("a", 2), records("c", 1), RelayEvent::State];
    assert_eq!((relay.take_events(), relay.records()), (expected.to_vec(), 3));
}
