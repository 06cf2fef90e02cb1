//! A PostgreSQL table into a new PostgreSQL table, and again into the full one, beside the server's own way: COPY
//! BINARY out of the one, piped into COPY BINARY into the other.
//!
//! Both sides are whole programs on one server that keeps what it commits as in production. They take turns, so that
//! a busy minute slows both.

#![expect(clippy::cast_precision_loss, reason = "rates are for people")]
#![expect(clippy::print_stdout, reason = "the ratios are what this bench is for")]

use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;
use target_testkit::postgres::{Cluster, Database, Durability};
use tests::programs;
use tests::project::Project;
use tests::psql::{psql, psql_command};
use tests::warehouse::Warehouse;

/// Rows of the table; `TAPSTER_BENCH_ROWS` says another number.
const ROWS: u64 = 1_000_000;
const TURNS: usize = 5;
/// How many times the seconds of the pipe a first run may take, and a second one into the same table.
const MOST: f64 = 1.3;
const MOST_AGAIN: f64 = 2.0;

/// The bench's orders: fifteen columns of the usual types, 300 bytes a row.
const ORDERS: &str = "
CREATE SCHEMA shop; CREATE SCHEMA pipe;
SELECT setseed(0.42);
CREATE TABLE shop.orders (id bigint PRIMARY KEY, order_uuid uuid, customer_id bigint, customer_email text,
  status text, currency text, amount numeric(14,2), discount double precision, quantity integer, is_gift boolean,
  note text, tags jsonb, shipping jsonb, created_at timestamptz, updated_at timestamptz);
INSERT INTO shop.orders SELECT i, gen_random_uuid(), (random() * 200000)::int,
  CASE WHEN random() > 0.02 THEN format('user%s@example.com', (random() * 200000)::int) END,
  (ARRAY['pending', 'paid', 'shipped', 'delivered', 'returned', 'cancelled'])[1 + (random() * 5)::int],
  (ARRAY['USD', 'EUR', 'JPY'])[1 + (random() * 2)::int], (random() * 1000)::numeric(14,2),
  CASE WHEN random() > 0.5 THEN random() END, 1 + (random() * 18)::int, random() > 0.9,
  CASE WHEN random() > 0.07 THEN repeat('naïve café “tea” 日本 ', (random() * 5)::int) END,
  to_jsonb((ARRAY['quick', 'brown', 'fox'])[1:(random() * 3)::int]),
  jsonb_build_object('city', 'São Paulo', 'zip', (random() * 99999)::int::text, 'lat', round((random() * 90)::numeric, 5)),
  '2020-01-01Z'::timestamptz + i * interval '37 seconds', '2021-01-01Z'::timestamptz + random() * interval '1 year'
FROM generate_series(1, :rows) i;
CREATE TABLE pipe.orders (LIKE shop.orders INCLUDING ALL);
ANALYZE shop.orders";

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

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

fn run(project: &Project, database: &Database) -> f64 {
    psql(database, ["CHECKPOINT"]);
    seconds(|| drop(project.run(["run", "orders", "--quiet"]).expect_code(0)))
}

fn assert_same(warehouse: &Warehouse) {
    let columns = "id, order_uuid, customer_id, customer_email, status, currency, amount, discount, \
                   quantity::bigint, is_gift, note, tags, shipping, created_at, updated_at";
    let differ = format!(
        "SELECT count(*) FROM (SELECT {columns} FROM shop.orders) s \
         FULL JOIN (SELECT {columns} FROM copy.orders) c ON s = c WHERE s IS NULL OR c IS NULL"
    );
    assert_eq!(warehouse.value(&differ).as_deref(), Some("0"), "both have the same rows");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let rows = std::env::var("TAPSTER_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(ROWS);
    let project = Project::with(programs::tapster_release());
    let cluster = Cluster::start(Durability::Full);
    let warehouse = Warehouse::postgres_in(&cluster);
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
    let make = ORDERS.replace(":rows", &rows.to_string());
    psql(database, make.split(';').map(str::trim).filter(|sql| !sql.is_empty()));
    let mut config = database.settings();
    config["filter_schemas"] = json!(["shop"]);
    project.pipeline(
        "orders",
        &json!({
            "tap": { "name": "tap-postgres", "config": config },
            "target": warehouse.block(),
            "defaults": { "target_schema": "copy", "target_table": "{table}" },
        }),
    );
    let (mut pipes, mut firsts, mut agains) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 1..=TURNS {
        psql(
            database,
            ["DROP SCHEMA IF EXISTS copy CASCADE", "DROP TABLE IF EXISTS _tapster_state, _tapster_tables"],
        );
        let (by_pipe, first) = (pipe(database), run(&project, database));
        assert_same(&warehouse);
        let again = run(&project, database);
        assert_same(&warehouse);
        println!("turn {turn}: pipe {by_pipe:.2} s, tapster {first:.2} s, again {again:.2} s");
        pipes.push(by_pipe);
        firsts.push(first);
        agains.push(again);
    }
    let (by_pipe, first, again) = (median(pipes), median(firsts), median(agains));
    println!("\n{rows} rows: pipe {by_pipe:.2} s; tapster {first:.2} s, {:.0} rows/s", rows as f64 / first);
    println!("into a new table: {:.2} of the pipe's seconds (at most {MOST})", first / by_pipe);
    println!("into the full table: {:.2} (at most {MOST_AGAIN})", again / by_pipe);
    assert!(first / by_pipe <= MOST && again / by_pipe <= MOST_AGAIN, "a limit is broken");
}
