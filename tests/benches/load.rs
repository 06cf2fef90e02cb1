//! Loading the order stream from a file into a new PostgreSQL table, beside `\copy` of the same rows.
//!
//! Both sides are whole programs, a release build of tapster and psql, on one server that keeps what it commits as
//! in production. They take turns, so that a busy minute slows both.

#![expect(clippy::cast_precision_loss, reason = "rates are for people")]
#![expect(clippy::print_stdout, reason = "the ratio of the two times is what this bench is for")]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use target_testkit::postgres::{Cluster, Database, Durability};
use tests::programs;
use tests::project::Project;
use tests::psql::psql;
use tests::warehouse::Warehouse;

#[path = "../../crates/columns/benches/decode/orders.rs"]
mod orders;

const RECORDS: u64 = 500_000;
/// Turns of each side. The quickest of each is compared: what a turn takes longer is somebody else's work.
const TURNS: usize = 5;
/// How many times the seconds of `\copy` a load may take.
const MOST: f64 = 2.0;

/// What tapster keeps beside the table goes too: each load is a first one.
const EMPTY: &str = "DROP TABLE IF EXISTS orders, _tapster_state, _tapster_tables";

fn write_stream(path: &Path) {
    let mut file = File::create(path).expect("the stream's file");
    writeln!(file, "{}", orders::SCHEMA.replace('\n', "")).expect("the SCHEMA");
    file.write_all(&orders::lines(RECORDS)).expect("the records");
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn load(project: &Project, database: &Database) -> f64 {
    psql(database, [EMPTY, "CHECKPOINT"]);
    seconds(|| drop(project.run(["run", "orders", "--quiet"]).expect_code(0)))
}

fn copy(database: &Database, csv: &Path) -> f64 {
    psql(database, ["DROP TABLE IF EXISTS copied", "CREATE TABLE copied (LIKE orders INCLUDING ALL)"]);
    psql(database, ["CHECKPOINT"]);
    let copy = format!("\\copy copied from '{}' with (format csv)", csv.display());
    seconds(|| psql(database, [copy.as_str()]))
}

/// The same rows as `\copy` takes them, and that they are the same.
fn prepare(project: &Project, database: &Database, csv: &Path) {
    load(project, database);
    let out = format!("\\copy (SELECT * FROM orders) to '{}' with (format csv)", csv.display());
    psql(database, [out.as_str()]);
    copy(database, csv);
    let differ = "SELECT count(*) FROM orders o FULL JOIN copied c ON o = c WHERE o IS NULL OR c IS NULL";
    let warehouse = Warehouse::Postgres(database.clone());
    assert_eq!(warehouse.value("SELECT count(*) FROM orders"), Some(RECORDS.to_string()));
    assert_eq!(warehouse.value(differ).as_deref(), Some("0"), "both sides load the same rows");
}

fn main() {
    let project = Project::with(programs::tapster_release());
    let cluster = Cluster::start(Durability::Full);
    let warehouse = Warehouse::postgres_in(&cluster);
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
    let (stream, csv) = (project.path().join("orders.singer"), project.path().join("orders.csv"));
    write_stream(&stream);
    project.pipeline("orders", &json!({ "tap": Project::replay(&stream), "target": warehouse.block() }));
    prepare(&project, database, &csv);
    let (mut loads, mut copies) = (f64::INFINITY, f64::INFINITY);
    for turn in 1..=TURNS {
        let (load, copy) = (load(&project, database), copy(database, &csv));
        println!("turn {turn}: tapster {load:.2} s, \\copy {copy:.2} s");
        (loads, copies) = (loads.min(load), copies.min(copy));
    }
    let ratio = loads / copies;
    let rate = RECORDS as f64 / loads;
    println!("\n{RECORDS} records into a new PostgreSQL table: {loads:.2} s, {rate:.0} records/s");
    println!("\\copy of the same rows: {copies:.2} s");
    println!("ratio: {ratio:.2} (at most {MOST:.1})");
    assert!(ratio <= MOST, "loading takes {ratio:.2} times as long as \\copy, and may take {MOST:.1}");
}
