//! Slots that others move, hold or make anew.

use std::path::Path;

use super::{catalog, numbers, source};

const K: &str = "CREATE TABLE k (a int); INSERT INTO k VALUES (1)";
const ON: (&str, &str) = ("TAPSTER_CONTINUOUS", "1");

#[test]
fn a_slot_that_somebody_moves_under_a_run_is_a_gap() {
    let source = source(K, "k");
    let mut running = source.follow(&catalog(&source), &[(ON.0, Path::new(ON.1))]);
    running.until(|message| message["type"] == "STATE");
    while running.is_running() {
        source.sql(
            "BEGIN; INSERT INTO k VALUES (2); COMMIT;
             DO $$ BEGIN PERFORM pg_replication_slot_advance(current_database(), pg_current_wal_lsn());
             EXCEPTION WHEN object_in_use THEN END $$",
        );
    }
    let (code, log) = running.finish();
    assert_eq!(code, Some(78), "{log}");
    assert!(log.contains("was moved by somebody else"), "{log}");
}

#[test]
fn a_run_waits_for_another_one_that_has_the_slot() {
    let source = source(K, "k");
    let catalog = catalog(&source);
    let mut first = source.follow(&catalog, &[(ON.0, Path::new(ON.1))]);
    first.until(|message| message["type"] == "STATE");
    let mut second = source.follow(&catalog, &[(ON.0, Path::new(ON.1))]);
    let locks = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock%'
                 AND datname = current_database() AND pid <> pg_backend_pid()";
    while source.value(locks) == "0" {}
    source.sql("INSERT INTO k VALUES (2)");
    assert_eq!(numbers(&first.until(|message| message["type"] == "RECORD")), [2]);
    first.kill();
    let rows = second.until(|message| message["type"] == "STATE");
    assert_eq!(numbers(&rows), [1, 2]);
    second.terminate();
    let (code, log) = second.finish();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("it is taken over"), "{log}");
}
