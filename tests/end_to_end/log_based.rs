//! tap-postgres by the server's log into warehouses, while the tables are written, runs are killed and the server is
//! stopped.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use serde_json::json;
use target_testkit::postgres::{Cluster, Database, Durability};
use tests::project::Project;
use tests::warehouse::{Warehouse, block_on};

/// How many changes there are at least: `TAPSTER_CHANGES`, or few.
fn changes() -> u64 {
    std::env::var("TAPSTER_CHANGES").ok().and_then(|text| text.parse().ok()).unwrap_or(3000)
}

const TABLES: &str = "
CREATE SCHEMA shop;
CREATE SEQUENCE shop.ids START 100001;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer text, amount numeric(14,2), bought timestamptz, note text, doc jsonb, tags text[]);
ALTER TABLE shop.orders ALTER note SET STORAGE EXTERNAL;
INSERT INTO shop.orders SELECT i, 'c' || i, i, '2024-01-01Z', repeat('n', (i % 3)::int * 3000), jsonb_build_object('i', i), ARRAY['a', NULL]
  FROM generate_series(1, 1000) i;
CREATE TABLE shop.events (n bigint, text text);
INSERT INTO shop.events SELECT i, 'first' FROM generate_series(1, 500) i;
CREATE PUBLICATION tapster FOR TABLE shop.orders, shop.events";

/// Writes into the tables until it is told to stop.
struct Writer {
    database: Database,
    random: u64,
    /// Held while a transaction is under way.
    turn: Arc<Mutex<()>>,
    stop: Arc<AtomicBool>,
}

impl Writer {
    fn start(database: &Database, turn: &Arc<Mutex<()>>, stop: &Arc<AtomicBool>) -> JoinHandle<u64> {
        let mut writer = Self {
            database: database.clone(),
            random: 0x5eed,
            turn: Arc::clone(turn),
            stop: Arc::clone(stop),
        };
        thread::spawn(move || {
            let mut count = 0;
            while count < changes() || !writer.stop.load(Ordering::Relaxed) {
                let turn = Arc::clone(&writer.turn);
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                count += writer.transaction();
            }
            count
        })
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % limit
    }

    /// One transaction of some changes, or one that is rolled back; says how many changes it made.
    fn transaction(&mut self) -> u64 {
        let (count, mut sql) = (1 + self.below(60), "BEGIN;".to_owned());
        for _ in 0..count {
            let (low, high) = (1 + self.below(1500), 100_001 + self.below(2000));
            let (id, other) = (if self.below(3) == 0 { high } else { low }, self.below(1000));
            let _ = match self.below(12) {
                0..=2 => write!(
                    sql,
                    "INSERT INTO shop.orders SELECT i, 'new', {other}, '2024-02-02Z', repeat('m', {other} * 5), NULL, '{{}}' FROM nextval('shop.ids') i;"
                ),
                3..=5 => write!(
                    sql,
                    "UPDATE shop.orders SET amount = {other}.25, tags = ARRAY['{other}'] WHERE id = {id};"
                ),
                6 => write!(sql, "UPDATE shop.orders SET note = repeat('u', {other} * 9) WHERE id = {id};"),
                7 => write!(
                    sql,
                    "UPDATE shop.orders SET id = nextval('shop.ids'), customer = 'moved' WHERE id = {id};"
                ),
                8 => write!(sql, "DELETE FROM shop.orders WHERE id = {id};"),
                9 => write!(
                    sql,
                    "DELETE FROM shop.orders WHERE id = {low}; INSERT INTO shop.orders (id, doc) VALUES ({low}, '[{other}]');"
                ),
                10 if other < 3 => write!(sql, "TRUNCATE shop.events;"),
                _ => write!(sql, "INSERT INTO shop.events VALUES ({other}, repeat('e', {low}));"),
            };
        }
        let is_kept = self.below(10) > 0;
        sql += if is_kept { "COMMIT" } else { "ROLLBACK" };
        block_on(self.database.execute(&sql));
        if is_kept { count } else { 0 }
    }
}

fn pipeline(project: &Project, source: &Database, warehouse: &Warehouse) {
    let mut config = source.settings();
    config["filter_schemas"] = json!(["shop"]);
    config["replication_slot"] = json!(source.name());
    let pipeline = json!({
        "tap": { "name": "tap-postgres", "config": config },
        "target": warehouse.block(),
        "defaults": {
            "replication_method": "LOG_BASED", "target_schema": "copy", "target_table": "{table}", "metadata_columns": false,
        },
        "streams": { "shop-orders": { "deletes": "hard" }, "shop-events": {} },
        "limits": { "checkpoint_bytes": "64KiB" },
    });
    project.pipeline("shop", &pipeline);
}

/// Panics unless the copies have the same rows.
#[track_caller]
fn assert_same(source: &Database, warehouse: &Warehouse) {
    for (table, columns) in
        [("orders", "id, customer, amount, bought, md5(note), doc, tags"), ("events", "n, md5(text)")]
    {
        let words: Vec<_> = columns
            .split(", ")
            .map(|column| match (column, warehouse) {
                ("bought", _) => "CAST(EXTRACT(EPOCH FROM bought) AS bigint) AS moment".to_owned(),
                ("tags", _) => "array_to_string(tags, ',') AS tags".to_owned(),
                (column, _) => column.to_owned(),
            })
            .collect();
        let sql = |schema: &str| format!("SELECT {} FROM {schema}.{table} ORDER BY 1, 2", words.join(", "));
        let (rows, copies) = (block_on(source.rows(&sql("shop"))), warehouse.rows(&sql("copy")));
        let differs = rows.iter().zip(&copies).find(|(row, copy)| row != copy);
        assert!(
            rows.len() == copies.len() && differs.is_none(),
            "{table}: {} rows, {} copies: {differs:?}",
            rows.len(),
            copies.len()
        );
    }
}

#[test]
fn changes_under_load_arrive_exactly_whatever_is_killed() {
    let (cluster, project, warehouse) =
        (Cluster::start(Durability::Full), Project::new(), Warehouse::postgres());
    let source = block_on(cluster.database());
    block_on(source.execute(TABLES));
    pipeline(&project, &source, &warehouse);
    let (turn, stop) = (Arc::new(Mutex::new(())), Arc::new(AtomicBool::new(false)));
    let writer = Writer::start(&source, &turn, &stop);
    for phase in ["write", "merge", "commit_sent", "committed", "merge"] {
        let mut run = project.start("shop", None);
        run.wait_for(|line| line.phase() == Some(phase));
        run.kill();
    }
    let mut run = project.start("shop", None);
    run.wait_for(|line| line.phase() == Some("write"));
    {
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        cluster.stop_immediate();
        cluster.start_again();
    }
    // It tries again by itself, or gives up after some tries.
    run.finish();
    stop.store(true, Ordering::Relaxed);
    let count = writer.join().expect("the writer");
    let outcome = project.run(["run", "shop"]).expect_code(0);
    assert!(!outcome.stderr.contains("read once more"), "{outcome}");
    assert_same(&source, &warehouse);
    eprintln!("{count} changes");
    // The slot moves with what is committed: all but the last STATE is the server's to throw away.
    let held = "SELECT (pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) < 1 << 24)::text FROM pg_replication_slots";
    let _ = project.run(["run", "shop"]).expect_code(0);
    assert_eq!(block_on(source.value(held)).as_deref(), Some("true"));
    assert_same(&source, &warehouse);
}

#[test]
fn a_table_that_is_read_once_more_and_has_no_rows_is_emptied() {
    for is_duckdb in [false, true] {
        let project = Project::new();
        let warehouse = if is_duckdb { Warehouse::duckdb(project.path()) } else { Warehouse::postgres() };
        let source = block_on(Cluster::shared().database());
        block_on(source.execute(TABLES));
        pipeline(&project, &source, &warehouse);
        let _ = project.run(["run", "shop"]).expect_code(0);
        assert_same(&source, &warehouse);
        block_on(source.execute("DELETE FROM shop.orders; ALTER TABLE shop.orders RENAME tags TO labels"));
        let _ = project.run(["run", "shop"]).expect_code(0);
        assert_eq!(warehouse.value("SELECT CAST(count(*) AS text) FROM copy.orders").as_deref(), Some("0"));
    }
}

#[test]
fn changes_arrive_in_duckdb() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let source = block_on(Cluster::shared().database());
    block_on(source.execute(TABLES));
    pipeline(&project, &source, &warehouse);
    let _ = project.run(["run", "shop"]).expect_code(0);
    assert_same(&source, &warehouse);
    let turn = Arc::new(Mutex::new(()));
    let mut writer =
        Writer { database: source.clone(), random: 7, turn, stop: Arc::new(AtomicBool::new(true)) };
    for _ in 0..3 {
        for _ in 0..6 {
            writer.transaction();
        }
        let _ = project.run(["run", "shop"]).expect_code(0);
        assert_same(&source, &warehouse);
    }
}
