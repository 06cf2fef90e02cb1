//! Columns that cannot become what comes: another stands beside them, and nothing is lost.

use serde_json::json;
use target_api::{Table, Target};
use target_postgres::PostgresTarget;
use target_testkit::postgres::{Cluster, Database};

use crate::support::{load, rows, run, start, state, table, write};

fn orders(kind: &str) -> Table {
    table(&format!("orders: id int64, v {kind}"), &["id"])
}

async fn columns(database: &Database) -> String {
    let sql = "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) \
               FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0 AND NOT attisdropped";
    rows(database, sql).await.concat()
}

/// Loads one record and gives what people are told.
async fn told(database: &Database, id: &str, table: &Table, record: &str) -> String {
    let mut target = start(database, &run(id)).await;
    let change = target.open(table).await.unwrap_or_else(|error| panic!("{error}"));
    write(&mut target, table, &[record]).await;
    target.commit(&state(&format!("{{\"run\":\"{id}\"}}"))).await.unwrap();
    change.notes.join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_that_no_column_holds_together_with_the_old_one_gets_its_own_and_finds_back() {
    let database = Cluster::shared().database().await;
    load(&database, &run("one"), &orders("int64"), &["1|10", "2|20"]).await;
    let note = told(&database, "two", &orders("json"), "2|[2]").await;
    assert!(
        note.contains("`v` stays bigint because no type holds both") && note.contains("`v__2`"),
        "{note}"
    );
    assert_eq!(columns(&database).await, "id bigint, v bigint, v__2 jsonb");
    let all = "SELECT id, v, v__2 FROM orders ORDER BY id";
    assert_eq!(rows(&database, all).await, ["1|10|~", "2|~|[2]"], "a replaced record keeps no old value");
    assert_eq!(told(&database, "three", &orders("json"), "3|{}").await, "", "it is told once");
    // Back to the first type, both ways: no column is made for what there is one for.
    told(&database, "four", &orders("int64"), "3|30").await;
    told(&database, "five", &orders("json"), "4|[4]").await;
    assert_eq!(columns(&database).await, "id bigint, v bigint, v__2 jsonb");
    assert_eq!(rows(&database, all).await, ["1|10|~", "2|~|[2]", "3|30|~", "4|~|[4]"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_types_in_one_epoch_go_where_they_belong() {
    for key in [&["id"][..], &[]] {
        let database = Cluster::shared().database().await;
        let of = |kind: &str| table(&format!("orders: id int64, v {kind}"), key);
        load(&database, &run("one"), &of("int64"), &["1|1"]).await;
        let mut target = start(&database, &run("two")).await;
        for (kind, record) in [("int64", "2|2"), ("json", "3|[3]"), ("int64", "4|4"), ("json", "5|[5]")] {
            target.open(&of(kind)).await.unwrap();
            write(&mut target, &of(kind), &[record]).await;
        }
        target.commit(&state("{}")).await.unwrap();
        let found = rows(&database, "SELECT id, v, v__2 FROM orders ORDER BY id").await;
        assert_eq!(found, ["1|1|~", "2|2|~", "3|~|[3]", "4|4|~", "5|~|[5]"], "{key:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_a_view_depends_on_is_left_alone_and_the_view_is_named() {
    let database = Cluster::shared().database().await;
    load(&database, &run("one"), &orders("int64"), &["1|1"]).await;
    database.execute("CREATE VIEW totals AS SELECT sum(v) FROM orders").await;
    let note = told(&database, "two", &orders("text"), "2|two").await;
    assert!(note.contains("because the view totals depends on it") && note.contains("`v__2`"), "{note}");
    assert_eq!(rows(&database, "SELECT id, v, v__2 FROM orders ORDER BY id").await, ["1|1|~", "2|~|two"]);
    assert_eq!(rows(&database, "SELECT * FROM totals").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_table_is_not_rewritten() {
    let database = Cluster::shared().database().await;
    load(&database, &run("one"), &orders("int64"), &["1|1"]).await;
    let mut settings = database.settings();
    settings["max_rewrite"] = json!("0KiB");
    let mut target = PostgresTarget::new(&settings.to_string()).unwrap();
    target.resume(&run("two")).await.unwrap();
    let change = target.open(&orders("numeric")).await.unwrap();
    assert!(change.notes.concat().contains("`max_rewrite`"), "{change:?}");
    write(&mut target, &orders("numeric"), &["2|2.5"]).await;
    target.commit(&state("{}")).await.unwrap();
    drop(target);
    assert_eq!(rows(&database, "SELECT id, v, v__2 FROM orders ORDER BY id").await, ["1|1|~", "2|~|2.5"]);
    // Where a rewrite is allowed, the wider column is the one that goes on.
    assert_eq!(told(&database, "three", &orders("numeric"), "3|3.5").await, "");
    assert_eq!(columns(&database).await, "id bigint, v bigint, v__2 numeric");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_and_a_table_of_somebody_else_are_refused_instead() {
    let database = Cluster::shared().database().await;
    load(&database, &run("one"), &orders("int64"), &["1|1"]).await;
    let mut target = start(&database, &run("two")).await;
    let error = target.open(&table("orders: id json, v int64", &["id"])).await.unwrap_err();
    assert_eq!(error.code, "E0325");
    drop(target);
    database.execute("CREATE TABLE theirs (id bigint, v bigint)").await;
    let mut target = start(&database, &run("three")).await;
    let error = target.open(&table("theirs: id int64, v json", &[])).await.unwrap_err();
    assert!(error.code == "E0325" && error.message.contains("no type holds both"), "{error}");
}
