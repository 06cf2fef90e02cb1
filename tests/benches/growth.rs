//! What ten times the rows cost, and a hundred streams beside one: from PostgreSQL to PostgreSQL.

#![expect(clippy::print_stdout, reason = "the turns are what one waits for")]

use serde_json::json;
use target_testkit::postgres::{Cluster, Database, Durability};
use tests::figures::{Figures, TURNS, number, seconds};
use tests::programs;
use tests::project::Project;
use tests::psql::psql;
use tests::warehouse::Warehouse;

#[path = "source/orders.rs"]
mod source;

const STREAMS: u64 = 100;

/// Schemas: all rows in one table, a tenth of them, none, and all of them in a hundred tables.
fn make(database: &Database, rows: u64) {
    source::make_orders(database, rows);
    let mut statements =
        vec!["CREATE SCHEMA tenth".to_owned(), "CREATE SCHEMA none".into(), "CREATE SCHEMA many".into()];
    let mut table = |schema: &str, name: &str, condition: &str| {
        statements.push(format!("CREATE TABLE {schema}.{name} (LIKE shop.orders INCLUDING ALL)"));
        statements.push(format!("INSERT INTO {schema}.{name} SELECT * FROM shop.orders WHERE {condition}"));
    };
    table("tenth", "orders", &format!("id <= {}", rows / 10));
    table("none", "orders", "false");
    let each = rows / STREAMS;
    for stream in 0..STREAMS {
        let (from, to) = (stream * each, (stream + 1) * each);
        table("many", &format!("orders_{stream}"), &format!("id > {from} AND id <= {to}"));
    }
    psql(database, statements.iter().map(String::as_str));
}

fn run(project: &Project, database: &Database, schema: &str) -> f64 {
    let empty =
        ["DROP SCHEMA IF EXISTS copy CASCADE", "DROP TABLE IF EXISTS _tapster_state, _tapster_tables"];
    psql(database, empty.into_iter().chain(["CHECKPOINT"]));
    seconds(|| drop(project.run(["run", schema, "--quiet"]).expect_code(0)))
}

fn main() {
    let rows = number("TAPSTER_BENCH_ROWS", 1_000_000);
    let project = Project::with(programs::tapster_release());
    let cluster = Cluster::start(Durability::Full);
    let warehouse = Warehouse::postgres_in(&cluster);
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
    make(database, rows);
    for schema in ["shop", "tenth", "none", "many"] {
        let pipeline = json!({
            "tap": source::tap(database, &[schema]),
            "target": warehouse.block(),
            "defaults": { "target_schema": "copy", "target_table": "{table}" },
        });
        project.pipeline(schema, &pipeline);
    }
    let (mut all, mut tenth, mut many, mut one) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for turn in 1..=TURNS {
        let [none, tenths, whole, streams] =
            ["none", "tenth", "shop", "many"].map(|schema| run(&project, database, schema));
        println!(
            "turn {turn}: no rows {none:.2} s, a tenth {tenths:.2} s, all {whole:.2} s, in {STREAMS} streams {streams:.2} s"
        );
        all.push(whole - none);
        tenth.push(tenths - none);
        one.push(whole);
        many.push(streams);
    }
    let mut figures = Figures::default();
    let what = format!("copy {rows} rows of a PostgreSQL table, start-up taken out");
    figures.ratio(&what, "a tenth of the rows", 11.5, &all, &tenth);
    let what = format!("copy {rows} rows in {STREAMS} streams");
    figures.ratio(&what, "the same rows in one", 2.0, &many, &one);
    figures.finish();
}
