//! Streams whose names state the case, each loaded into DuckDB and PostgreSQL: exit code, error, and what is then
//! in the warehouse.

use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::json;
use tests::programs;
use tests::project::Project;
use tests::warehouse::Warehouse;

use crate::support::warehouses;

#[test]
fn every_stream_loads_as_its_snapshot_says() {
    let mut failed = Vec::new();
    for stream in streams() {
        let name = stream.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let text = load(&stream);
        let compared = catch_unwind(AssertUnwindSafe(|| {
            insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(name.as_str(), text);
            });
        }));
        failed.extend(compared.err().map(|_| name));
    }
    assert!(failed.is_empty(), "these streams do not load as their snapshots say: {failed:#?}");
}

/// What the tap sent before it died is covered as far as a STATE goes.
#[test]
fn a_recorded_tap_that_died_midway_is_named_and_what_a_state_covers_is_kept() {
    let project = Project::new();
    let [whole, crashed] =
        ["recorded-ppw-tap-postgres-incremental-1", "recorded-ppw-tap-postgres-crash-midway"]
            .map(|name| programs::file(&format!("streams/{name}.singer")).display().to_string());
    let script = format!("cat '{whole}' '{crashed}'; echo 'year 0 is out of range' >&2; exit 1");
    let tap = project.write("tap.sh", script);
    for (of, warehouse) in warehouses(&project) {
        let tap = json!({ "command": ["sh", tap], "catalog": false });
        project.pipeline(of, &json!({ "tap": tap, "target": warehouse.block() }));
        let failed = project.run(["run", of]).expect_code(76);
        assert!(failed.stderr.contains("error[E0401]: the tap exited 1"), "{failed}");
        assert!(failed.stderr.contains("year 0 is out of range"), "{failed}");
        assert_eq!(warehouse.value("SELECT count(*) FROM shop.orders").as_deref(), Some("60"));
        let after = warehouse.tables().iter().any(|table| table == "customers");
        assert!(!after || warehouse.value("SELECT count(*) FROM shop.customers").as_deref() == Some("0"));
        let state = warehouse.value("SELECT state FROM _tapster_state").unwrap_or_default();
        assert!(state.contains("\"currently_syncing\": \"shop-customers\""), "{state}");
    }
}

/// More than the buffers of pipes and readers hold, many times over.
#[test]
fn a_line_of_8_mb_is_loaded_whole() {
    const TIMES: usize = 8 * 1024 * 1024 / 14;
    let project = Project::new();
    let letters = "é\\n0123456789".repeat(TIMES);
    let schema = r#"{"type":"SCHEMA","stream":"a","key_properties":["id"],"schema":{"properties":{"id":{"type":"integer"},"v":{"type":"string"},"o":{"type":"object"}}}}"#;
    let record = |id: u32, v: &str| {
        format!(r#"{{"type":"RECORD","stream":"a","record":{{"id":{id},"v":"{v}","o":{{"in":"{v}"}}}}}}"#)
    };
    let (short, long) = (record(1, "short"), record(2, &letters));
    let messages = [schema, &short, &long, &short.replace(":1,", ":3,"), r#"{"type":"STATE","value":3}"#];
    let stream = project.write("long.singer", messages.join("\n"));
    for (of, warehouse) in warehouses(&project) {
        project.pipeline(of, &json!({ "tap": Project::replay(&stream), "target": warehouse.block() }));
        let _ = project.run(["run", of]).expect_code(0);
        let inside = if of == "duckdb" { "o->>'$.in'" } else { "o->>'in'" };
        let rows = warehouse.rows(&format!("SELECT id, md5(v), md5({inside}) FROM a ORDER BY id"));
        let sum = |text: &str| warehouse.value(&format!("SELECT md5({text})"));
        let long = sum(&format!("repeat(concat('é', chr(10), '0123456789'), {TIMES})"));
        let short = sum("'short'");
        let line = |id: &str, sum: &Option<String>| vec![Some(id.to_owned()), sum.clone(), sum.clone()];
        assert!(rows == [line("1", &short), line("2", &long), line("3", &short)], "{of}: {rows:?}");
    }
}

/// The page on loading points at what a reader can run.
#[test]
fn the_page_on_loading_names_streams_that_are_there() {
    let page = fs::read_to_string(programs::workspace().join("docs/reference/loading.md")).expect("the page");
    let (_, table) = page.split_once("| | what happens | stream |").expect("its table of streams");
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let there = streams();
    for row in &rows {
        let last = row.trim_matches(['|', ' ']).rsplit_once('|').map_or("", |(_, last)| last);
        let named = last.trim().trim_matches('`');
        let is_it = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == named);
        assert!(there.iter().any(is_it), "no such stream in tests/streams: {row}");
    }
    assert!(rows.len() >= 7, "{} rows", rows.len());
}

fn streams() -> Vec<PathBuf> {
    let entries = fs::read_dir(programs::file("streams")).expect("tests/streams").flatten();
    let mut streams: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    streams.retain(|path| path.extension().is_some_and(|extension| extension == "singer"));
    streams.sort();
    streams
}

/// Loads into both, once; what both say alike is said once.
fn load(stream: &Path) -> String {
    let project = Project::new();
    let texts = warehouses(&project).map(|(name, warehouse)| {
        project.pipeline("golden", &json!({ "tap": Project::replay(stream), "target": warehouse.block() }));
        let outcome = project.run(["run", "golden", "--quiet"]);
        let mut text = format!("exit code: {}\n", outcome.code.map_or(-1, i64::from));
        text += &outcome.stderr;
        (name, text + &contents(&warehouse))
    });
    let [(one, first), (other, second)] = texts;
    if first == second {
        return first;
    }
    format!("===== {one} =====\n{first}\n===== {other} =====\n{second}")
}

/// Tables with their columns and records, and the STATE.
fn contents(warehouse: &Warehouse) -> String {
    let mut text = String::new();
    if let Warehouse::DuckDb(path) = warehouse
        && !path.exists()
    {
        return text;
    }
    for (place, columns) in tables(warehouse) {
        let _ = writeln!(text, "\ntable {place} ({columns})");
        let quoted = place.split_once('.').map_or(place.clone(), |(schema, table)| {
            format!("\"{}\".\"{}\"", schema.replace('"', "\"\""), table.replace('"', "\"\""))
        });
        let mut rows: Vec<String> =
            warehouse.rows(&format!("SELECT * FROM {quoted}")).iter().map(|row| line(row)).collect();
        rows.sort();
        for row in rows {
            let _ = writeln!(text, "  {row}");
        }
    }
    if warehouse.tables().iter().any(|table| table == "_tapster_state") {
        for row in warehouse.rows("SELECT state FROM _tapster_state") {
            let _ = writeln!(text, "\nSTATE {}", row[0].as_deref().unwrap_or("none"));
        }
    }
    text
}

fn line(row: &[Option<String>]) -> String {
    row.iter()
        .map(|cell| cell.as_ref().map_or("∅".to_owned(), |text| format!("{text:?}")))
        .collect::<Vec<_>>()
        .join(" │ ")
}

/// Tables, as `schema.table`, and their columns.
fn tables(warehouse: &Warehouse) -> Vec<(String, String)> {
    let sql = match warehouse {
        Warehouse::DuckDb(_) => {
            "SELECT schema_name || '.' || table_name, string_agg(column_name || ' ' || data_type || \
             CASE WHEN is_nullable THEN '' ELSE ' not null' END, ', ' ORDER BY column_index) \
             FROM duckdb_columns() WHERE NOT internal AND NOT starts_with(table_name, '_tapster_') GROUP BY 1 ORDER BY 1"
        }
        Warehouse::Postgres(_) => {
            "SELECT n.nspname || '.' || c.relname, string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || \
             CASE WHEN a.attnotnull THEN ' not null' ELSE '' END, ', ' ORDER BY a.attnum) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid \
             WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND NOT starts_with(c.relname, '_tapster_') \
             AND n.nspname NOT IN ('pg_catalog', 'information_schema') GROUP BY 1 ORDER BY 1"
        }
    };
    let rows = warehouse.rows(sql);
    rows.into_iter().filter_map(|row| Some((row[0].clone()?, row[1].clone()?))).collect()
}
