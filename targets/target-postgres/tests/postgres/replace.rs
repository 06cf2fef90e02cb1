//! Many records at once, which take the place of those in the table rather than being upserted one by one.

use target_api::{Target, Version};
use target_postgres::PostgresTarget;
use target_testkit::postgres::{Cluster, Database};

use crate::support::{load, rows, run, start, state, table, write};

/// More than are upserted without a look at the sizes.
const MANY: i64 = 12_000;

/// Loads ids 1 to [`MANY`] as `first`, then again as `second` but for the last 1,000, and in one more batch 100 as
/// `third`: of those that came before, where keys shall `repeat`, else of the last ones.
async fn load_twice(database: &Database, between: &str, repeat: bool) {
    let orders = table("orders: id int64, name text", &["id"]);
    let lines = |count, name: &str| (1..=count).map(|id| format!("{id}|{name}")).collect::<Vec<_>>();
    load(database, &run("one"), &orders, &references(&lines(MANY, "first"))).await;
    database.execute(between).await;
    let mut target = start(database, &run("two")).await;
    target.open(&orders).await.expect("the table opens");
    write(&mut target, &orders, &references(&lines(MANY - 1_000, "second"))).await;
    let third = |n: i64| if repeat { n * 100 } else { MANY - n };
    let again: Vec<_> = (1..=100).map(|n| format!("{}|third", third(n))).collect();
    write(&mut target, &orders, &references(&again)).await;
    commit(&mut target).await;
}

fn references(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

async fn commit(target: &mut PostgresTarget) {
    target.commit(&state("{\"run\":2}")).await.unwrap_or_else(|error| panic!("{error}"));
}

const COUNTS: &str = "SELECT name, count(*) FROM orders GROUP BY 1 ORDER BY 1";
const EXPECTED: [&str; 3] = ["first|1000", "second|10900", "third|100"];
/// Rows of the table that were deleted and updated, as the server's statistics have it; sessions tell them when they
/// end.
const TOLD: &str =
    "SELECT n_tup_del, n_tup_upd FROM pg_stat_user_tables WHERE relname = 'orders' AND n_tup_del > 0";

async fn told(database: &Database) -> String {
    loop {
        if let Some(told) = rows(database, TOLD).await.pop() {
            return told;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_take_the_places_of_those_in_the_table() {
    let database = Cluster::shared().database().await;
    load_twice(&database, "SELECT 1", false).await;
    assert_eq!(rows(&database, COUNTS).await, ["first|900", "second|11000", "third|100"]);
    assert_eq!(rows(&database, "SELECT count(DISTINCT id) FROM orders").await, [MANY.to_string()]);
    assert_eq!(told(&database).await, "11100|0");
}

/// Then the delete was in vain, and an upsert follows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_key_that_came_twice_the_last_record_stays() {
    let database = Cluster::shared().database().await;
    load_twice(&database, "SELECT 1", true).await;
    assert_eq!(rows(&database, COUNTS).await, EXPECTED);
    assert_eq!(rows(&database, "SELECT count(DISTINCT id) FROM orders").await, [MANY.to_string()]);
    assert_eq!(told(&database).await, "11000|11000");
}

/// Nothing is there that the version could put an end to, so its records need not wait for it in a staging table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_is_announced_for_a_new_table_is_loaded_directly() {
    let database = Cluster::shared().database().await;
    let orders = table("orders: id int64, _sdc_table_version int64", &["id"]);
    let mut target = start(&database, &run("one")).await;
    target.open(&orders).await.expect("the table opens");
    let version = |number| Version { number, truncated: false };
    target.activate_version(&orders.schema.stream, version(5)).await.unwrap();
    write(&mut target, &orders, &["1|5", "2|5"]).await;
    target.activate_version(&orders.schema.stream, version(5)).await.unwrap();
    assert_eq!(
        rows(&database, "SELECT relname FROM pg_class WHERE relname LIKE '%tapster_1'").await,
        [""; 0]
    );
    commit(&mut target).await;
    // An older one goes all the same, although it came with this run.
    write(&mut target, &orders, &["3|6"]).await;
    target.activate_version(&orders.schema.stream, version(6)).await.unwrap();
    commit(&mut target).await;
    assert_eq!(rows(&database, "SELECT id FROM orders").await, ["3"]);
}

/// What hangs on a record would go with it, or would be told of a delete that was none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_on_a_record_sees_an_update() {
    for (hung, told) in [
        (
            "CREATE TABLE lines (of_order bigint REFERENCES orders ON DELETE CASCADE); INSERT INTO lines SELECT id FROM orders",
            "SELECT count(*) FROM lines",
        ),
        (
            "CREATE TABLE lines (id bigint); CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS \
             'BEGIN INSERT INTO lines VALUES (OLD.id); RETURN NULL; END'; \
             CREATE TRIGGER tells AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION tell()",
            "SELECT count(*) + 12000 FROM lines",
        ),
        (
            "ALTER TABLE orders ADD remark text; UPDATE orders SET remark = 'kept'",
            "SELECT count(remark) FROM orders",
        ),
        (
            "ALTER TABLE orders ADD row_id bigint GENERATED ALWAYS AS IDENTITY",
            "SELECT max(row_id) FROM orders",
        ),
    ] {
        let database = Cluster::shared().database().await;
        load_twice(&database, hung, true).await;
        assert_eq!(rows(&database, COUNTS).await, EXPECTED, "{hung}");
        assert_eq!(rows(&database, told).await, [MANY.to_string()], "{hung}");
    }
}

/// What is judged is the table as it is when it is merged into, not as it was when the stream came.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_hung_on_a_record_in_the_middle_of_a_run_is_seen() {
    let database = Cluster::shared().database().await;
    let orders = table("orders: id int64, name text", &["id"]);
    let lines: Vec<_> = (1..=MANY).map(|id| format!("{id}|{id}")).collect();
    let mut target = start(&database, &run("one")).await;
    target.open(&orders).await.expect("the table opens");
    write(&mut target, &orders, &references(&lines)).await;
    commit(&mut target).await;
    let hung = "CREATE TABLE lines (of_order bigint REFERENCES orders ON DELETE CASCADE); \
                INSERT INTO lines SELECT id FROM orders";
    database.execute(hung).await;
    write(&mut target, &orders, &references(&lines)).await;
    commit(&mut target).await;
    assert_eq!(rows(&database, "SELECT count(*) FROM lines").await, [MANY.to_string()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_the_table_refuses_is_found() {
    let database = Cluster::shared().database().await;
    let orders = table("orders: id int64, name text", &["id"]);
    let lines: Vec<_> = (1..=MANY).map(|id| format!("{id}|{id}")).collect();
    load(&database, &run("one"), &orders, &references(&lines)).await;
    database.execute("ALTER TABLE orders ADD CHECK (name <> 'x')").await;
    let mut target = start(&database, &run("two")).await;
    target.open(&orders).await.unwrap();
    let mut lines = lines;
    "7000|x".clone_into(&mut lines[6_999]);
    write(&mut target, &orders, &references(&lines)).await;
    let error = target.commit(&state("{}")).await.unwrap_err();
    assert!(error.message.contains("record 7000"), "{error}");
    assert_eq!(
        rows(&database, "SELECT count(*) FROM orders WHERE name = id::text").await,
        [MANY.to_string()]
    );
}
