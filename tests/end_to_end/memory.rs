//! How much memory a run takes. Measured on a release build: `cargo nextest run -p tests --run-ignored only memory`.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tests::processes::measure;
use tests::programs;
use tests::project::Project;
use tests::script::{Act, Script};
use tests::warehouse::Warehouse;

use crate::batch_files::batch;
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

/// One packed file of 4 million records, 830 MiB unpacked. Into DuckDB, half as
/// many took 31 MiB less.
fn a_big_batch_file(warehouse: impl Fn(&Project) -> Warehouse, limit: u64) {
    const RECORDS: u64 = 4_000_000;
    let project = Project::with(programs::tapster_release());
    let warehouse = warehouse(&project);
    let path = project.write("spool/big.jsonl.gz", "");
    let file = BufWriter::new(File::create(&path).expect("a file"));
    let mut packed = GzEncoder::new(file, Compression::fast());
    for id in 0..RECORDS {
        let text = format!("{id:0>180}");
        writeln!(packed, r#"{{"id":{id},"text":"{text}","n":{}}}"#, id % 7).expect("written");
    }
    packed.finish().and_then(|mut file| file.flush()).expect("written");
    let schema =
        json!({ "id": { "type": "integer" }, "text": { "type": "string" }, "n": { "type": "integer" } });
    let schema = json!({ "type": "SCHEMA", "stream": "big", "key_properties": ["id"], "schema": { "properties": schema } });
    let messages = [
        format!("{schema}\n"),
        batch("big", "jsonl", &json!("gzip"), &[&path]),
        json!({ "type": "STATE", "value": { "n": 1 } }).to_string() + "\n",
    ];
    let mut tap = Project::replay(&project.write("messages", messages.concat()));
    tap["batch_roots"] = json!(["spool"]);
    project.pipeline("orders", &json!({ "tap": tap, "target": warehouse.block() }));
    let peak = peak(&project);
    eprintln!("a file of {RECORDS} records: peak {} MiB of {}", peak / MIB, limit / MIB);
    assert_eq!(warehouse.value("SELECT count(*) FROM big"), Some(RECORDS.to_string()));
    assert!(peak < limit, "{} MiB", peak / MIB);
}

#[test]
#[ignore = "measures a release build"]
fn memory_of_a_big_batch_file_into_postgres() {
    a_big_batch_file(|_| Warehouse::postgres(), 128 * MIB);
}

#[test]
#[ignore = "measures a release build"]
fn memory_of_a_big_batch_file_into_duckdb() {
    a_big_batch_file(|project| Warehouse::duckdb(project.path()), 448 * MIB);
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
