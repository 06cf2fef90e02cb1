//! The settings of the Python targets in a pipeline's `target: { config }`: the weakest word about streams.

use serde_json::json;
use tests::project::Project;
use tests::warehouse::Warehouse;

use super::{STATE, rows};

#[test]
fn settings_of_the_python_targets_hold_where_the_rules_say_nothing() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let schema = |stream: &str| {
        format!(
            r#"{{"type":"SCHEMA","stream":"{stream}","schema":{{"properties":{{"id":{{"type":"integer"}}}}}},"key_properties":["id"]}}"#
        )
    };
    let record = |stream: &str, id: u32, more: &str| {
        format!(r#"{{"type":"RECORD","stream":"{stream}","record":{{"id":{id}{more}}}}}"#)
    };
    let gone = r#","_sdc_deleted_at":"2024-01-02T03:04:05Z""#;
    let mut lines = Vec::new();
    for stream in ["shop-a", "b"] {
        lines.extend([schema(stream), record(stream, 1, ""), record(stream, 2, ""), record(stream, 1, gone)]);
    }
    let stream = project.write("lines.singer", lines.join("\n") + "\n" + STATE + "\n");
    let mut target = warehouse.block();
    for (name, value) in [
        ("hard_delete", json!(true)),
        ("default_target_schema", json!("x")),
        ("add_record_metadata", json!(true)),
    ] {
        target["config"][name] = value;
    }
    let mut pipeline = json!({
        "tap": Project::replay(&stream),
        "target": target,
        "streams": { "*": "include", "b": { "deletes": "soft", "target_schema": "y", "metadata_columns": false } },
    });
    project.pipeline("c", &pipeline);
    let _ = project.run(["run", "c", "--quiet"]).expect_code(0);
    assert_eq!(rows(&warehouse, "SELECT id, _sdc_sequence IS NOT NULL FROM x.a"), "2|true");
    assert_eq!(
        rows(&warehouse, "SELECT id, _sdc_deleted_at IS NOT NULL FROM y.b ORDER BY id"),
        "1|true 2|false"
    );
    for (name, value, code) in [
        ("stream_maps", json!({ "a": {} }), "E0191"),
        ("default_target_schema_select_permissions", json!(["r"]), "E0172"),
        ("load_method", json!("overwrite"), "E0123"),
        ("hard_delet", json!(true), "E0191"),
        ("hard_delete", json!(3), "E0191"),
    ] {
        pipeline["target"]["config"] = json!({ "path": "w.duckdb", name: value });
        project.pipeline("c", &pipeline);
        let outcome = project.run(["run", "c"]).expect_code(78);
        assert!(outcome.stderr.contains(code), "{name}: {outcome}");
    }
}

#[test]
fn a_pipeline_holds_records_against_their_schema_where_the_config_says_so() {
    let project = Project::new();
    let stream = concat!(
        r#"{"type":"SCHEMA","stream":"a","key_properties":["id"],"schema":{"required":["v"],"properties":"#,
        r#"{"id":{"type":"integer"},"v":{"type":"string"}}}}"#,
        "\n",
        r#"{"type":"RECORD","stream":"a","record":{"id":1}}"#,
        "\n"
    );
    let stream = project.write("a.singer", stream);
    for (validate, code) in [(false, 0), (true, 65)] {
        let config = json!({ "path": "w.duckdb", "validate_records": validate });
        let target = json!({ "name": "target-duckdb", "config": config });
        project.pipeline("v", &json!({ "tap": Project::replay(&stream), "target": target }));
        let outcome = project.run(["run", "v"]).expect_code(code);
        assert_eq!(outcome.stderr.contains("error[E0234]"), validate, "{outcome}");
    }
}
