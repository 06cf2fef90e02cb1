//! Tables that are changed in ways that no log tells.

use std::path::Path;

use serde_json::json;

use super::{T, after, catalog, records, source};
use crate::fixture::Source;

/// Of months, with one row, and published.
fn partitioned(more: &str, way: &str) -> Source {
    let mut source = Source::new(&format!(
        "CREATE TABLE p (id int, at date NOT NULL, v int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
         CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
         INSERT INTO p VALUES (1, '2024-01-01', 1); {more}; CREATE PUBLICATION tapster FOR TABLE p {way}"
    ));
    source.config = json!({ "replication_slot": source.value("SELECT current_database()") });
    source
}

#[test]
fn values_that_a_new_column_has_in_old_rows_are_read_though_the_default_is_gone() {
    let said =
        after(&source(T, "t"), "ALTER TABLE t ADD x int DEFAULT 7; ALTER TABLE t ALTER x DROP DEFAULT");
    let found: Vec<_> = records(&said, "public-t").iter().map(|record| record["x"].clone()).collect();
    assert_eq!(found, [7, 7]);
    let said = after(
        &partitioned("", ""),
        "ALTER TABLE p ADD x int DEFAULT 7 + 0 * random(); ALTER TABLE p ALTER x DROP DEFAULT",
    );
    assert_eq!(records(&said, "public-p")[0]["x"], 7);
}

#[test]
fn a_partition_that_is_attached_with_rows_is_read_and_one_that_is_filled_is_followed() {
    for way in ["", "WITH (publish_via_partition_root = true)"] {
        let source = partitioned("", way);
        let catalog = catalog(&source);
        let mut state = source.sync(&catalog, None).expect_code(0).state().clone();
        let attached = |month: u8| {
            [
                format!("CREATE TABLE p_{month} (LIKE p INCLUDING ALL)"),
                format!("INSERT INTO p_{month} VALUES ({month}, '2024-0{month}-01', 1)"),
                format!(
                    "ALTER TABLE p ATTACH PARTITION p_{month} FOR VALUES FROM ('2024-0{month}-01') TO ('2024-0{month}-02')"
                ),
            ]
        };
        let filled = "CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM ('2024-02-01') TO ('2024-02-02')";
        for (statements, count) in [
            (vec![filled.to_owned(), "INSERT INTO p VALUES (2, '2024-02-01', 1)".to_owned()], 1),
            (attached(3).to_vec(), 3),
            (vec![attached(4).join(";")], 4),
        ] {
            for sql in &statements {
                source.sql(sql);
            }
            let said = source.sync(&catalog, Some(&state)).expect_code(0);
            assert_eq!(records(&said, "public-p").len(), count, "{way}: {statements:?}");
            assert_eq!(said.log.contains("has rows was attached"), count > 1, "{}", said.log);
            state = said.state().clone();
        }
    }
}

#[test]
fn a_run_sees_that_a_column_was_made_anew() {
    let source = source(T, "t");
    let on = ("TAPSTER_CONTINUOUS", Path::new("1"));
    let mut running = source.follow(&catalog(&source), &[on]);
    let first = running.until(|message| message["type"] == "STATE").pop().unwrap();
    source.sql("ALTER TABLE t DROP w; ALTER TABLE t ADD w int; INSERT INTO t VALUES (3, 'c', 3)");
    let last = running.until(|message| message["record"]["id"] == 3).pop().unwrap();
    let before = first["value"]["bookmarks"]["public-t"]["version"].as_i64();
    assert!(last["version"].as_i64() > before, "{last}");
    running.kill();
}

#[test]
fn a_table_whose_log_lacked_its_key_for_a_while_is_read_once_more() {
    let said = after(
        &source(T, "t"),
        "ALTER TABLE t REPLICA IDENTITY NOTHING; INSERT INTO t VALUES (3); ALTER TABLE t REPLICA IDENTITY DEFAULT",
    );
    assert!(said.log.contains("did not say `id`"), "{}", said.log);
    assert_eq!(records(&said, "public-t").len(), 3);
}

#[test]
fn a_stream_without_key_needs_whole_rows_in_the_log() {
    let source = source(T, "t");
    let mut catalog = catalog(&source);
    let stream = &mut catalog["streams"][0];
    stream["key_properties"] = json!([]);
    for entry in stream["metadata"].as_array_mut().unwrap() {
        entry["metadata"].as_object_mut().unwrap().remove("table-key-properties");
    }
    let refusal = source.sync(&catalog, None).expect_code(78);
    assert!(refusal.log.contains("REPLICA IDENTITY FULL"), "{}", refusal.log);
    source.sql("ALTER TABLE t REPLICA IDENTITY FULL");
    let first = source.sync(&catalog, None).expect_code(0);
    source.sql("ALTER TABLE t REPLICA IDENTITY DEFAULT; DELETE FROM t WHERE id = 1; ALTER TABLE t REPLICA IDENTITY FULL");
    let second = source.sync(&catalog, Some(first.state())).expect_code(0);
    assert!(second.log.contains("did not say columns beside `id`"), "{}", second.log);
    assert_eq!(records(&second, "public-t").len(), 1);
}

#[test]
fn partitions_tell_as_much_as_their_table() {
    let source =
        partitioned("ALTER TABLE p REPLICA IDENTITY FULL", "WITH (publish_via_partition_root = true)");
    let refusal = source.sync(&catalog(&source), None).expect_code(78);
    assert!(refusal.log.contains("ALTER TABLE p_1 REPLICA IDENTITY FULL"), "{}", refusal.log);
    source.sql("ALTER TABLE p_1 REPLICA IDENTITY FULL");
    source.sync(&catalog(&source), None).expect_code(0);
}

#[test]
fn a_table_that_is_read_in_pieces_is_known_by_its_first_shape() {
    let source = source(
        "CREATE TABLE t (id int PRIMARY KEY, text text); INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i",
        "t",
    );
    let catalog = catalog(&source);
    let mut running = source.start(&catalog);
    let state = running.until(|message| message["type"] == "STATE").pop().unwrap()["value"].clone();
    running.kill();
    let shape = &state["bookmarks"]["public-t"]["shape"];
    assert!(shape["table"].is_u64(), "{state}");
    let said = source.sync(&catalog, Some(&state)).expect_code(0);
    assert!(said.of("STATE").len() > 3);
    for message in said.of("STATE") {
        assert_eq!(&message["value"]["bookmarks"]["public-t"]["shape"], shape);
    }
}
