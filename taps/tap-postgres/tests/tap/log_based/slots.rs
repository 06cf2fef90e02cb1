//! Slots that others move, hold or make anew.

use std::path::Path;

use serde_json::json;

use super::{T, catalog, numbers, records, source};

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

#[test]
fn a_table_that_was_not_published_for_a_while_is_read_once_more() {
    let source = source(T, "t");
    let catalog = catalog(&source);
    let first = source.sync(&catalog, None).expect_code(0);
    source.sql("CREATE TABLE u (id int); ALTER PUBLICATION tapster SET TABLE u");
    source.sql("INSERT INTO t VALUES (3)");
    let refusal = source.sync(&catalog, Some(first.state())).expect_code(78);
    assert!(refusal.log.contains("lacks"), "{}", refusal.log);
    source.sql("ALTER PUBLICATION tapster ADD TABLE t");
    let second = source.sync(&catalog, Some(first.state())).expect_code(0);
    assert!(second.log.contains("not published for a while"), "{}", second.log);
    assert_eq!(records(&second, "public-t").len(), 3);
    // What is in the log from before a publication was made cannot be read by it.
    source.sql("DROP PUBLICATION tapster");
    source.sql("INSERT INTO t VALUES (4)");
    source.sql("CREATE PUBLICATION tapster FOR TABLE t");
    let third = source.sync(&catalog, Some(second.state())).expect_code(0);
    assert_eq!(records(&third, "public-t").len(), 4);
    source.sql("INSERT INTO t VALUES (5)");
    let fourth = source.sync(&catalog, Some(third.state())).expect_code(0);
    assert_eq!(records(&fourth, "public-t").len(), 1);
}

#[test]
fn a_run_sees_that_a_table_is_not_published_any_more() {
    let source = source(T, "t");
    let mut running = source.follow(&catalog(&source), &[(ON.0, Path::new(ON.1))]);
    running.until(|message| message["type"] == "STATE");
    source.sql("DROP PUBLICATION tapster; CREATE PUBLICATION tapster");
    running.rest();
    let (code, log) = running.finish();
    assert_eq!(code, Some(78), "{log}");
}

#[test]
fn a_signal_ends_the_making_of_a_slot() {
    let source = source(K, "k");
    let commit = source.begin("INSERT INTO k VALUES (2)");
    let mut running = source.follow(&catalog(&source), &[(ON.0, Path::new(ON.1))]);
    let makes = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                 AND query LIKE '%pg_create_logical_replication_slot%'";
    while source.value(makes) != "1" {}
    running.terminate();
    assert!(numbers(&running.rest()).is_empty());
    let (code, log) = running.finish();
    assert_eq!(code, Some(0), "{log}");
    while source.value(makes) != "0" {}
    commit();
    let slots = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = current_database()";
    assert_eq!(source.value(slots), "0", "it was not made");
}

#[test]
fn a_state_of_another_server_is_refused() {
    let source = source(K, "k");
    let catalog = catalog(&source);
    let first = source.sync(&catalog, None).expect_code(0);
    let mut state = first.state().clone();
    let system = &mut state["bookmarks"]["public-k"]["shape"]["system"];
    let own = source.value("SELECT system_identifier FROM pg_control_system()");
    assert_eq!(std::mem::replace(system, json!(7)).to_string(), own);
    let refusal = source.sync(&catalog, Some(&state)).expect_code(78);
    assert!(refusal.log.contains("system identifier 7"), "{}", refusal.log);
}
