//! Changes as the server's log has them.

mod shapes;
mod slots;

use serde_json::{Value, json};

use target_testkit::postgres::{Cluster, Durability};

use crate::fixture::{Said, Source};

/// A database of these statements with a publication and a slot of its own.
fn source(sql: &str, tables: &str) -> Source {
    let mut source = Source::new(sql);
    source.sql(&format!("CREATE PUBLICATION tapster FOR TABLE {tables}"));
    // Slots are the whole server's.
    let database = source.value("SELECT current_database()");
    source.config = json!({ "replication_slot": database });
    source
}

/// The catalog with all that it selects by its log.
fn catalog(source: &Source) -> Value {
    let mut catalog = source.discover();
    for stream in catalog["streams"].as_array_mut().unwrap() {
        let entries = stream["metadata"].as_array_mut().unwrap();
        let root = entries.iter_mut().find(|entry| entry["breadcrumb"] == json!([])).unwrap();
        root["metadata"]["replication-method"] = json!("LOG_BASED");
    }
    catalog
}

/// The records of a stream, as the table's rows would be written.
fn records(said: &Said, stream: &str) -> Vec<Value> {
    let messages = said.of("RECORD").into_iter().filter(|message| message["stream"] == stream);
    messages.map(|message| message["record"].clone()).collect()
}

/// The first rows are out; then this is done, and its changes come.
fn after(source: &Source, sql: &str) -> Said {
    let catalog = catalog(source);
    let first = source.sync(&catalog, None).expect_code(0);
    source.sql(sql);
    source.sync(&catalog, Some(first.state())).expect_code(0)
}

const T: &str =
    "CREATE TABLE t (id int PRIMARY KEY, v text, w int); INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)";

#[test]
fn changes_follow_the_rows_and_nothing_comes_twice() {
    let source = source(T, "t");
    let catalog = catalog(&source);
    let first = source.sync(&catalog, None).expect_code(0);
    assert_eq!(records(&first, "public-t").len(), 2);
    assert_eq!(first.of("SCHEMA")[0]["schema"]["x-tapster-absent"], "keep");
    assert!(first.of("SCHEMA")[0]["schema"]["properties"].get("_sdc_deleted_at").is_some());
    source.sql(
        "INSERT INTO t VALUES (3, NULL, 3); UPDATE t SET v = 'c' WHERE id = 1; DELETE FROM t WHERE id = 2",
    );
    source.sql("UPDATE t SET id = 4 WHERE id = 3");
    let second = source.sync(&catalog, Some(first.state())).expect_code(0);
    let mut found = records(&second, "public-t");
    for deleted in [2, 3] {
        let at = found[deleted].as_object_mut().unwrap().remove("_sdc_deleted_at").unwrap();
        assert!(at.as_str().unwrap().starts_with("20"), "{at}");
    }
    assert_eq!(
        found,
        [
            json!({ "id": 3, "v": null, "w": 3 }),
            json!({ "id": 1, "v": "c", "w": 1 }),
            json!({ "id": 2 }),
            json!({ "id": 3 }),
            json!({ "id": 4, "v": null, "w": 3 }),
        ]
    );
    let third = source.sync(&catalog, Some(second.state())).expect_code(0);
    assert_eq!(records(&third, "public-t"), Vec::<Value>::new());
    let again = source.sync(&catalog, Some(second.state())).expect_code(0);
    assert_eq!(again.of("SCHEMA").len(), 1);
}

#[test]
fn a_change_makes_the_record_that_a_read_row_makes() {
    let every_type = include_str!("every_type.sql");
    let (table, rows) = every_type.split_once("INSERT INTO").unwrap();
    let source = source(table, "shop.every_type");
    let catalog = catalog(&source);
    let first = source.sync(&catalog, None).expect_code(0);
    source.sql(&format!("INSERT INTO{rows}"));
    source.sql(
        "INSERT INTO shop.every_type (id, float8, float4, numeric, date, timestamp, timestamptz, int4s, matrix, texts, inet, bpchar, json, numerics, timestamptzs)
         VALUES (3, 'NaN', '-Infinity', 'NaN', '0044-03-15 BC', 'infinity', '-infinity', '{}', '[0:1][5:6]={{1,2},{NULL,4}}', ARRAY['', 'NULL', NULL, 'a\"b\\c{,} '], '::1', '', 'null', '{0.0,-1000.5,NULL,NaN}', '{infinity,0001-01-01 00:00:01+00}'),
                (4, -0.0, 1e-45, -0.00010, '294276-12-31', '0001-12-31 23:59:59.000001 BC', '9999-12-31 23:59:59.999999+00', '{-1}', NULL, '{\"\\\\\"}', '10.0.0.1/8', 'é', E'[1,\n 2]', '{9999.9,0.1}', NULL)",
    );
    let changes = source.sync(&catalog, Some(first.state())).expect_code(0);
    let mut read = source.discover();
    read["streams"][0]["metadata"][0]["metadata"]["selected"] = json!(true);
    let rows = source.sync(&read, None).expect_code(0);
    let mut expected = records(&rows, "shop-every_type");
    for record in &mut expected {
        record.as_object_mut().unwrap().remove("generated").unwrap();
    }
    let found = records(&changes, "shop-every_type");
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        let (found, expected) = (found.as_object().unwrap(), expected.as_object().unwrap());
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, value) in found {
            assert_eq!(value, &expected[name], "{name}");
        }
    }
}

#[test]
fn a_large_value_that_was_left_alone_is_left_out() {
    let source = source(
        "CREATE TABLE t (id int PRIMARY KEY, v text, w int); ALTER TABLE t ALTER v SET STORAGE EXTERNAL;
         INSERT INTO t VALUES (1, repeat('x', 9000), 1)",
        "t",
    );
    let said = after(
        &source,
        "UPDATE t SET w = 2; UPDATE t SET v = 'small'; UPDATE t SET v = repeat('y', 9000); UPDATE t SET id = 7",
    );
    let found = records(&said, "public-t");
    assert_eq!(found[0], json!({ "id": 1, "w": 2 }));
    assert_eq!(found[1], json!({ "id": 1, "v": "small", "w": 2 }));
    assert_eq!(found[2]["v"], "y".repeat(9000));
    assert_eq!(found[3]["id"], 1);
    assert_eq!(found[4], json!({ "id": 7, "v": "y".repeat(9000), "w": 2 }), "of a new key all is told");
}

#[test]
fn a_table_without_key_is_told_by_whole_rows() {
    let source = source(
        "CREATE TABLE k (a int, v text); ALTER TABLE k REPLICA IDENTITY FULL; INSERT INTO k VALUES (1, 'a')",
        "k",
    );
    let said = after(
        &source,
        "INSERT INTO k VALUES (2, NULL); UPDATE k SET a = 3 WHERE a = 2; DELETE FROM k WHERE a = 1",
    );
    let rows: Vec<_> = records(&said, "public-k")
        .into_iter()
        .map(|record| (record["a"].clone(), record["v"].clone(), record.get("_sdc_deleted_at").is_some()))
        .collect();
    assert_eq!(
        rows,
        [
            (json!(2), json!(null), false),
            (json!(2), json!(null), true),
            (json!(3), json!(null), false),
            (json!(1), json!("a"), true)
        ]
    );
}

#[test]
fn an_emptied_table_has_a_new_version() {
    let source = source(T, "t");
    let said = after(
        &source,
        "BEGIN; INSERT INTO t VALUES (3, 'c', 3); TRUNCATE t; INSERT INTO t VALUES (4, 'd', 4); COMMIT",
    );
    let truncation = said.of("ACTIVATE_VERSION")[0];
    assert_eq!(truncation["x-tapster-truncated"], true);
    let versions: Vec<_> =
        said.of("RECORD").iter().map(|message| message["version"].as_i64().unwrap()).collect();
    assert!(versions[0] < versions[1] && versions[1] == truncation["version"].as_i64().unwrap());
    assert_eq!(said.state()["bookmarks"]["public-t"]["version"], truncation["version"]);
}

/// Syncs, changes the table, syncs: says the columns of the last SCHEMA, the records, and the log.
fn reshape(sql: &str) -> (Vec<String>, Vec<Value>, String) {
    let source = source(T, "t");
    let said = after(&source, sql);
    let schema = said.of("SCHEMA");
    let schema = schema.last().unwrap()["schema"]["properties"].as_object().unwrap();
    let columns = schema.keys().filter(|name| *name != "_sdc_deleted_at").cloned().collect();
    (columns, records(&said, "public-t"), said.log)
}

#[test]
fn a_table_that_changes_is_followed() {
    let (columns, records, _) = reshape(
        "INSERT INTO t VALUES (3); ALTER TABLE t ADD x date; INSERT INTO t VALUES (4, 'd', 4, '2024-01-01')",
    );
    assert_eq!(columns, ["id", "v", "w", "x"]);
    assert_eq!(
        records,
        [json!({ "id": 3, "v": null, "w": null }), json!({ "id": 4, "v": "d", "w": 4, "x": "2024-01-01" })]
    );
    let (columns, records, _) =
        reshape("INSERT INTO t VALUES (3, 'c', 3); ALTER TABLE t DROP w; INSERT INTO t VALUES (4, 'd')");
    assert_eq!(columns, ["id", "v"]);
    assert_eq!(records, [json!({ "id": 3, "v": "c" }), json!({ "id": 4, "v": "d" })]);
    for (sql, reason) in [
        ("ALTER TABLE t ADD x int DEFAULT 7", "may have a value in old rows"),
        ("ALTER TABLE t ADD x serial", "may have a value in old rows"),
        ("ALTER TABLE t RENAME w TO x", "renamed to `x`"),
        ("ALTER TABLE t ALTER w TYPE text USING 'n' || w", "`w` changed its type"),
        ("ALTER TABLE t ALTER w TYPE int USING w * 2", "`w` altered"),
        ("ALTER TABLE t DROP w; ALTER TABLE t ADD w int", "dropped and made anew"),
        (
            "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text, w int); INSERT INTO t VALUES (1), (2); ALTER PUBLICATION tapster ADD TABLE t",
            "made anew",
        ),
    ] {
        let (_, records, log) =
            reshape(&format!("INSERT INTO t VALUES (5, 'e', 5); {sql}; DELETE FROM t WHERE id = 5"));
        assert!(log.contains(reason), "{sql}: {log}");
        assert_eq!(records.len(), 2, "{sql}: all rows once: {records:?}");
    }
}

#[test]
fn partitions_are_their_table_however_they_are_published() {
    for way in ["", " WITH (publish_via_partition_root = true)"] {
        let mut source = Source::new(
            "CREATE TABLE p (id int, at date NOT NULL, v int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
             CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
             CREATE TABLE p_2 (v int, at date NOT NULL, id int, PRIMARY KEY (id, at));
             ALTER TABLE p ATTACH PARTITION p_2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
             INSERT INTO p VALUES (1, '2024-02-02', 1)",
        );
        source.sql(&format!("CREATE PUBLICATION tapster FOR TABLE p{way}"));
        source.config = json!({ "replication_slot": source.value("SELECT current_database()") });
        let said = after(
            &source,
            "INSERT INTO p VALUES (2, '2025-03-03', 2); UPDATE p SET v = 3; CREATE TABLE p_3 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
             INSERT INTO p VALUES (4, '2026-01-01', 4)",
        );
        let found: Vec<_> = records(&said, "public-p")
            .iter()
            .map(|record| (record["id"].clone(), record["v"].clone()))
            .collect();
        assert_eq!(
            found,
            [(json!(2), json!(2)), (json!(1), json!(3)), (json!(2), json!(3)), (json!(4), json!(4))],
            "{way}"
        );
        let said = source.sync(&catalog(&source), Some(said.state())).expect_code(0);
        source.sql("TRUNCATE p");
        let said = source.sync(&catalog(&source), Some(said.state())).expect_code(0);
        let is_empty = !said.of("ACTIVATE_VERSION").is_empty() && records(&said, "public-p").is_empty();
        assert!(is_empty, "{way}: {:?}", said.messages);
    }
}

#[test]
fn tables_share_a_slot_and_one_may_come_later() {
    let source = source(T, "t");
    source.sql("CREATE TABLE u (id int PRIMARY KEY, v int); INSERT INTO u VALUES (1, 1)");
    let only = |id: &str| source.catalog(id, &json!({ "replication-method": "LOG_BASED" }));
    let first = source.sync(&only("public-t"), None).expect_code(0);
    source.sql("INSERT INTO t VALUES (3); INSERT INTO u VALUES (2, 2); ALTER PUBLICATION tapster ADD TABLE u; INSERT INTO u VALUES (3, 3)");
    let both = catalog(&source);
    let second = source.sync(&both, Some(first.state())).expect_code(0);
    assert_eq!(records(&second, "public-t").len(), 1);
    assert_eq!(records(&second, "public-u").len(), 3, "its rows, and no change that they have in them");
    source.sql("BEGIN; INSERT INTO t VALUES (4); UPDATE u SET v = 4 WHERE id = 1; COMMIT");
    let third = source.sync(&both, Some(second.state())).expect_code(0);
    assert_eq!((records(&third, "public-t").len(), records(&third, "public-u").len()), (1, 1));
    // What was left out while the other went on is read once more.
    source.sql("INSERT INTO t VALUES (5); INSERT INTO u VALUES (5, 5)");
    let alone = source.sync(&only("public-u"), Some(third.state())).expect_code(0);
    let alone = source.sync(&only("public-u"), Some(alone.state())).expect_code(0);
    let fourth = source.sync(&both, Some(alone.state())).expect_code(0);
    assert!(
        fourth.log.contains("public-t: all rows are read once more, since it was left out"),
        "{}",
        fourth.log
    );
    assert_eq!((records(&fourth, "public-t").len(), records(&fourth, "public-u").len()), (5, 0));
}

#[test]
fn a_gap_is_never_passed_over() {
    let source = source(T, "t");
    let catalog = catalog(&source);
    let first = source.sync(&catalog, None).expect_code(0);
    source.sql("INSERT INTO t VALUES (3)");
    let second = source.sync(&catalog, Some(first.state())).expect_code(0);
    // Now the slot moves to the second STATE.
    source.sync(&catalog, Some(second.state())).expect_code(0);
    let refusal = source.sync(&catalog, Some(first.state())).expect_code(78);
    assert!(
        refusal.log.contains("is past the STATE") && refusal.log.contains("--full-refresh"),
        "{}",
        refusal.log
    );
    let dropped = source.run(&["--drop-slot"]).expect_code(0);
    assert!(dropped.output.contains("is dropped"), "{}", dropped.output);
    assert_eq!(
        source.value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = current_database()"),
        "0"
    );
    assert!(source.run(&["--drop-slot"]).expect_code(0).output.contains("there is no slot"));
    let refusal = source.sync(&catalog, Some(second.state())).expect_code(78);
    assert!(refusal.log.contains("is gone"), "{}", refusal.log);
    let anew = source.sync(&catalog, None).expect_code(0);
    assert_eq!(records(&anew, "public-t").len(), 3);
}

#[test]
fn what_the_log_needs_is_said_in_words() {
    let mut source = Source::new(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE \"U u\" (id int PRIMARY KEY); CREATE TABLE k (id int NOT NULL UNIQUE, v int);
         CREATE VIEW v AS SELECT id FROM t; CREATE UNLOGGED TABLE n (id int PRIMARY KEY); CREATE TABLE parent (id int PRIMARY KEY);
         CREATE TABLE child () INHERITS (parent); CREATE ROLE plain_reader LOGIN PASSWORD 'not-a-secret'; GRANT SELECT ON t TO plain_reader",
    );
    let slot = source.value("SELECT current_database()");
    source.config = json!({ "replication_slot": slot });
    let only = |source: &Source, id: &str| source.catalog(id, &json!({ "replication-method": "LOG_BASED" }));
    let refusal = |source: &Source, id: &str| source.sync(&only(source, id), None).expect_code(78).log;
    let log = refusal(&source, "public-U u");
    assert!(log.contains(r#"CREATE PUBLICATION "tapster" FOR TABLE "public"."U u""#), "{log}");
    source.sql("CREATE PUBLICATION tapster FOR TABLE t, k, parent");
    let log = refusal(&source, "public-U u");
    assert!(log.contains(r#"ALTER PUBLICATION "tapster" ADD TABLE "public"."U u""#), "{log}");
    for (id, words) in [
        ("public-v", "is LOG_BASED and no table"),
        ("public-n", "SET LOGGED"),
        ("public-parent", "other tables inherit"),
        ("public-k", "REPLICA IDENTITY FULL"),
    ] {
        let log = refusal(&source, id);
        assert!(log.contains(words), "{id}: {log}");
    }
    let filtered =
        source.catalog("public-t", &json!({ "replication-method": "LOG_BASED", "where": "id > 1" }));
    assert!(source.sync(&filtered, None).expect_code(78).log.contains("a log has all rows"));
    source.sql(&format!("SELECT pg_create_physical_replication_slot('{slot}')"));
    assert!(refusal(&source, "public-t").contains("is another's"));
    source.sql(&format!("SELECT pg_drop_replication_slot('{slot}')"));
    let slots = |function: &str| format!("SELECT {function}('s' || i) FROM generate_series(1, 60) i");
    source.sql(&slots("pg_create_physical_replication_slot"));
    let log = source.sync(&only(&source, "public-t"), None).expect_code(1).log;
    assert!(log.contains("`max_replication_slots`"), "{log}");
    source.sql(&slots("pg_drop_replication_slot"));
    source.config = json!({ "replication_slot": slot, "user": "plain_reader" });
    source.sql("ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY some_rows ON t USING (id > 1)");
    assert!(refusal(&source, "public-t").contains("policies hide rows"));
    source.sql("ALTER TABLE t DISABLE ROW LEVEL SECURITY");
    // Other tables of the publication are nobody's business.
    source.sql("CREATE SCHEMA hidden; CREATE TABLE hidden.h (id int PRIMARY KEY); ALTER PUBLICATION tapster ADD TABLE hidden.h");
    assert!(refusal(&source, "public-t").contains("ALTER ROLE … REPLICATION"));
}

/// The numbers in column `a` of a stream's records.
fn numbers(messages: &[Value]) -> Vec<u64> {
    let records =
        messages.iter().filter(|message| message["type"] == "RECORD" && message["stream"] == "public-k");
    records.map(|message| message["record"]["a"].as_u64().unwrap()).collect()
}

/// Without a key a record that comes twice, or not at all, stays so.
#[test]
fn no_transaction_is_lost_or_doubled_between_the_rows_and_the_changes() {
    let source = source(
        "CREATE TABLE before (id int PRIMARY KEY, text text); INSERT INTO before SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i;
         CREATE TABLE k (a int); INSERT INTO k VALUES (1)",
        "before, k",
    );
    let catalog = catalog(&source);
    let mut running = source.start(&catalog);
    running.until(|message| message["type"] == "RECORD");
    // The tap is held up in the first table: these are there before it looks at the second one.
    let commit = source.begin("INSERT INTO k VALUES (2); SAVEPOINT s; INSERT INTO k VALUES (3)");
    source.sql("INSERT INTO k VALUES (4)");
    let rows = running.until(|message| message["type"] == "RECORD" && message["stream"] == "public-k");
    commit();
    source.sql("INSERT INTO k VALUES (5)");
    let mut messages = [rows, running.rest()].concat();
    let (code, log) = running.finish();
    assert_eq!(code, Some(0), "{log}");
    let state = messages.iter().rfind(|message| message["type"] == "STATE").unwrap()["value"].clone();
    messages.extend(source.sync(&catalog, Some(&state)).expect_code(0).messages);
    let mut found = numbers(&messages);
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3, 4, 5]);
}

#[test]
fn changes_are_followed_until_a_signal_and_the_slot_moves_as_the_target_commits() {
    let source = source("CREATE TABLE k (a int); INSERT INTO k VALUES (1)", "k");
    let file = source.folder().join("committed.json");
    let one = std::path::Path::new("1");
    let mut running =
        source.follow(&catalog(&source), &[("TAPSTER_CONTINUOUS", one), ("TAPSTER_COMMITTED_STATE", &file)]);
    running.until(|message| message["type"] == "STATE");
    let slot = "FROM pg_replication_slots WHERE slot_name = current_database()";
    let mut last = Value::Null;
    for number in [2, 3] {
        source.sql(&format!("INSERT INTO k VALUES ({number})"));
        let messages = running.until(|message| message["type"] == "RECORD");
        assert_eq!(numbers(&messages), [number]);
        last = running.until(|message| message["type"] == "STATE").pop().unwrap()["value"].clone();
    }
    let place = last["bookmarks"]["public-k"]["lsn"].as_str().unwrap();
    assert_eq!(
        source.value(&format!("SELECT (confirmed_flush_lsn < '{place}')::text {slot}")),
        "true",
        "nothing was committed"
    );
    std::fs::write(&file, last.to_string()).unwrap();
    while source.value(&format!("SELECT (confirmed_flush_lsn >= '{place}')::text {slot}")) != "true" {}
    running.terminate();
    assert!(numbers(&running.rest()).is_empty());
    let (code, log) = running.finish();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn a_server_that_logs_too_little_is_named() {
    let cluster = Cluster::start(Durability::Full);
    let mut source = Source::at(&cluster, T);
    let catalog = catalog(&source);
    source.sql("ALTER SYSTEM SET wal_level = replica");
    cluster.stop_immediate();
    cluster.start_again();
    let log = source.sync(&catalog, None).expect_code(78).log;
    assert!(log.contains("wal_level = logical"), "{log}");
    // A slot that must keep more than it may is given up.
    source.sql("ALTER SYSTEM RESET wal_level");
    source.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
    cluster.stop_immediate();
    cluster.start_again();
    source.sql("CREATE PUBLICATION tapster FOR TABLE t");
    source.config = json!({ "slot_warning_mb": 0 });
    let first = source.sync(&catalog, None).expect_code(0);
    for _ in 0..3 {
        source.sql("SELECT pg_switch_wal()");
        source.sql("CREATE TABLE IF NOT EXISTS filler (x text)");
        source.sql("INSERT INTO filler VALUES ('x')");
    }
    let again = source.sync(&catalog, Some(first.state())).expect_code(0);
    assert!(again.log.contains("makes the server keep"), "{}", again.log);
    source.sql("CHECKPOINT");
    let lost = source.sync(&catalog, Some(again.state())).expect_code(78).log;
    assert!(lost.contains("was given up by the server"), "{lost}");
    source.sync(&catalog, None).expect_code(0);
}
