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
