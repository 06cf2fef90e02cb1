//! Whole tables: versions, parts, and what happens when a sync is cut off.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::fixture::{Running, Source};

/// About twenty megabytes: ten parts.
const WIDE: &str = "CREATE TABLE wide (id int PRIMARY KEY, text text);
    INSERT INTO wide SELECT i, repeat('x', 1000) || i FROM generate_series(1, 20000) i; ANALYZE wide";

/// What a target holds after these messages: records by their key, with their version.
fn load(table: &mut BTreeMap<u64, (i64, Value)>, messages: &[Value]) {
    for message in messages {
        let version = message["version"].as_i64();
        match message["type"].as_str().unwrap() {
            "RECORD" => {
                let record = &message["record"];
                table.insert(record["id"].as_u64().unwrap(), (version.unwrap(), record.clone()));
            }
            "ACTIVATE_VERSION" => table.retain(|_, (of, _)| *of == version.unwrap()),
            _ => {}
        }
    }
}

fn rows(source: &Source) -> BTreeMap<u64, Value> {
    let rows = source.value("SELECT json_agg(w) FROM wide w");
    let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
    rows.into_iter().map(|row| (row["id"].as_u64().unwrap(), row)).collect()
}

fn loaded(table: BTreeMap<u64, (i64, Value)>) -> BTreeMap<u64, Value> {
    table.into_iter().map(|(id, (_, record))| (id, record)).collect()
}

#[test]
fn a_table_comes_whole_over_any_number_of_connections() {
    let mut source = Source::new(WIDE);
    let catalog = source.discover();
    for parallel in [1, 3] {
        source.config = json!({ "parallel": parallel });
        let said = source.sync(&catalog, None).expect_code(0);
        assert_eq!(said.of("RECORD").len(), 20_000);
        let mut table = BTreeMap::new();
        load(&mut table, &said.messages);
        assert!(loaded(table) == rows(&source), "the records are not the rows");
        assert!(said.of("STATE").len() > 9, "a STATE a part");
        let state = &said.state()["bookmarks"]["public-wide"];
        assert_eq!(state.as_object().unwrap().keys().collect::<Vec<_>>(), ["version"], "{state}");
    }
}

/// Two numbers a row: a part of the table is less than may wait of one.
#[test]
fn no_connection_reads_ahead_by_more_than_a_part() {
    let mut source = Source::new(
        "CREATE TABLE thin (id int PRIMARY KEY, n int) WITH (fillfactor = 10);
         INSERT INTO thin SELECT i, i FROM generate_series(1, 60000) i",
    );
    source.config = json!({ "parallel": 2 });
    let mut running = source.start(&source.discover());
    running.until(|message| message["type"] == "RECORD");
    // Nobody reads on: each connection does what it may, and then waits.
    let sessions = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while source.value(&format!("SELECT count(*) FILTER (WHERE state = 'idle in transaction') {sessions}"))
        != "2"
    {}
    let ahead = source.value(&format!("SELECT string_agg(query, ' ') {sessions}"));
    assert!(ahead.contains("ctid < '(256,0)'"), "{ahead}");
    assert!(ahead.contains("ctid >= '(256,0)'") && ahead.contains("ctid < '(512,0)'"), "{ahead}");
    running.kill();
}

#[test]
fn each_sync_is_a_new_version_and_the_first_shows_at_once() {
    let source = Source::new("CREATE TABLE t (x int); INSERT INTO t VALUES (1)");
    let catalog = source.discover();
    let first = source.sync(&catalog, None).expect_code(0);
    let kinds = |messages: &[Value]| -> Vec<String> {
        messages.iter().map(|message| message["type"].as_str().unwrap().to_owned()).collect()
    };
    let usual = ["SCHEMA", "RECORD", "ACTIVATE_VERSION", "STATE", "STATE"];
    assert_eq!(
        kinds(&first.messages),
        ["SCHEMA", "ACTIVATE_VERSION", "RECORD", "ACTIVATE_VERSION", "STATE", "STATE"]
    );
    let second = source.sync(&catalog, Some(first.state())).expect_code(0);
    assert_eq!(kinds(&second.messages), usual);
    let version =
        |messages: &[Value]| messages.iter().find_map(|message| message["version"].as_i64()).unwrap();
    assert!(version(&second.messages) > version(&first.messages));
}

/// Runs until so many pages are out, and is killed there.
fn cut_off(source: &Source, catalog: &Value) -> (Vec<Value>, Value) {
    let mut running: Running = source.start(catalog);
    let pages = |message: &Value| message["value"]["bookmarks"]["public-wide"]["progress"]["pages"].as_u64();
    let messages = running.until(|message| pages(message).is_some_and(|pages| pages >= 1024));
    running.kill();
    let state = messages.last().unwrap()["value"].clone();
    (messages, state)
}

#[test]
fn a_sync_that_was_cut_off_goes_on_and_finds_what_changed() {
    let source = Source::new(WIDE);
    let catalog = source.discover();
    let (first, state) = cut_off(&source, &catalog);
    // In pages that are out: changed in place, moved behind, gone, and new in the room that it left.
    source.sql("UPDATE wide SET text = 'changed' WHERE id IN (1, 19999); DELETE FROM wide WHERE id = 2");
    source.sql("VACUUM wide");
    source.sql("INSERT INTO wide VALUES (20001, 'new')");
    let second = source.sync(&catalog, Some(&state)).expect_code(0);
    let sent = second.of("RECORD").len();
    assert!((100..15_000).contains(&sent), "{sent} records: what was out is sent again, or nothing");
    let mut table = BTreeMap::new();
    load(&mut table, &first);
    load(&mut table, &second.messages);
    let mut found = loaded(table);
    assert!(found.remove(&2).is_some(), "what was deleted meanwhile stays until the next sync");
    assert!(found == rows(&source), "the records are not the rows");
    let third = source.sync(&catalog, Some(second.state())).expect_code(0);
    assert_eq!(third.of("RECORD").len(), 20_000, "the next sync reads all");
}

/// Three partitions, one of them a level deeper, in the order in which they are read.
const PARTED: &str = "CREATE TABLE wide (id int PRIMARY KEY, text text) PARTITION BY RANGE (id);
    CREATE TABLE low PARTITION OF wide FOR VALUES FROM (1) TO (6001);
    CREATE TABLE middle PARTITION OF wide FOR VALUES FROM (6001) TO (14001) PARTITION BY RANGE (id);
    CREATE TABLE all_middle PARTITION OF middle DEFAULT;
    CREATE TABLE high PARTITION OF wide DEFAULT;
    INSERT INTO wide SELECT i, repeat('x', 1000) || i FROM generate_series(1, 20000) i";

#[test]
fn a_partitioned_table_goes_on_in_the_partition_that_it_was_in() {
    let source = Source::new(PARTED);
    let catalog = source.catalog("public-wide", &json!({ "where": "wide.id > 0" }));
    let cut_off = || {
        let mut running: Running = source.start(&catalog);
        let mut messages = running.until(|message| {
            let progress = &message["value"]["bookmarks"]["public-wide"]["progress"];
            progress["partitions"].as_array().is_some_and(|out| out.len() == 1)
                && progress["pages"].as_u64() >= Some(512)
        });
        running.kill();
        let state = messages.last_mut().unwrap()["value"].take();
        messages.pop();
        (messages, state)
    };
    let (first, state) = cut_off();
    source.sql(
        "UPDATE wide SET text = 'changed' WHERE id IN (1, 6001, 13999, 19999); DELETE FROM wide WHERE id = 2",
    );
    source.sql("CREATE TABLE new PARTITION OF middle FOR VALUES FROM (0) TO (1)");
    source.sql("INSERT INTO high VALUES (20001, 'new')");
    let second = source.sync(&catalog, Some(&state)).expect_code(0);
    assert!(!second.log.contains("starting over"), "{}", second.log);
    let sent = second.of("RECORD").len();
    assert!((6_000..13_000).contains(&sent), "{sent} records: what was out is sent again, or nothing");
    let mut table = BTreeMap::new();
    load(&mut table, &first);
    load(&mut table, &second.messages);
    let mut found = loaded(table);
    assert!(found.remove(&2).is_some(), "what was deleted meanwhile stays until the next sync");
    assert!(found == rows(&source), "the records are not the rows");

    let (_, state) = cut_off();
    source.sql("VACUUM FULL low");
    let third = source.sync(&catalog, Some(&state)).expect_code(0);
    let low = third.column("id").into_iter().filter(|id| id.as_u64() <= Some(6000)).count();
    assert_eq!(low, 5_999, "a partition that was rewritten comes whole");
    let (_, state) = cut_off();
    source.sql("VACUUM FULL wide");
    let log = source.sync(&catalog, Some(&state)).expect_code(0).log;
    assert!(log.contains("starting over, since the table was rewritten"), "{log}");
}

/// Its rows may be asked for through the table, not by themselves.
#[test]
fn partitions_that_may_not_be_read_are_read_through_their_table() {
    let mut source = Source::new(&format!(
        "{PARTED}; CREATE ROLE parted_reader LOGIN PASSWORD 'not-a-secret'; GRANT SELECT ON wide TO parted_reader"
    ));
    source.config = json!({ "user": "parted_reader" });
    let said = source.sync(&source.catalog("public-wide", &json!({})), None).expect_code(0);
    assert_eq!(said.of("RECORD").len(), 20_000);
}

#[test]
fn what_cannot_be_gone_on_with_starts_over() {
    let source = Source::new(WIDE);
    let catalog = source.discover();
    let (_, state) = cut_off(&source, &catalog);
    let version = &state["bookmarks"]["public-wide"]["version"];
    source.sql("VACUUM FULL wide");
    let said = source.sync(&catalog, Some(&state)).expect_code(0);
    assert_eq!(said.of("RECORD").len(), 20_000);
    assert!(said.of("RECORD")[0]["version"].as_i64() > version.as_i64());
    assert!(said.log.contains("starting over, since the table was rewritten"), "{}", said.log);
    let (_, state) = cut_off(&source, &catalog);
    let said = source.sync(&source.catalog("public-wide", &json!({ "where": "id < 3" })), Some(&state));
    assert_eq!(said.expect_code(0).column("id"), [1, 2], "other conditions make other records");
}

#[test]
fn a_table_without_key_has_states_and_starts_over() {
    let source = Source::new(&WIDE.replace(" PRIMARY KEY", ""));
    let catalog = source.discover();
    let said = source.sync(&catalog, None).expect_code(0);
    assert!(said.of("STATE").len() > 3, "the target must be able to commit");
    assert!(
        said.of("STATE")
            .iter()
            .all(|state| state["value"]["bookmarks"]["public-wide"].get("progress").is_none())
    );
}

#[test]
fn views_queries_partitions_and_conditions_are_read() {
    let mut source = Source::new(
        "CREATE TABLE p (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
         CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
         CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
         INSERT INTO p VALUES (1, '2024-02-02'), (2, '2025-02-02'), (3, '2025-03-03');
         CREATE VIEW v AS SELECT id FROM p WHERE id > 1; CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);
         INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2)",
    );
    source.config = json!({ "queries": { "q": "SELECT id * 2 AS twice FROM p -- all of it" } });
    let read = |id: &str, column: &str, metadata: Value| {
        let said = source.sync(&source.catalog(id, &metadata), None).expect_code(0);
        let mut values: Vec<_> = said.column(column).iter().map(|value| value.as_i64().unwrap()).collect();
        values.sort_unstable();
        values
    };
    assert_eq!(read("public-p", "id", json!({})), [1, 2, 3]);
    assert_eq!(read("public-p", "id", json!({ "where": "id < 2 OR id > 2 -- not two" })), [1, 3]);
    assert_eq!(read("public-v", "id", json!({ "view-key-properties": ["id"] })), [2, 3]);
    assert_eq!(read("public-parent", "id", json!({})), [1, 2]);
    assert_eq!(read("q", "twice", json!({})), [2, 4, 6]);
}

#[test]
fn a_connection_that_is_ended_asks_to_be_tried_again() {
    let mut source = Source::new(
        "CREATE TABLE wide (text text); INSERT INTO wide SELECT repeat('x', 2000) FROM generate_series(1, 40000)",
    );
    source.config = json!({ "parallel": 1 });
    let mut running = source.start(&source.discover());
    running.until(|message| message["type"] == "RECORD");
    source.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let (code, log) = running.finish();
    assert_eq!(code, Some(75), "{log}");
    assert!(log.contains("reading public-wide at 127.0.0.1:") || log.contains("was lost"), "{log}");
}
