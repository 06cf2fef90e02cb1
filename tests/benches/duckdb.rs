//! A PostgreSQL table into a DuckDB file, beside DuckDB loading the same rows from a CSV.

#![expect(clippy::print_stdout, reason = "the turns are what one waits for")]

use std::fs;
use std::path::Path;

use serde_json::json;
use target_testkit::postgres::{Cluster, Durability};
use tests::figures::{Figures, TURNS, number, seconds};
use tests::programs;
use tests::project::Project;
use tests::psql::psql;
use tests::warehouse::Warehouse;

#[path = "source/orders.rs"]
mod source;

const TABLE: &str = "id bigint, order_uuid uuid, customer_id bigint, customer_email text, status text, currency text, \
                     amount decimal(14, 2), discount double, quantity bigint, is_gift boolean, note text, tags json, \
                     shipping json, created_at timestamptz, updated_at timestamptz";

/// DuckDB's own way, with the types that the table has behind tapster.
fn load_csv(file: &Path, csv: &Path) -> f64 {
    let _ = fs::remove_file(file);
    seconds(|| {
        let connection = duckdb::Connection::open(file).expect("a file");
        let load = format!(
            "CREATE TABLE orders ({TABLE}); INSERT INTO orders SELECT * FROM read_csv('{}', header = true)",
            csv.display()
        );
        connection.execute_batch(&load).expect("the rows are loaded");
        connection.close().expect("the file is closed");
    })
}

fn main() {
    let rows = number("TAPSTER_BENCH_ROWS", 1_000_000);
    let project = Project::with(programs::tapster_release());
    let cluster = Cluster::start(Durability::Full);
    let source = Warehouse::postgres_in(&cluster);
    let Warehouse::Postgres(database) = &source else { unreachable!("it was asked for") };
    source::make_orders(database, rows);
    let (csv, own) = (project.path().join("orders.csv"), project.path().join("own.duckdb"));
    let out = format!("\\copy shop.orders to '{}' with (format csv, header)", csv.display());
    psql(database, [out.as_str()]);
    let warehouse = Warehouse::duckdb(project.path());
    let Warehouse::DuckDb(path) = &warehouse else { unreachable!("it was asked for") };
    project
        .pipeline("orders", &json!({ "tap": source::tap(database, &["shop"]), "target": warehouse.block() }));
    let (mut loads, mut csvs) = (Vec::new(), Vec::new());
    for turn in 1..=TURNS {
        csvs.push(load_csv(&own, &csv));
        let _ = fs::remove_file(path);
        loads.push(seconds(|| drop(project.run(["run", "orders", "--quiet"]).expect_code(0))));
        println!("turn {turn}: from the CSV {:.2} s, tapster {:.2} s", csvs[turn - 1], loads[turn - 1]);
        // Sums are of whole numbers, so that the order of rows does not matter.
        let sums = "SELECT count(*), sum(id), sum(customer_id), sum(amount), sum(quantity), count(note), \
                    sum(length(note)), sum(epoch_us(updated_at)::hugeint), count(discount) FROM orders";
        let theirs = Warehouse::DuckDb(own.clone()).rows(sums);
        assert_eq!(warehouse.rows(&sums.replace("FROM orders", "FROM shop.orders")), theirs);
    }
    let mut figures = Figures::default();
    let what = format!("copy {rows} rows of a PostgreSQL table into a DuckDB file");
    figures.ratio(&what, "DuckDB loading the same rows from a CSV", 1.5, &loads, &csvs);
    figures.finish();
}
