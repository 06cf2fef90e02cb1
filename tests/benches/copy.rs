//! A PostgreSQL table into a new PostgreSQL table, and again into the full one, beside the server's own way: COPY
//! BINARY out of the one, piped into COPY BINARY into the other.
//!
//! Both sides are whole programs on one server that keeps what it commits as in production. They take turns, so that
//! a busy minute slows both.

#![expect(clippy::print_stdout, reason = "the turns are what one waits for")]
#![expect(clippy::cast_precision_loss, reason = "bytes are for people")]

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use target_testkit::postgres::{Cluster, Database, Durability};
use tests::figures::{Figures, Peak, TURNS, Watch, number, peer, seconds};
use tests::programs;
use tests::project::Project;
use tests::psql::{psql, psql_command};
use tests::warehouse::Warehouse;

#[path = "source/orders.rs"]
mod source;

/// What our processes may have resident together, and what files of records may lie beside them.
const RESIDENT: u64 = 150 << 20;
const FILES: u64 = 64 << 20;

/// The server's own way.
fn pipe(database: &Database) -> f64 {
    psql(database, ["TRUNCATE pipe.orders", "CHECKPOINT"]);
    seconds(|| {
        let mut out = psql_command(database)
            .args(["-c", "COPY shop.orders TO STDOUT (FORMAT binary)"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql starts");
        let rows = out.stdout.take().expect("it is piped");
        let mut into: Command = psql_command(database);
        into.args(["-c", "COPY pipe.orders FROM STDIN (FORMAT binary)"]).stdin(rows);
        assert!(into.status().expect("psql starts").success());
        assert!(out.wait().expect("it ran").success());
    })
}

fn run(project: &Project, database: &Database, pipeline: &str) -> (f64, Peak) {
    psql(database, ["CHECKPOINT"]);
    let watch = Watch::start(project.path());
    let took = seconds(|| drop(project.run(["run", pipeline, "--quiet"]).expect_code(0)));
    (took, watch.end())
}

fn assert_same(warehouse: &Warehouse, table: &str) {
    let columns = "id, order_uuid, customer_id, customer_email, status, currency, amount, discount, \
                   quantity::bigint, is_gift, note, tags, shipping, created_at, updated_at";
    let differ = format!(
        "SELECT count(*) FROM (SELECT {columns} FROM shop.orders) s \
         FULL JOIN (SELECT {columns} FROM {table}) c ON s = c WHERE s IS NULL OR c IS NULL"
    );
    assert_eq!(warehouse.value(&differ).as_deref(), Some("0"), "both have the same rows");
}

/// Programs that do the same, once each.
fn peers(figures: &mut Figures, database: &Database, pipes: &[f64]) {
    let settings = database.settings();
    let text = |name: &str| match &settings[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (user, password, host) = (text("user"), text("password"), text("host"));
    let url = format!("postgresql://{user}:{password}@{host}:{}/{}", text("port"), text("database"));
    let arguments: [(&str, &[&str]); 2] = [
        (
            "ingestr",
            &[
                "ingest",
                "--yes",
                "--source-table",
                "shop.orders",
                "--dest-table",
                "peer.orders",
                "--source-uri",
                &url,
            ][..],
        ),
        (
            "sling",
            &["run", "--src-stream", "shop.orders", "--tgt-object", "peer.orders", "--src-conn", &url][..],
        ),
    ];
    for (name, words) in arguments {
        let Some(program) = peer(name, name) else { continue };
        let target = if name == "sling" { "--tgt-conn" } else { "--dest-uri" };
        let mut command = Command::new(program);
        let url = if name == "sling" { format!("{url}?sslmode=disable") } else { url.clone() };
        command.args(words).args([target, &url]).stdout(Stdio::null()).stderr(Stdio::null());
        psql(database, ["DROP SCHEMA IF EXISTS peer CASCADE", "CREATE SCHEMA peer", "CHECKPOINT"]);
        let mut ended = None;
        let took = seconds(|| ended = command.status().ok());
        if ended.is_some_and(|status| status.success()) {
            figures.peer(name, "the same rows into a new table", took, pipes);
        } else {
            println!("{name} failed");
        }
    }
}

fn main() {
    let rows = number("TAPSTER_BENCH_ROWS", 1_000_000);
    let project = Project::with(programs::tapster_release());
    let cluster = Cluster::start(Durability::Full);
    let warehouse = Warehouse::postgres_in(&cluster);
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
    source::make_orders(database, rows);
    psql(database, ["CREATE SCHEMA pipe", "CREATE TABLE pipe.orders (LIKE shop.orders INCLUDING ALL)"]);
    let mut pipeline = json!({
        "tap": source::tap(database, &["shop"]),
        "target": warehouse.block(),
        "defaults": { "target_schema": "copy", "target_table": "{table}" },
    });
    project.pipeline("orders", &pipeline);
    pipeline["defaults"] =
        json!({ "target_schema": "whole", "target_table": "{table}", "load_method": "overwrite" });
    project.pipeline("whole", &pipeline);
    let (mut pipes, mut firsts, mut agains, mut overs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut resident, mut files) = (Vec::new(), Vec::new());
    for turn in 1..=TURNS {
        psql(
            database,
            ["DROP SCHEMA IF EXISTS copy CASCADE", "DROP TABLE IF EXISTS _tapster_state, _tapster_tables"],
        );
        psql(database, ["DROP SCHEMA IF EXISTS whole CASCADE"]);
        pipes.push(pipe(database));
        let (first, peak) = run(&project, database, "orders");
        assert_same(&warehouse, "copy.orders");
        let (again, _) = run(&project, database, "orders");
        assert_same(&warehouse, "copy.orders");
        run(&project, database, "whole");
        let (over, _) = run(&project, database, "whole");
        assert_same(&warehouse, "whole.orders");
        println!(
            "turn {turn}: pipe {:.2} s, tapster {first:.2} s, again {again:.2} s, overwritten {over:.2} s",
            pipes[turn - 1]
        );
        firsts.push(first);
        agains.push(again);
        overs.push(over);
        resident.push(peak.resident as f64);
        files.push(peak.files as f64);
    }
    let (mut figures, against) = (Figures::default(), "`COPY BINARY` of the table piped into `COPY BINARY`");
    let what = |into: &str| format!("copy {rows} rows of a PostgreSQL table into {into}");
    figures.ratio(&what("a new one"), against, 1.3, &firsts, &pipes);
    figures.ratio(&what("the full one, merged by key"), against, 2.0, &agains, &pipes);
    figures.ratio(&what("the full one, `load_method: overwrite`"), against, 2.0, &overs, &pipes);
    figures.bytes("resident memory of all processes of that copy together", RESIDENT, &resident);
    figures.bytes("files of records that wait beside them", FILES, &files);
    peers(&mut figures, database, &pipes);
    figures.finish();
}
