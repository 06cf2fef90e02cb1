use columns::{Column, StreamName, TableSchema};
use target_testkit::cells::batch;

use super::LineEncoder;

fn schema(columns: &[(&str, &str)]) -> TableSchema {
    let column = |(name, column_type): &(&str, &str)| Column {
        name: (*name).to_owned(),
        column_type: column_type.parse().unwrap(),
        nullable: true,
    };
    let columns = columns.iter().map(column).collect();
    TableSchema { stream: StreamName::from("s"), columns, key_properties: Vec::new(), keeps_absent: false }
}

fn line(columns: &[(&str, &str)], cells: &[Option<&str>]) -> Result<String, String> {
    let schema = schema(columns);
    let batch = batch(&schema, &[cells]);
    let mut out = Vec::new();
    LineEncoder::new(&schema.columns, &batch).unwrap().write(0, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn every_type_has_its_form() {
    for (column_type, cell, form) in [
        ("bool", "true", "true"),
        ("int64", "-9223372036854775808", "-9223372036854775808"),
        ("numeric(5,2)", "-1.5", "-1.50"),
        (
            "numeric",
            "1234567890123456789012345678901234567890.5",
            "1234567890123456789012345678901234567890.5",
        ),
        ("numeric", "NaN", "\"NaN\""),
        ("float64", "0.1", "0.1"),
        ("float64", "inf", "\"Infinity\""),
        ("text", "a\"\n\u{1}é", r#""a\"\n\u0001é""#),
        ("date", "2024-02-29", "\"2024-02-29\""),
        ("time", "12:00:00.000001", "\"12:00:00.000001\""),
        ("timetz", "12:30:00.5+05:30", "\"12:30:00.5+05:30\""),
        ("timestamp", "2024-03-10 02:30:00", "\"2024-03-10T02:30:00\""),
        ("timestamptz", "2024-03-10 02:30:00.5", "\"2024-03-10T02:30:00.500000Z\""),
        ("interval", "1 day", "\"1 day\""),
        ("uuid", "00112233-4455-6677-8899-aabbccddeeff", "\"00112233-4455-6677-8899-aabbccddeeff\""),
        ("json", "{\"a\": [1.10,\n 2]}", "{\"a\": [1.10,  2]}"),
        ("binary", "\\x00ff", "\"00ff\""),
        ("int64[]", r#"["1",null]"#, "[1,null]"),
        ("text[]", "[]", "[]"),
    ] {
        assert_eq!(line(&[("c", column_type)], &[Some(cell)]).unwrap(), format!("{{\"c\":{form}}}\n"));
        assert_eq!(line(&[("c", column_type)], &[None]).unwrap(), "{\"c\":null}\n");
    }
}

#[test]
fn names_are_the_taps_own() {
    let columns = [("", "int64"), ("a\"b", "int64"), ("Id", "int64"), ("id", "int64")];
    let cells = [Some("1"), Some("2"), Some("3"), Some("4")];
    assert_eq!(line(&columns, &cells).unwrap(), "{\"\":1,\"a\\\"b\":2,\"Id\":3,\"id\":4}\n");
}

#[test]
fn what_did_not_come_is_not_there() {
    let columns = [("a", "int64"), ("b", "int64"), ("c", "int64")];
    let schema = TableSchema { keeps_absent: true, ..schema(&columns) };
    for (cells, form) in [
        ([Some("?"), Some("2"), None], r#"{"b":2,"c":null}"#),
        ([Some("1"), Some("?"), Some("?")], r#"{"a":1}"#),
        ([Some("?"); 3], "{}"),
        ([Some("1"), None, None], r#"{"a":1,"b":null,"c":null}"#),
    ] {
        assert_eq!(super::lines(&schema.columns, &batch(&schema, &[&cells])).unwrap(), format!("{form}\n"));
    }
}

#[test]
fn what_is_no_json_is_refused_without_its_value() {
    for value in ["{secret", "1 2", "", "\"secret\n\""] {
        let why = line(&[("c", "json")], &[Some(value)]).unwrap_err();
        assert!(why.contains("`c`") && !why.contains("secret"), "{why}");
    }
}

#[test]
fn a_batch_of_other_types_is_refused() {
    let (wanted, found) = (schema(&[("c", "numeric(5,2)")]), schema(&[("c", "numeric(5,3)")]));
    let batch = batch(&found, &[&[Some("1")]]);
    assert!(LineEncoder::new(&wanted.columns, &batch).is_err_and(|why| why.contains("`c`")));
}
