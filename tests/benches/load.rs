//! Loading the order stream from a file into a new PostgreSQL table, and again into the full one, beside `\copy` of the
//! same rows into a new one.
//!
//! Both sides are whole programs, a release build of tapster and psql, on one server that keeps what it commits as
//! in production. They take turns, so that a busy minute slows both.

#![expect(clippy::print_stdout, reason = "the turns are what one waits for")]
#![expect(clippy::cast_precision_loss, reason = "of the random fractions of the stream")]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use target_testkit::postgres::{Cluster, Database, Durability};
use tests::figures::{Figures, TURNS, number, peer, seconds};
use tests::programs;
use tests::project::Project;
use tests::psql::psql;
use tests::warehouse::Warehouse;

#[path = "../../crates/columns/benches/decode/orders.rs"]
mod orders;

/// What tapster keeps beside the table goes too: each load is a first one.
const EMPTY: &str = "DROP TABLE IF EXISTS orders, _tapster_state, _tapster_tables";

fn write_stream(path: &Path, records: u64) {
    let mut file = File::create(path).expect("the stream's file");
    writeln!(file, "{}", orders::SCHEMA.replace('\n', "")).expect("the SCHEMA");
    file.write_all(&orders::lines(records)).expect("the records");
}

fn load(project: &Project, database: &Database) -> f64 {
    psql(database, ["CHECKPOINT"]);
    seconds(|| drop(project.run(["run", "orders", "--quiet"]).expect_code(0)))
}

fn copy(database: &Database, csv: &Path) -> f64 {
    psql(database, ["DROP TABLE IF EXISTS copied", "CREATE TABLE copied (LIKE orders INCLUDING ALL)"]);
    psql(database, ["CHECKPOINT"]);
    let copy = format!("\\copy copied from '{}' with (format csv)", csv.display());
    seconds(|| psql(database, [copy.as_str()]))
}

fn assert_same(database: &Database, records: u64) {
    let columns = "id, order_uuid, customer_id, customer_email, status, currency, amount, discount, quantity, is_gift, \
                   note, tags, shipping, created_at, updated_at";
    let differ = format!(
        "SELECT count(*) FROM (SELECT {columns} FROM orders) o FULL JOIN (SELECT {columns} FROM copied) c ON o = c \
         WHERE o IS NULL OR c IS NULL"
    );
    let warehouse = Warehouse::Postgres(database.clone());
    assert_eq!(warehouse.value("SELECT count(*) FROM orders"), Some(records.to_string()));
    assert_eq!(warehouse.value(&differ).as_deref(), Some("0"), "both sides load the same rows");
}

/// Targets of others with the same stream, once each.
fn peers(figures: &mut Figures, project: &Project, database: &Database, stream: &Path, copies: &[f64]) {
    let settings = database.settings();
    let plain = json!({
        "host": settings["host"], "port": settings["port"], "user": settings["user"],
        "password": settings["password"], "dbname": settings["database"], "database": settings["database"],
        "default_target_schema": "peer", "dialect+driver": "postgresql+psycopg",
    });
    let numbers: [(&str, &[&str]); 2] = [
        ("pipelinewise-target-postgres", &["dialect+driver", "database"]),
        ("meltanolabs-target-postgres", &["dbname"]),
    ];
    for (name, without) in numbers {
        let Some(program) = peer(name, "target-postgres") else { continue };
        let mut config = plain.clone();
        for key in without {
            drop(config.as_object_mut().and_then(|config| config.remove(*key)));
        }
        if let Some(port) = config.get_mut("port").filter(|port| port.is_string()) {
            *port = port.as_str().and_then(|port| port.parse::<u64>().ok()).map_or(Value::Null, Value::from);
        }
        let config = project.write("peer.json", config.to_string());
        psql(database, ["DROP SCHEMA IF EXISTS peer CASCADE", "CREATE SCHEMA peer", "CHECKPOINT"]);
        let mut command = Command::new(program);
        command.arg("--config").arg(config).stdin(File::open(stream).expect("the stream"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut ended = None;
        let took = seconds(|| ended = command.status().ok());
        if ended.is_some_and(|status| status.success()) {
            figures.peer(name, "the same stream into a new table", took, copies);
        } else {
            println!("{name} failed");
        }
    }
}

fn main() {
    let records = number("TAPSTER_BENCH_RECORDS", 500_000);
    let project = Project::with(programs::tapster_release());
    let cluster = Cluster::start(Durability::Full);
    let warehouse = Warehouse::postgres_in(&cluster);
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
    let (stream, csv) = (project.path().join("orders.singer"), project.path().join("orders.csv"));
    write_stream(&stream, records);
    project.pipeline("orders", &json!({ "tap": Project::replay(&stream), "target": warehouse.block() }));
    load(&project, database);
    let out = format!("\\copy (SELECT * FROM orders) to '{}' with (format csv)", csv.display());
    psql(database, [out.as_str()]);
    let (mut copies, mut loads, mut replaced, mut upserted) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for turn in 1..=TURNS {
        psql(
            database,
            ["DROP TABLE IF EXISTS copied", "CREATE TABLE copied (LIKE orders INCLUDING ALL)", EMPTY],
        );
        loads.push(load(&project, database));
        copies.push(copy(database, &csv));
        assert_same(database, records);
        replaced.push(load(&project, database));
        assert_same(database, records);
        // A column that the records lack is to be kept, so that no row may be put in the place of another.
        psql(database, ["ALTER TABLE orders ADD COLUMN ours int"]);
        upserted.push(load(&project, database));
        assert_same(database, records);
        println!(
            "turn {turn}: \\copy {:.2} s, tapster {:.2} s, merged {:.2} s, by ON CONFLICT {:.2} s",
            copies[turn - 1],
            loads[turn - 1],
            replaced[turn - 1],
            upserted[turn - 1]
        );
    }
    let (mut figures, against) =
        (Figures::default(), "`\\copy` of the same rows from a CSV into a new table");
    let what = |into: &str| format!("load {records} records from a Singer file into {into}");
    figures.ratio(&what("a new PostgreSQL table"), against, 0.9, &loads, &copies);
    figures.ratio(&what("the full one, by DELETE + INSERT"), against, 1.5, &replaced, &copies);
    figures.ratio(&what("the full one, by ON CONFLICT"), against, 1.7, &upserted, &copies);
    peers(&mut figures, &project, database, &stream, &copies);
    figures.finish();
}
