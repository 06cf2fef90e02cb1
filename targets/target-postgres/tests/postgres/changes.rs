//! Changes of tables that are there and that others read meanwhile.

use serde_json::json;
use target_api::Target;
use target_postgres::PostgresTarget;
use target_testkit::postgres::{Cluster, Database};

use crate::support::{fresh_run, load, rows, run, start, state, table, write};

/// Fails when a lock on the table is held that keeps readers waiting.
async fn read(database: &Database, table: &str) {
    database.execute(&format!("SET lock_timeout = '2s'; SELECT count(*) FROM {table}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_do_not_wait_for_a_change_of_a_table_until_its_commit() {
    let database = Cluster::shared().database().await;
    for key in [&["id"][..], &[]] {
        database.execute("DROP TABLE IF EXISTS orders; DROP TABLE IF EXISTS _tapster_tables").await;
        let narrow = table("orders: id int64, v int64", key);
        let wide = table("orders: id int64, v numeric, w text", key);
        load(&database, &run("one"), &narrow, &["1|1"]).await;
        let mut target = start(&database, &run("two")).await;
        let change = target.open(&wide).await.unwrap();
        assert_eq!(change.statements.len(), 1, "{change:?}");
        write(&mut target, &wide, &["2|2.5|w"]).await;
        read(&database, "orders").await;
        let before = "SELECT string_agg(attname, ',') FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0";
        assert_eq!(rows(&database, before).await, ["id,v"], "the change is part of the commit");
        target.commit(&state("{}")).await.unwrap();
        // What fits is loaded on, directly where it may be; a further change waits again.
        write(&mut target, &wide, &["3|3|~"]).await;
        let wider = table("orders: id int64, v text, w text", key);
        target.open(&wider).await.unwrap();
        write(&mut target, &wider, &["4|four|~"]).await;
        read(&database, "orders").await;
        target.commit(&state("{}")).await.unwrap();
        let found = rows(&database, "SELECT id, v, w FROM orders ORDER BY id").await;
        assert_eq!(found, ["1|1|~", "2|2.5|w", "3|3|~", "4|four|~"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_do_not_wait_for_a_table_that_starts_over_with_other_types() {
    let database = Cluster::shared().database().await;
    let of = |kind: &str| table(&format!("orders: id int64, v {kind}"), &["id"]);
    load(&database, &run("one"), &of("int64"), &["1|1"]).await;
    let mut target = start(&database, &fresh_run("two")).await;
    target.open(&of("json")).await.unwrap();
    write(&mut target, &of("json"), &["2|[2]"]).await;
    read(&database, "orders").await;
    assert_eq!(rows(&database, "SELECT id, v FROM orders").await, ["1|1"]);
    target.commit(&state("{}")).await.unwrap();
    assert_eq!(rows(&database, "SELECT id, v FROM orders").await, ["2|[2]"]);
}

/// Each generation is merged as it was when its records came, and compared with what the one before leaves behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_changes_of_a_table_in_one_epoch_are_made_in_order() {
    let database = Cluster::shared().database().await;
    let long = "a".repeat(70);
    let generations = [
        (table("orders: id int64, v int64", &["id"]), ["1|1", "2|2"]),
        (
            table(&format!("orders: id int64, v numeric, {long}x text, {long}y text"), &["id"]),
            ["2|2.5|x|y", "3|3|x|y"],
        ),
        (
            table(&format!("orders: id int64, {long}y text, {long}x text, v text"), &["id", "v"]),
            ["3|y2|x2|4", "3|y3|x3|5"],
        ),
        (table("orders: id int64, v json", &["id", "v"]), ["9|1", "9|2"]),
    ];
    load(&database, &run("zero"), &generations[0].0, &["1|0"]).await;
    let mut target = start(&database, &run("one")).await;
    for (table, records) in &generations[..3] {
        target.open(table).await.unwrap();
        write(&mut target, table, records).await;
    }
    target.commit(&state("{}")).await.unwrap();
    let names =
        "SELECT attname FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 2 ORDER BY attnum";
    let names = rows(&database, names).await;
    assert_eq!(names.len(), 2);
    let all = format!("SELECT id, v, \"{}\", \"{}\" FROM orders ORDER BY id, v", names[0], names[1]);
    assert_eq!(rows(&database, &all).await, ["1|1|~|~", "2|2.5|x|y", "3|3|x|y", "3|4|x2|y2", "3|5|x3|y3"]);
    // What the first change would leave is what the second is compared with.
    let mut target = start(&database, &run("two")).await;
    target.open(&table("orders: id int64, v text, n int64", &["id", "v"])).await.unwrap();
    let change = target.open(&table("orders: id int64, v text, n json", &["id", "v"])).await.unwrap();
    assert!(change.notes.concat().contains("`n__2`"), "{change:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_streams_that_take_over_one_table_in_the_same_epoch_are_refused() {
    let database = Cluster::shared().database().await;
    database.execute("CREATE TABLE orders (id bigint)").await;
    let (one, mut other) = (table("orders: id int64", &[]), table("other: id int64", &[]));
    other.name = one.name.clone();
    let mut target = start(&database, &run("one")).await;
    target.open(&one).await.unwrap();
    let error = target.open(&other).await.unwrap_err();
    assert!(error.code == "E0323" && error.message.contains("stream `orders`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_the_role_may_not_alter_is_refused_before_records_come() {
    let database = Cluster::shared().database().await;
    let orders = table("orders: id int64", &["id"]);
    load(&database, &run("one"), &orders, &["1"]).await;
    database
        .execute(
            "CREATE ROLE writer LOGIN PASSWORD 'not-a-secret'; GRANT ALL ON ALL TABLES IN SCHEMA public TO writer",
        )
        .await;
    let mut settings = database.settings();
    settings["user"] = json!("writer");
    settings["password"] = json!("not-a-secret");
    let mut target = PostgresTarget::new(&settings.to_string()).unwrap();
    target.resume(&run("two")).await.unwrap();
    target.open(&orders).await.unwrap_or_else(|error| panic!("it fits: {error}"));
    let error = target.open(&table("orders: id int64, v text", &["id"])).await.unwrap_err();
    assert!(error.code == "E0314" && error.message.contains("to own public.orders"), "{error}");
}
