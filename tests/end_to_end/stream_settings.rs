//! The settings of streams, each loaded into DuckDB and PostgreSQL.

mod config;
mod flatten;
mod overwrite;
mod shared;

use serde_json::{Value, json};
use tests::project::{Outcome, Project};
use tests::warehouse::{Warehouse, block_on};

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

/// Whoever reads by the view would see another type, or the server would refuse.
#[test]
fn a_view_that_keeps_a_column_from_being_widened_is_named() {
    let (project, warehouse) = (Project::new(), Warehouse::postgres());
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
    block_on(database.execute("CREATE SCHEMA reports"));
    for (stream, flags) in [("a", &[][..]), ("b", &["--json"])] {
        let load = |kind: &str, id: u32, value: &str| {
            let lines = [
                format!(
                    r#"{{"type":"SCHEMA","stream":"{stream}","schema":{{"properties":{{"id":{{"type":"integer"}},"v":{{"type":"{kind}"}}}}}},"key_properties":["id"]}}"#
                ),
                format!(r#"{{"type":"RECORD","stream":"{stream}","record":{{"id":{id},"v":{value}}}}}"#),
                STATE.to_owned(),
            ];
            let lines = project.write("lines.singer", lines.join("\n") + "\n");
            project.pipeline(stream, &json!({ "tap": Project::replay(&lines), "target": warehouse.block() }));
            project.run([&["run", stream], flags].concat()).expect_code(0)
        };
        let _ = load("integer", 1, "1");
        block_on(database.execute(&format!("CREATE VIEW reports.{stream} AS SELECT v FROM {stream}")));
        let told = load("number", 2, "2.5");
        let why = format!("the view reports.{stream} depends on it");
        if flags.is_empty() {
            assert!(told.stderr.contains(&why), "{told}");
        } else {
            let document: Value = serde_json::from_str(&told.stdout).expect("a document");
            assert!(document["warnings"].to_string().contains(&why), "{told}");
        }
        assert_eq!(rows(&warehouse, &format!("SELECT v FROM reports.{stream} ORDER BY v")), "1 ~");
    }
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
    let project = Project::new();
    for (name, warehouse) in warehouses(&project) {
        for (table, deletes, expected) in [
            ("unsaid", None, "1|x|true 2|again|false 3|z|false"),
            ("soft", Some("soft"), "1|x|true 2|again|false 3|z|false"),
            ("hard", Some("hard"), "2|again|false 3|z|false"),
            ("ignore", Some("ignore"), "1|~|~ 2|again|~ 3|z|~"),
        ] {
            let lines =
                lines.map(|line| line.replace("\"stream\":\"a\"", &format!("\"stream\":\"{table}\"")));
            let settings = deletes.map_or(json!({}), |deletes| json!({ "deletes": deletes }));
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let _ = run(&project, &warehouse, &settings, &lines).expect_code(0);
            let marked = match table {
                "ignore" => "NULL",
                _ => "CASE WHEN _sdc_deleted_at IS NULL THEN 'false' ELSE 'true' END",
            };
            let sql = format!("SELECT id, v, {marked} FROM \"{table}\" ORDER BY id");
            assert_eq!(rows(&warehouse, &sql), expected, "{name} {table}");
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

#[test]
fn values_that_the_target_cannot_hold_become_what_the_pipeline_says() {
    let schema = r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"},"d":{"type":"string","format":"date"},"seen":{"type":"string","format":"date-time"},"n":{"type":"integer"},"t":{"type":"string"}}},"key_properties":["id"]}"#;
    let lines = [
        schema,
        r#"{"type":"RECORD","stream":"a","record":{"id":1,"d":"0000-00-00","seen":"2023-02-30T00:00:00Z","n":NaN,"t":"a\u0000b"}}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id":2,"d":"10000-01-01","seen":"2024-01-01 24:00:00","n":-Infinity,"t":"c"}}"#,
        r#"{"type":"RECORD","stream":"a","record":{"id":3,"d":"0044-03-15 BC","seen":"2024-06-30T23:59:60Z","n":1,"t":"d"}}"#,
        STATE,
    ];
    let project = Project::new();
    for (name, warehouse) in warehouses(&project) {
        let outcome = run(&project, &warehouse, &json!({}), &lines).expect_code(65);
        assert!(outcome.stderr.contains("values: { "), "{outcome}");
        let clamp = json!({ "values": { "dates": "clamp", "nan": "set_null", "nul": "strip" } });
        let _ = run(&project, &warehouse, &clamp, &lines).expect_code(0);
        let sql = "SELECT CAST(d AS VARCHAR), CAST(n AS VARCHAR), t, extract(day FROM seen), extract(month FROM seen) \
                   FROM a ORDER BY id";
        let clamped = rows(&warehouse, sql);
        assert!(clamped.starts_with("0001-01-01|~|ab|28|2 "), "{name} {clamped}");
        assert!(clamped.contains("10000-01-01|~|c|2|1 ") && clamped.contains("BC"), "{name} {clamped}");
        assert!(clamped.ends_with("|1|d|1|7"), "{name} {clamped}");
        let null = json!({ "values": { "dates": "set_null", "nan": "set_null", "nul": "replace" } });
        let _ = run(&project, &warehouse, &null, &lines).expect_code(0);
        let found = rows(&warehouse, sql);
        assert!(found.starts_with("~|~|a\u{fffd}b|~|~ 10000-01-01|~|c|2|1 "), "{name} {found}");
    }
}

#[test]
fn a_column_has_the_type_of_the_schema_that_the_pipeline_gives_it() {
    let schema = r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"},"amount":{"type":"string"},"day":{"type":"string"}}},"key_properties":["id"]}"#;
    let record = r#"{"type":"RECORD","stream":"a","record":{"id":1,"amount":"12.50","day":"2024-02-29"}}"#;
    let columns = json!({
        "amount": { "schema": { "type": ["null", "string"], "format": "singer.decimal" } },
        "d*": { "schema": { "type": "string", "format": "date" } },
        "day": "include",
    });
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let settings = json!({ "columns": columns });
    let _ = run(&project, &warehouse, &settings, &[schema, record, STATE]).expect_code(0);
    assert_eq!(rows(&warehouse, "SELECT amount + 1, day + 1, typeof(day) FROM a"), "13.5|2024-03-01|DATE");
    for bad in [json!({ "a": { "schema": { "type": "strin" } } }), json!({ "a.b": { "schema": {} } })] {
        let outcome = run(&project, &warehouse, &json!({ "columns": bad }), &[schema, STATE]).expect_code(78);
        assert!(outcome.stderr.contains("must be the JSON Schema of a column"), "{outcome}");
    }
}
