//! Changes by the server's log: how long one takes to its committed copy while a run follows them, and how long a run
//! takes over many that wait.

#![expect(clippy::print_stdout, reason = "the turns are what one waits for")]

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use target_testkit::postgres::{Cluster, Durability};
use tests::figures::{Figures, TURNS, number, seconds};
use tests::programs;
use tests::project::Project;
use tests::psql::psql;
use tests::warehouse::{Warehouse, block_on};

#[path = "source/orders.rs"]
mod source;

/// Single changes, one after the other.
const SINGLE: u64 = 20;
/// Seconds that the slowest of them may take.
const LAG: f64 = 2.0;

fn main() {
    let changes = number("TAPSTER_BENCH_CHANGES", 100_000);
    let project = Project::with(programs::tapster_release());
    let cluster = Cluster::start(Durability::Full);
    let warehouse = Warehouse::postgres_in(&cluster);
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
    source::make_orders(database, changes);
    psql(database, ["CREATE PUBLICATION tapster FOR TABLE shop.orders"]);
    let mut tap = source::tap(database, &["shop"]);
    tap["config"]["replication_slot"] = json!("bench");
    let pipeline = json!({
        "tap": tap,
        "target": warehouse.block(),
        "defaults": { "replication_method": "LOG_BASED", "target_schema": "copy", "target_table": "{table}" },
        "limits": { "checkpoint_every": "1s" },
    });
    project.pipeline("orders", &pipeline);
    let copy =
        |words: &[&str]| drop(project.run([&["run", "orders", "--quiet"], words].concat()).expect_code(0));
    copy(&[]);

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 1..=TURNS {
        let update = "UPDATE shop.orders SET quantity = quantity + 1, updated_at = now()";
        theirs.push(seconds(|| psql(database, [update])));
        ours.push(seconds(|| copy(&[])));
        println!("turn {turn}: the UPDATE {:.2} s, its copy {:.2} s", theirs[turn - 1], ours[turn - 1]);
    }
    assert_same(&warehouse);

    let mut lags = Vec::new();
    let run = project.start_with("orders", &["--continuous"], None);
    for turn in 0..SINGLE {
        let amount = format!("{turn}.17");
        let change = format!("UPDATE shop.orders SET amount = {amount} WHERE id = {}", turn + 1);
        psql(database, [change.as_str()]);
        let (start, copied) = (
            Instant::now(),
            format!("SELECT 1::text FROM copy.orders WHERE id = {} AND amount = {amount}", turn + 1),
        );
        while block_on(database.value(&copied)).is_none() {
            assert!(start.elapsed() < Duration::from_mins(1), "change {turn} does not arrive");
            std::thread::sleep(Duration::from_millis(10));
        }
        lags.push(start.elapsed().as_secs_f64());
    }
    run.signal(Signal::TERM);
    let (code, log) = run.finish();
    assert_eq!(code, Some(0), "{log}");

    let mut figures = Figures::default();
    figures.lag("from the commit of one change to the commit of its copy, `--continuous`", LAG, &lags);
    let what = format!("copy {changes} updates by the log");
    figures.ratio(&what, "the one UPDATE that makes them", f64::INFINITY, &ours, &theirs);
    figures.finish();
}

fn assert_same(warehouse: &Warehouse) {
    let columns = "id, quantity::bigint, amount, updated_at";
    let differ = format!(
        "SELECT count(*) FROM (SELECT {columns} FROM shop.orders) s \
         FULL JOIN (SELECT {columns} FROM copy.orders) c ON s = c WHERE s IS NULL OR c IS NULL"
    );
    assert_eq!(warehouse.value(&differ).as_deref(), Some("0"), "both have the same rows");
}
