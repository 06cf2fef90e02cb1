//! How much memory a run takes. Measured on a release build: `cargo nextest run -p tests --run-ignored only memory`.

use serde_json::json;
use tests::processes::measure;
use tests::programs;
use tests::project::Project;
use tests::script::{Act, Script};
use tests::warehouse::Warehouse;

use crate::support::scripted;

const MIB: u64 = 1 << 20;

/// Runs to the end; gives the most memory that tapster had resident.
fn peak(project: &Project) -> u64 {
    let measured = measure(&project.tapster(["run", "orders", "--quiet"]));
    assert_eq!(measured.code, 0, "{}", measured.stderr);
    measured.peak_resident
}

fn big_record(warehouse: impl Fn(&Project) -> Warehouse, limit: u64) {
    let project = Project::with(programs::tapster_release());
    let warehouse = warehouse(&project);
    let script = Script::plain(3, 100).act(51, Act::BigRecord(200 * 1000 * 1000));
    let mut pipeline = scripted(&script, &warehouse);
    pipeline["limits"]["line_bytes"] = json!("256MiB");
    project.pipeline("orders", &pipeline);
    let peak = peak(&project);
    eprintln!("a record of 200 MB: peak {} MiB of {}", peak / MIB, limit / MIB);
    assert_eq!(
        warehouse.value("SELECT length(text) FROM items WHERE id = 1000000").as_deref(),
        Some("200000000")
    );
    assert!(peak < limit, "{} MiB", peak / MIB);
}

fn many_records(warehouse: impl Fn(&Project) -> Warehouse, limit: u64) {
    let project = Project::with(programs::tapster_release());
    let warehouse = warehouse(&project);
    let script = Script { state_every: 100_000, keys: 1 << 40, ..Script::plain(3, 5_000_000) };
    let mut pipeline = scripted(&script, &warehouse);
    pipeline["limits"] = json!({});
    project.pipeline("orders", &pipeline);
    let peak = peak(&project);
    eprintln!("5 million records: peak {} MiB of {}", peak / MIB, limit / MIB);
    assert_eq!(warehouse.value("SELECT count(*) FROM events").as_deref(), Some("2500000"));
    assert!(peak < limit, "{} MiB", peak / MIB);
}

#[test]
#[ignore = "measures a release build"]
fn memory_of_a_big_record_into_postgres() {
    big_record(|_| Warehouse::postgres(), 640 * MIB);
}

#[test]
#[ignore = "measures a release build"]
fn memory_of_a_big_record_into_duckdb() {
    big_record(|project| Warehouse::duckdb(project.path()), 1024 * MIB);
}

#[test]
#[ignore = "measures a release build"]
fn memory_of_many_records_into_postgres() {
    many_records(|_| Warehouse::postgres(), 128 * MIB);
}

#[test]
#[ignore = "measures a release build"]
fn memory_of_many_records_into_duckdb() {
    many_records(|project| Warehouse::duckdb(project.path()), 320 * MIB);
}
