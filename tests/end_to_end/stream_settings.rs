//! The settings of streams, each loaded into DuckDB and PostgreSQL.

use serde_json::{Value, json};
use tests::project::{Outcome, Project};
use tests::warehouse::Warehouse;

use crate::support::warehouses;

/// Runs these lines, with these settings of every stream.
fn run(project: &Project, warehouse: &Warehouse, settings: &Value, lines: &[&str]) -> Outcome {
    let stream = project.write("lines.singer", lines.join("\n") + "\n");
    let tap = Project::replay(&stream);
    project.pipeline("s", &json!({ "tap": tap, "target": warehouse.block(), "defaults": settings }));
    project.run(["run", "s", "--quiet"])
}

/// The rows of a query, cells with a bar between them, lines with a space.
fn rows(warehouse: &Warehouse, sql: &str) -> String {
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "~".to_owned());
    let line = |row: &Vec<Option<String>>| row.iter().map(cell).collect::<Vec<_>>().join("|");
    warehouse.rows(sql).iter().map(line).collect::<Vec<_>>().join(" ")
}

const STATE: &str = r#"{"type":"STATE","value":{}}"#;

#[test]
fn deleted_records_are_removed_or_marked_or_loaded_as_the_pipeline_says() {
    let schema = r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"},"v":{"type":["null","string"]}}},"key_properties":["id"]}"#;
    let lines = [
        schema,
        r#"{"type":"RECORD","stream":"a","record":{"id":1,"v":"x"}}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id":2,"v":"y"}}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id":3,"v":"z"}}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id":1,"v":null,"_sdc_deleted_at":"2024-01-02T03:04:05.000000+00:00+00:00"}}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id":2,"_sdc_deleted_at":true}}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id":2,"v":"again","_sdc_deleted_at":null}}"#,
        STATE,
    ];
    for (settings, expected) in [
        (json!({}), "1|x|true 2|again|false 3|z|false"),
        (json!({ "deletes": "soft" }), "1|x|true 2|again|false 3|z|false"),
        (json!({ "deletes": "hard" }), "2|again|false 3|z|false"),
        (json!({ "deletes": "ignore" }), "1|~|~ 2|again|~ 3|z|~"),
    ] {
        let project = Project::new();
        for (name, warehouse) in warehouses(&project) {
            let _ = run(&project, &warehouse, &settings, &lines).expect_code(0);
            let marked = if settings["deletes"] == "ignore" {
                "NULL"
            } else {
                "CASE WHEN _sdc_deleted_at IS NULL THEN 'false' ELSE 'true' END"
            };
            let sql = format!("SELECT id, v, {marked} FROM a ORDER BY id");
            assert_eq!(rows(&warehouse, &sql), expected, "{name} {settings}");
        }
    }
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let keyless = json!({ "deletes": "hard", "key_properties": [] });
    let outcome = run(&project, &warehouse, &keyless, &lines).expect_code(65);
    assert!(outcome.stderr.contains("E0233") && outcome.stderr.contains("deletes: ignore"), "{outcome}");
    let jsonl = json!({ "name": "target-jsonl", "config": { "path": "out" } });
    let tap = Project::replay(&project.path().join("lines.singer"));
    project.pipeline("j", &json!({ "tap": tap, "target": jsonl, "defaults": { "deletes": "soft" } }));
    let outcome = project.run(["run", "j"]).expect_code(78);
    assert!(outcome.stderr.contains("E0123"), "{outcome}");
}
