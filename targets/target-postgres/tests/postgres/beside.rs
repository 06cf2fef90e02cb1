//! A new version of a large table, which is loaded beside it.

use target_api::{FullRefresh, RunIdentity, Table, Target, Version};
use target_postgres::PostgresTarget;
use target_testkit::postgres::{Cluster, Database};

use crate::support::{fresh_run, load, rows, run, start, state, table, write};

/// A record of so many bytes: 5,000 of them are not merged in place.
const FILLER: usize = 900;

fn orders() -> Table {
    table("orders: id int64, name text, filler text, _sdc_table_version int64", &["id"])
}

fn lines(ids: std::ops::RangeInclusive<i64>, name: &str, version: i64) -> Vec<String> {
    ids.map(|id| format!("{id}|{name}|~|{version}")).collect()
}

async fn write_all(target: &mut PostgresTarget, lines: &[String]) {
    write(target, &orders(), &lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

/// A database whose table has 5,000 large records in version 1, as `old`, and of which this is true, too.
async fn loaded(and: &str) -> Database {
    let database = Cluster::shared().database().await;
    load(&database, &run("one"), &orders(), &["1|old|~|1"]).await;
    let others = format!(
        "INSERT INTO orders SELECT id, 'old', repeat('x', {FILLER}), 1 FROM generate_series(2, 5000) id"
    );
    database.execute(&others).await;
    database.execute(and).await;
    database
}

async fn begin(database: &Database, run: &RunIdentity) -> PostgresTarget {
    let mut target = start(database, run).await;
    target.open(&orders()).await.unwrap_or_else(|error| panic!("{error}"));
    target
}

async fn activate(target: &mut PostgresTarget, number: i64) {
    let stream = orders().schema.stream;
    target.activate_version(&stream, Version { number, truncated: false }).await.unwrap();
}

async fn commit(target: &mut PostgresTarget) {
    target.commit(&state("{}")).await.unwrap_or_else(|error| panic!("{error}"));
}

const COUNTS: &str = "SELECT name, count(*) FROM orders GROUP BY 1 ORDER BY 1";
const BESIDE: &str =
    "SELECT relname FROM pg_class WHERE relname LIKE '\\_tapster\\_%\\_orders' AND relkind = 'r'";
const NUMBER: &str = "SELECT 'orders'::regclass::oid";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_the_old_version_until_the_new_one_takes_its_place() {
    let database = loaded(
        "COMMENT ON TABLE orders IS 'what was bought'; CREATE INDEX by_name ON orders (name); \
         GRANT SELECT ON orders TO pg_monitor; ALTER TABLE orders SET (fillfactor = 90)",
    )
    .await;
    let number = rows(&database, NUMBER).await;
    let mut target = begin(&database, &run("two")).await;
    write_all(&mut target, &lines(1..=3_000, "new", 2)).await;
    commit(&mut target).await;
    assert_eq!(rows(&database, COUNTS).await, ["old|5000"]);
    assert_eq!(rows(&database, BESIDE).await, ["_tapster_2_orders"]);
    write_all(&mut target, &lines(3_001..=4_000, "new", 2)).await;
    activate(&mut target, 2).await;
    write_all(&mut target, &lines(1..=1, "newer", 2)).await;
    commit(&mut target).await;
    assert_eq!(rows(&database, COUNTS).await, ["new|3999", "newer|1"]);
    assert_ne!(rows(&database, NUMBER).await, number, "it is another table");
    assert_eq!(rows(&database, BESIDE).await, [""; 0]);
    let indexes = "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'orders'::regclass ORDER BY indexrelid::regclass::text";
    assert_eq!(rows(&database, indexes).await, ["by_name", "orders_pkey"]);
    let said = "SELECT obj_description(oid), reloptions, has_table_privilege('pg_monitor', oid, 'SELECT') \
                FROM pg_class WHERE oid = 'orders'::regclass";
    assert_eq!(rows(&database, said).await, ["what was bought|{fillfactor=90}|t"]);
    // The run goes on with the new table.
    write_all(&mut target, &lines(9_000..=9_000, "later", 2)).await;
    commit(&mut target).await;
    assert_eq!(rows(&database, COUNTS).await, ["later|1", "new|3999", "newer|1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_cut_off_is_gone_on_with() {
    let database = loaded("SELECT 1").await;
    let mut target = begin(&database, &run("two")).await;
    write_all(&mut target, &lines(1..=3_000, "new", 2)).await;
    commit(&mut target).await;
    write_all(&mut target, &lines(3_001..=3_500, "lost", 2)).await;
    drop(target);
    let mut target = begin(&database, &run("three")).await;
    write_all(&mut target, &lines(2_901..=4_000, "newer", 2)).await;
    activate(&mut target, 2).await;
    commit(&mut target).await;
    assert_eq!(rows(&database, COUNTS).await, ["new|2900", "newer|1100"]);
    // Where all was out already, the version's end is enough.
    let mut target = begin(&database, &run("four")).await;
    write_all(&mut target, &lines(1..=10, "third", 3)).await;
    commit(&mut target).await;
    let mut target = begin(&database, &run("five")).await;
    activate(&mut target, 3).await;
    commit(&mut target).await;
    assert_eq!(rows(&database, COUNTS).await, ["third|10"]);
    assert_eq!(rows(&database, BESIDE).await, [""; 0]);
}

/// Records that no version's end follows are in the table all the same: at the tap's good end, or with the next run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_never_activated_is_merged() {
    let database = loaded("SELECT 1").await;
    let mut target = begin(&database, &run("two")).await;
    write_all(&mut target, &lines(1..=100, "new", 2)).await;
    commit(&mut target).await;
    assert!(target.end().await.unwrap(), "there is something to commit");
    assert_eq!(rows(&database, COUNTS).await, ["old|5000"]);
    commit(&mut target).await;
    assert_eq!(rows(&database, COUNTS).await, ["new|100", "old|4900"]);
    let mut target = begin(&database, &run("three")).await;
    write_all(&mut target, &lines(101..=200, "third", 3)).await;
    commit(&mut target).await;
    drop(target);
    assert_eq!(rows(&database, COUNTS).await, ["new|100", "old|4900"]);
    let mut target = begin(&database, &run("four")).await;
    write_all(&mut target, &lines(201..=300, "fourth", 4)).await;
    commit(&mut target).await;
    assert_eq!(rows(&database, COUNTS).await, ["new|100", "old|4800", "third|100"]);
    // Another version, or none, comes after it.
    write_all(&mut target, &lines(201..=201, "first", 1)).await;
    commit(&mut target).await;
    assert_eq!(rows(&database, COUNTS).await, ["first|1", "fourth|99", "new|100", "old|4700", "third|100"]);
    assert_eq!(rows(&database, BESIDE).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_more_and_a_key_twice_lose_nothing() {
    let database = loaded("SELECT 1").await;
    let mut target = begin(&database, &run("two")).await;
    write_all(&mut target, &lines(1..=100, "new", 2)).await;
    write_all(&mut target, &lines(100..=200, "newer", 2)).await;
    commit(&mut target).await;
    let wide =
        table("orders: id int64, name text, filler text, _sdc_table_version int64, more text", &["id"]);
    target.open(&wide).await.unwrap();
    write(&mut target, &wide, &["200|wide|~|2|more", "201|wide|~|2|more"]).await;
    commit(&mut target).await;
    let counts = "SELECT name, count(*), count(more) FROM orders GROUP BY 1 ORDER BY 1";
    assert_eq!(rows(&database, counts).await, ["new|99|0", "newer|100|0", "old|4799|0", "wide|2|2"]);
    activate(&mut target, 2).await;
    commit(&mut target).await;
    assert_eq!(rows(&database, counts).await, ["new|99|0", "newer|100|0", "wide|2|2"]);
}

/// What hangs on the table would go with it: then the records are merged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_on_the_table_stays() {
    let triggered = "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
                     CREATE TRIGGER does BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION nothing()";
    for hung in [
        "CREATE VIEW seen AS SELECT id FROM orders",
        "CREATE TABLE lines (of_order bigint REFERENCES orders)",
        "CREATE PUBLICATION told FOR TABLE orders",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
        "CREATE STATISTICS known ON name, filler FROM orders",
        "ALTER TABLE orders ADD row_id bigint GENERATED ALWAYS AS IDENTITY",
        "GRANT SELECT (id) ON orders TO pg_monitor",
        "CREATE FUNCTION of_orders() RETURNS SETOF orders LANGUAGE sql AS 'SELECT * FROM orders'",
        triggered,
    ] {
        for late in [false, true] {
            let database = loaded(if late { "SELECT 1" } else { hung }).await;
            let number = rows(&database, NUMBER).await;
            let mut target = begin(&database, &run("two")).await;
            write_all(&mut target, &lines(1..=100, "new", 2)).await;
            commit(&mut target).await;
            if late {
                database.execute(hung).await;
            }
            activate(&mut target, 2).await;
            commit(&mut target).await;
            assert_eq!(rows(&database, COUNTS).await, ["new|100"], "{hung}");
            assert_eq!(rows(&database, NUMBER).await, number, "{hung}");
            assert_eq!(rows(&database, BESIDE).await, [""; 0], "{hung}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_somebody_reads_is_not_waited_for() {
    let database = loaded("SELECT 1").await;
    let mut settings = database.settings();
    settings["lock_timeout"] = 1.into();
    let mut target = PostgresTarget::new(&settings.to_string()).unwrap();
    target.resume(&run("two")).await.unwrap();
    target.open(&orders()).await.unwrap();
    write_all(&mut target, &lines(1..=100, "new", 2)).await;
    activate(&mut target, 2).await;
    let reader = database.connect().await;
    reader.batch_execute("BEGIN; SELECT count(*) FROM orders").await.unwrap();
    commit(&mut target).await;
    assert_eq!(rows(&database, COUNTS).await, ["new|100"]);
    assert_eq!(rows(&database, BESIDE).await, [""; 0]);
    drop(reader);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_starts_over_leaves_nothing_beside() {
    let database = loaded("SELECT 1").await;
    let mut target = begin(&database, &run("two")).await;
    write_all(&mut target, &lines(1..=100, "new", 2)).await;
    commit(&mut target).await;
    drop(target);
    let again = fresh_run("three");
    assert_eq!(again.full_refresh, FullRefresh::All);
    let mut target = begin(&database, &again).await;
    write_all(&mut target, &lines(1..=10, "again", 3)).await;
    let _ = target.end().await.unwrap();
    commit(&mut target).await;
    assert_eq!(rows(&database, COUNTS).await, ["again|10"]);
    assert_eq!(rows(&database, BESIDE).await, [""; 0]);
}
