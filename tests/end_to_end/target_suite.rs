//! The streams of the Singer SDK's standard suite for targets, as its wheel has them, through ours.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tests::programs;
use tests::project::Project;
use tests::singer_target::SingerTarget;
use tests::warehouse::Warehouse;

use crate::support::{meltanolabs_target_postgres, warehouses};

/// What a stream of the suite must come to.
struct Case {
    /// Its name in the suite.
    name: &'static str,
    /// The exit code, and the error where it is not 0.
    ends: (i32, &'static str),
    /// The last STATE.
    state: Option<&'static str>,
    /// Tables, what is read of them in the order of the first column, and what is found.
    tables: Vec<(&'static str, &'static str, Value)>,
}

fn loaded(
    name: &'static str,
    state: impl Into<Option<&'static str>>,
    tables: Vec<(&'static str, &'static str, Value)>,
) -> Case {
    Case { name, ends: (0, ""), state: state.into(), tables }
}

fn refused(name: &'static str, code: &'static str) -> Case {
    Case { name, ends: (65, code), state: None, tables: Vec::new() }
}

fn cases() -> Vec<Case> {
    let mut cases = shapes();
    cases.extend(keys_and_states());
    cases
}

fn shapes() -> Vec<Case> {
    let fruits = json!([
        [1, ["apple", "orange", "pear"]],
        [2, ["banana", "apple"]],
        [3, ["pear"]],
        [4, ["orange", "banana", "apple", "pear"]]
    ]);
    let clients = json!([["1", "Gitter Windows Desktop App"], ["2", "Gitter iOS App"]]);
    let updates = json!([
        [1, 101, "string1", null, null, null, null],
        [2, 102, "string2", true, null, null, null],
        [3, 103, "string3", false, {"id": 1, "value": 1}, ["banana", "apple"], null],
        [4, 104, "string4", true, {"id": 2, "value": 22}, ["orange", "pear"], null],
        [5, 105, "string5", false, {"id": 3, "value": 33}, ["apple"], 985],
        [6, 106, "string6", true, {"id": 4, "value": 444}, ["banana", "orange"], 341]
    ]);
    let special =
        json!([["a2e98886", { "env": "prod", "agent:type": "desktop", "agent:os:version": "10.13.1" }]]);
    let optional = json!([[1, "This is optional"], [2, null], [3, "Also optional"], [4, null]]);
    let (with, without) = (
        json!([[{ "id": 1, "metric": 187 }], [{ "id": 2, "metric": 203 }]]),
        json!([[{ "id": 1, "metric": 1 }], [{ "id": 2, "metric": 2 }]]),
    );
    vec![
        loaded("array_data", r#"{"test_array_data": 4}"#, vec![("test_array_data", "id, fruits", fruits)]),
        loaded("camelcase", None, vec![("TestCamelcase", "\"Id\", \"clientName\"", clients)]),
        loaded(
            "camelcase_complex_schema",
            None,
            vec![("ForecastingTypeToCategory", "\"Id\", \"CreatedDate\"", json!([]))],
        ),
        loaded(
            "encoded_string_data",
            r#"{"test_strings": 11, "test_strings_in_objects": 11, "test_strings_in_arrays": 6}"#,
            encoded(),
        ),
        refused("invalid_schema", "E0230"),
        loaded(
            "optional_attributes",
            r#"{"test_optional_attributes": 4}"#,
            vec![("test_optional_attributes", "id, optional", optional)],
        ),
        loaded(
            "record_missing_fields",
            "{}",
            vec![("record_missing_fields", "id, optional", json!([[1, "now you see me"], [2, null]]))],
        ),
        loaded(
            "schema_no_properties",
            None,
            vec![
                ("test_object_schema_with_properties", "object_store", with),
                ("test_object_schema_no_properties", "object_store", without),
            ],
        ),
        loaded(
            "schema_updates",
            r#"{"test_schema_updates": 6}"#,
            vec![("test_schema_updates", "id, a1, a2, a3, a4, a5, a6", updates)],
        ),
        loaded(
            "special_chars_in_attributes",
            None,
            vec![("test:SpecialChars!in?attributes", "_id, d", special)],
        ),
    ]
}

/// U+FFFD stands for the NUL, which is kept where the warehouse has it.
fn encoded() -> Vec<(&'static str, &'static str, Value)> {
    let texts = [
        "simple string 2837",
        "απλή συμβολοσειρά",
        "简单的字串",
        "chaîne simple",
        "quoted \"string\"",
        "various \" \\ / \n escape sequences",
        "m",
        "ā",
        "ƙ",
        "Double quoting: \\u0000 \\u0041 \\u0001",
        "Control Characters in string: \u{fffd} A \u{1}",
    ];
    let names = ["simple", "greek", "chinese", "french", "quoted string", "escape sequences"];
    let names =
        names.into_iter().chain(["unicode"; 3]).chain(["Double quoting", "Control Characters in string"]);
    let values = texts[..9].iter().copied().chain([" \\u0000 \\u0041 \\u0001", "\u{fffd} A \u{1}"]);
    let objects = names.zip(values).map(|(name, value)| json!({ "name": name, "value": value }));
    let arrays = [
        json!(texts[..3].iter().map(|text| text.replace(" 2837", "")).collect::<Vec<_>>()),
        json!(texts[3..5]),
        json!(texts[5..6]),
        json!(texts[6..9]),
        json!(["aaa", texts[9]]),
        json!(["bbb", texts[10]]),
    ];
    let numbered =
        |values: Vec<Value>| values.into_iter().zip(1..).map(|(value, id)| json!([id, value])).collect();
    vec![
        ("test_strings", "id, info", numbered(texts.map(Value::from).to_vec())),
        ("test_strings_in_objects", "id, info", numbered(objects.collect())),
        ("test_strings_in_arrays", "id, strings", numbered(arrays.to_vec())),
    ]
}

fn keys_and_states() -> Vec<Case> {
    let a = json!([[1, 100], [2, 200], [3, 300], [4, 400], [5, 500], [6, 600]]);
    let b = json!([[1, 110], [2, 220], [3, 330], [4, 440], [5, 550], [6, 660]]);
    let three = json!([[1, 11], [2, 22], [3, 33]]);
    let eight = json!([[1, 11], [1, 101], [2, 22], [2, 202], [3, 33], [3, 303], [4, 404], [5, 505]]);
    let keyless = json!([[1, "Alice", "alice@example.com"], [2, "Bob", "bob@example.com"]]);
    vec![
        loaded(
            "duplicate_records",
            r#"{"test_duplicate_records": 2}"#,
            vec![("test_duplicate_records", "id, metric", json!([[1, 100], [2, 20]]))],
        ),
        loaded(
            "multiple_state_messages",
            r#"{"test_multiple_state_messages_a": 5, "test_multiple_state_messages_b": 6}"#,
            vec![
                ("test_multiple_state_messages_a", "id, metric", a),
                ("test_multiple_state_messages_b", "id, metric", b),
            ],
        ),
        loaded("no_primary_keys", r#"{"test_no_pk": 3}"#, vec![("test_no_pk", "id, metric", three)]),
        loaded("no_primary_keys_append", r#"{"test_no_pk": 5}"#, vec![("test_no_pk", "id, metric", eight)]),
        loaded("pk_updates", None, vec![("example_stream", "id, name, email", keyless)]),
        refused("record_before_schema", "E0205"),
        refused("record_missing_key_property", "E0221"),
        // Not in the suite that the SDK runs; `required` is no rule of ours.
        loaded(
            "record_missing_required_property",
            None,
            vec![("test_record_missing_required_property", "id, metric", json!([[null, 3215]]))],
        ),
        loaded(
            "user_location_data",
            r#"{"test_users": 5, "test_locations": 3, "test_user_in_location": 3}"#,
            vec![("test_locations", "id, name", json!([[1, "Philadelphia"], [2, "NY"], [3, "SF"]]))],
        ),
        loaded(
            "user_location_upsert_data",
            r#"{"test_users": 13, "test_locations": 8, "test_user_in_location": 14}"#,
            upserted(),
        ),
    ]
}

fn upserted() -> Vec<(&'static str, &'static str, Value)> {
    let users = json!([
        [1, "Johny"],
        [2, "George"],
        [3, "Jacob"],
        [4, "Josh"],
        [5, "Jim"],
        [8, "Thomas"],
        [12, "Paul"],
        [13, "Mary"]
    ]);
    let locations = json!([[1, "Philly"], [2, "NY"], [3, "San Francisco"], [6, "Colorado"], [8, "Boston"]]);
    let both = json!([
        [1, 1, 4, { "weather": "rainy", "mood": "sad" }],
        [2, 2, 3, { "weather": "sunny", "mood": "satisfied" }],
        [3, 1, 3, { "weather": "sunny", "mood": "happy" }],
        [6, 3, 2, { "weather": "sunny", "mood": "happy" }],
        [14, 4, 1, { "weather": "cloudy", "mood": "ok" }]
    ]);
    vec![
        ("test_users", "id, name", users),
        ("test_locations", "id, name", locations),
        ("test_user_in_location", "id, user_id, location_id, info", both),
    ]
}

/// The folder of the suite's streams.
fn streams() -> PathBuf {
    let environment =
        meltanolabs_target_postgres().parent().and_then(|bin| bin.parent()).expect("bin/").join("lib");
    let python = fs::read_dir(environment).expect("lib/").flatten().next().expect("one Python").path();
    python.join("site-packages/singer_sdk/testing/target_test_streams")
}

#[test]
fn the_standard_suite_of_the_singer_sdk_passes_with_batches_of_any_size() {
    for batch in [json!({}), json!({ "batch_size_rows": 1 }), json!({ "batch_size_rows": 2 })] {
        let project = Project::new();
        for (of, warehouse) in warehouses(&project) {
            let mut config = warehouse.block()["config"].clone();
            config.as_object_mut().expect("a map").extend(batch.as_object().expect("a map").clone());
            let target = SingerTarget::new(&project, programs::target(&format!("target-{of}")), &config);
            for case in cases() {
                load(&case, &target, &warehouse);
            }
        }
    }
}

fn load(case: &Case, target: &SingerTarget<'_>, warehouse: &Warehouse) {
    let stream = fs::read_to_string(streams().join(case.name).with_extension("singer")).expect("a stream");
    let outcome = target.load(&stream).expect_code(case.ends.0);
    assert!(outcome.stderr.contains(case.ends.1), "{}: {outcome}", case.name);
    assert_eq!(outcome.stdout.lines().last(), case.state, "{}: {outcome}", case.name);
    // Each is one that the tap said, and none comes twice or too early.
    let mut said = stream.lines().filter_map(|line| line.split_once("\"value\": ")?.1.strip_suffix('}'));
    assert!(outcome.stdout.lines().all(|told| said.any(|said| said == told)), "{}: {outcome}", case.name);
    for (table, columns, expected) in &case.tables {
        let order = if columns.contains(',') { "1, 2" } else { "1" };
        let found = warehouse.rows(&format!("SELECT {columns} FROM \"{table}\" ORDER BY {order}"));
        let rows = expected.as_array().expect("rows");
        let same = found.len() == rows.len()
            && found.iter().zip(rows).all(|(found, expected)| {
                let expected = expected.as_array().expect("cells");
                found.iter().zip(expected).all(|(found, expected)| is(found.as_deref(), expected))
            });
        assert!(same, "{}, {table}: {found:?} is not {expected}", case.name);
    }
}

/// Whether a cell, as its warehouse writes it, is this value.
fn is(found: Option<&str>, expected: &Value) -> bool {
    let Some(found) = found else { return expected.is_null() };
    let text = found.replace('\0', "\u{fffd}");
    match expected {
        Value::String(expected) => text == *expected,
        Value::Bool(expected) => text.starts_with(if *expected { 't' } else { 'f' }),
        Value::Number(expected) => text.parse::<f64>().ok() == expected.as_f64(),
        _ => serde_json::from_str(found).is_ok_and(|found: Value| without_nul(found) == *expected),
    }
}

fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => text.replace('\0', "\u{fffd}").into(),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(entries) => {
            entries.into_iter().map(|(name, value)| (name, without_nul(value))).collect()
        }
        other => other,
    }
}
