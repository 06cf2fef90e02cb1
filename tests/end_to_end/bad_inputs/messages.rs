//! Messages that are none, and records that cannot be loaded.

use serde_json::{Value, json};
use tests::programs::file;
use tests::project::Project;
use tests::warehouse::Warehouse;

use super::refused;

/// A stream of tests/streams into a warehouse; the first record is committed before the error.
#[track_caller]
fn stream_refused(name: &str, stream: &str, code: i32, committed: bool) {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let tap = Project::replay(&file(&format!("streams/{stream}.singer")));
    replay(name, &project, &tap, &warehouse, code);
    if committed {
        assert_eq!(
            warehouse.value("SELECT count(*) FROM a").as_deref(),
            Some("1"),
            "what a STATE covers is kept"
        );
    }
}

#[track_caller]
fn replay(name: &str, project: &Project, tap: &Value, warehouse: &Warehouse, code: i32) {
    // Every STATE is a checkpoint.
    let limits = json!({ "checkpoint_bytes": "1B" });
    project.pipeline("orders", &json!({ "tap": tap, "target": warehouse.block(), "limits": limits }));
    refused(name, &project.run(["run", "orders", "--quiet"]).expect_code(code));
}

#[test]
fn a_tap_that_prints_to_stdout() {
    stream_refused("print-on-stdout", "framing-print-on-stdout", 65, true);
}

#[test]
fn half_a_line_at_the_end() {
    stream_refused("half-a-line", "framing-half-a-line", 65, true);
}

#[test]
fn a_byte_that_is_not_utf_8() {
    stream_refused("not-utf-8", "framing-not-utf-8", 65, true);
}

#[test]
fn a_record_before_its_schema() {
    stream_refused("record-before-schema", "record-before-schema", 65, false);
}

#[test]
fn a_record_without_its_key() {
    stream_refused("key-missing", "key-value-missing", 65, true);
}

#[test]
fn a_record_whose_key_is_null() {
    stream_refused("key-null", "key-value-null", 65, true);
}

#[test]
fn a_record_with_a_wrong_integer() {
    stream_refused("wrong-integer", "record-with-a-wrong-integer", 65, true);
}

#[test]
fn a_record_with_nan_in_an_integer() {
    stream_refused("nan-integer", "record-with-nan-in-an-integer", 65, true);
}

#[test]
fn a_record_with_a_wrong_date() {
    stream_refused("wrong-date", "record-with-a-wrong-date", 65, true);
}

#[test]
fn nesting_without_end() {
    stream_refused("nesting", "framing-nested-200-deep", 65, false);
}

#[test]
fn a_batch_message() {
    stream_refused("batch", "batch-message", 65, false);
}

#[test]
fn a_state_of_seventeen_mebibytes() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let kept = std::fs::read_to_string(file("streams/state-is-a-list.singer")).expect("the stream");
    let state = format!("{{\"type\":\"STATE\",\"value\":{{\"seen\":\"{}\"}}}}\n", "4711".repeat(17 << 18));
    let stream = project.write("stream", kept + &state);
    replay("state-too-long", &project, &Project::replay(&stream), &warehouse, 65);
    assert_eq!(
        warehouse.value("SELECT count(*) FROM a").as_deref(),
        Some("1"),
        "what a STATE covers is kept"
    );
}

#[test]
fn a_line_over_the_cap() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let line = format!(
        "{{\"type\":\"RECORD\",\"stream\":\"a\",\"record\":{{\"id\":1,\"v\":\"{}\"}}}}\n",
        "4711".repeat(100_000)
    );
    let schema = "{\"type\":\"SCHEMA\",\"stream\":\"a\",\"schema\":{\"properties\":{\"id\":{\"type\":\"integer\"}}},\"key_properties\":[\"id\"]}\n";
    let stream = project.write("stream", format!("{schema}{line}"));
    let limits = json!({ "line_bytes": "64KiB" });
    project.pipeline(
        "orders",
        &json!({ "tap": Project::replay(&stream), "target": warehouse.block(), "limits": limits }),
    );
    refused("line-over-the-cap", &project.run(["run", "orders", "--quiet"]).expect_code(65));
}
