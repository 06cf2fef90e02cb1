//! A value that only the server refuses: the record is found, and nothing of it is told.

use target_api::{Status, StreamName, Target};
use target_testkit::postgres::Cluster;

use crate::support::{load, rows, run, start, state, table, try_write, write};

fn record_of(error: &target_api::TargetError) -> u64 {
    let Status::Record { stream, record } = &error.status else { panic!("{error}") };
    assert_eq!(stream, &StreamName::from("orders"));
    assert_eq!(error.code, "E0328");
    *record
}

/// `count` records, of which the one of this number has another value.
fn records(count: u64, odd: u64, value: &str) -> Vec<String> {
    (1..=count).map(|n| if n == odd { format!("{n}|{value}") } else { format!("{n}|1") }).collect()
}

fn lines(records: &[String]) -> Vec<&str> {
    records.iter().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_no_copy_takes_is_found_by_halving() {
    let database = Cluster::shared().database().await;
    let secret = "6174-secret";
    // JSON's grammar allows what jsonb does not; each key decides between direct load and staging.
    let value = format!("\"{secret}\\u0000\"");
    for key in [&[][..], &["id"]] {
        for odd in [1, 2, 63, 100] {
            let orders = table("orders: id int64, v json", key);
            let mut target = start(&database, &run("one")).await;
            target.open(&orders).await.unwrap();
            write(&mut target, &orders, &["1000|1", "1001|1"]).await;
            let error =
                try_write(&mut target, &orders, &lines(&records(100, odd, &value))).await.unwrap_err();
            assert_eq!(record_of(&error), odd + 2);
            assert!(error.message.contains("column `v`") && error.message.contains("22P05"), "{error}");
            assert!(!format!("{error:?}").contains(secret), "{error:?}");
            assert_eq!(target.commit(&state("{}")).await.unwrap_err().status, Status::Temporary);
        }
    }
    assert_eq!(rows(&database, "SELECT count(*) FROM pg_tables WHERE tablename = 'orders'").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_staged_value_that_no_copy_takes_is_found_by_halving() {
    let database = Cluster::shared().database().await;
    let orders = table("orders: id int64, v json", &["id"]);
    load(&database, &run("one"), &orders, &["1|1"]).await;
    for in_transaction in [false, true] {
        let mut target = start(&database, &run("two")).await;
        if in_transaction {
            target.open(&table("new: id int64", &[])).await.unwrap();
        }
        target.open(&orders).await.unwrap();
        let error =
            try_write(&mut target, &orders, &lines(&records(50, 17, "\"\\u0000\""))).await.unwrap_err();
        assert_eq!(record_of(&error), 17);
        assert!(error.message.contains("column `v`"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_the_merge_refuses_is_found_by_halving() {
    let database = Cluster::shared().database().await;
    database
        .execute("CREATE TABLE orders (id integer PRIMARY KEY, v bigint CONSTRAINT small CHECK (v < 6174))")
        .await;
    let orders = table("orders: id int64, v int64", &["id"]);
    for (odd, value) in [(1, "6174"), (40, "6175"), (99, "9999")] {
        let mut target = start(&database, &run("one")).await;
        target.open(&orders).await.unwrap();
        let all = records(99, odd, value);
        write(&mut target, &orders, &lines(&all[..50])).await;
        write(&mut target, &orders, &lines(&all[50..])).await;
        let error = target.commit(&state("{}")).await.unwrap_err();
        assert_eq!(record_of(&error), odd);
        assert!(error.message.contains("constraint `small`") && !error.message.contains(value), "{error}");
    }
    let mut target = start(&database, &run("one")).await;
    target.open(&orders).await.unwrap();
    write(&mut target, &orders, &["1|1", "3000000000|1", "2|1"]).await;
    let error = target.commit(&state("{}")).await.unwrap_err();
    assert_eq!(record_of(&error), 2);
    assert!(error.message.contains("22003") && !error.message.contains("3000000000"), "{error}");
    assert_eq!(rows(&database, "SELECT count(*) FROM orders").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_we_ourselves_cannot_encode_is_found_too() {
    let database = Cluster::shared().database().await;
    let orders = table("orders: id int64, v numeric", &[]);
    let mut target = start(&database, &run("one")).await;
    target.open(&orders).await.unwrap();
    let error = try_write(&mut target, &orders, &["1|1", "2|6174x"]).await.unwrap_err();
    assert_eq!(record_of(&error), 2);
    assert!(error.message.contains("column `v`: not a number") && !error.message.contains("6174"), "{error}");
}
