//! By a replication key.

use serde_json::{Value, json};

use crate::fixture::{Said, Source};

const EVENTS: &str = "CREATE TABLE events (id int PRIMARY KEY, at timestamptz, n numeric);
    INSERT INTO events SELECT i, '2024-01-01 00:00Z'::timestamptz + i * interval '1 minute', i * 1.5 FROM generate_series(1, 10) i;
    INSERT INTO events VALUES (11, NULL, NULL)";

fn by(key: &str) -> Value {
    json!({ "replication-method": "INCREMENTAL", "replication-key": key })
}

fn ids(said: &Said) -> Vec<i64> {
    said.column("id").into_iter().map(|value| value.as_i64().unwrap()).collect()
}

#[test]
fn what_is_new_follows_in_order_with_the_last_one_again() {
    let source = Source::new(EVENTS);
    let catalog = source.catalog("public-events", &by("at"));
    let first = source.sync(&catalog, None).expect_code(0);
    assert_eq!(ids(&first), [11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "what has no value comes first, once");
    assert_eq!(first.of("SCHEMA")[0]["bookmark_properties"], json!(["at"]));
    assert!(first.of("ACTIVATE_VERSION").is_empty() && first.of("RECORD")[0].get("version").is_none());
    let bookmark = &first.state()["bookmarks"]["public-events"];
    assert_eq!(
        bookmark,
        &json!({ "replication_key": "at", "replication_key_value": "2024-01-01T00:10:00Z" })
    );
    source.sql("INSERT INTO events VALUES (12, '2024-01-01 00:10:30Z'), (13, '2024-01-01 00:09:30Z')");
    let second = source.sync(&catalog, Some(first.state())).expect_code(0);
    assert_eq!(ids(&second), [10, 12]);
    let mut lagging = by("at");
    lagging["replication_key_lag"] = json!("90s");
    let lagging = source.catalog("public-events", &lagging);
    let third = source.sync(&lagging, Some(first.state())).expect_code(0);
    assert_eq!(ids(&third), [9, 13, 10, 12]);
    source.sql("DELETE FROM events WHERE at IS NOT NULL");
    let fourth = source.sync(&catalog, Some(second.state())).expect_code(0);
    assert_eq!(fourth.state(), second.state(), "the bookmark stays where nothing is left");
}

#[test]
fn keys_of_several_types_are_taken_up_again() {
    let source = Source::new(
        "CREATE TABLE k (id int PRIMARY KEY, n numeric, t text, d date, ts timestamp, u uuid, f float8);
         INSERT INTO k VALUES (1, 'NaN', 'o''clock', '0044-03-15 BC', 'infinity', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'Infinity'),
           (2, 12345678901234567890.5, 'a', '-infinity', '0044-03-15 BC', '00eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 0.1)",
    );
    for key in ["n", "t", "d", "ts", "u", "f", "id"] {
        let catalog = source.catalog("public-k", &by(key));
        let first = source.sync(&catalog, None).expect_code(0);
        // The last one that is neither infinite nor NaN, and what comes after it.
        let again = match key {
            "n" | "ts" | "f" => vec![2, 1],
            _ => vec![*ids(&first).last().unwrap()],
        };
        assert_eq!(ids(&source.sync(&catalog, Some(first.state())).expect_code(0)), again, "{key}");
    }
}

#[test]
fn an_infinite_key_hides_nothing_that_comes_later() {
    let source = Source::new(
        "CREATE TABLE k (id int, at timestamptz); INSERT INTO k VALUES (1, 'infinity'), (2, '-infinity')",
    );
    let catalog = source.catalog("public-k", &by("at"));
    let first = source.sync(&catalog, None).expect_code(0);
    assert_eq!(
        first.state()["bookmarks"]["public-k"],
        json!({ "replication_key": "at", "nulls_are_out": true })
    );
    source.sql("INSERT INTO k VALUES (3, '2024-01-01Z'), (4, NULL)");
    let second = source.sync(&catalog, Some(first.state())).expect_code(0);
    assert_eq!(ids(&second), [2, 3, 1]);
    source.sql("INSERT INTO k VALUES (5, '2024-01-02Z')");
    assert_eq!(ids(&source.sync(&catalog, Some(second.state())).expect_code(0)), [3, 5, 1]);
}

#[test]
fn rows_without_a_value_come_once_also_where_no_other_has_one() {
    let source = Source::new(
        "CREATE TABLE k (id int, n int); INSERT INTO k SELECT i FROM generate_series(1, 20000) i",
    );
    let catalog = source.catalog("public-k", &by("n"));
    let first = source.sync(&catalog, None).expect_code(0);
    assert_eq!(ids(&first).len(), 20_000);
    for state in first.of("STATE") {
        let bookmark = &state["value"]["bookmarks"]["public-k"];
        assert_eq!(bookmark["nulls_are_out"], true, "none comes in the middle of them");
    }
    source.sql("INSERT INTO k VALUES (20001, 7)");
    let second = source.sync(&catalog, Some(first.state())).expect_code(0);
    assert_eq!(ids(&second), [20_001]);
}

#[test]
fn a_lag_goes_with_every_kind_of_number() {
    let source = Source::new(
        "CREATE TABLE k (id int PRIMARY KEY, o oid, f float8, r float4, n numeric);
        INSERT INTO k SELECT i, i, i, i, i FROM generate_series(1, 9) i",
    );
    for key in ["id", "o", "f", "r", "n"] {
        let mut metadata = by(key);
        metadata["replication_key_lag"] = json!(2);
        let catalog = source.catalog("public-k", &metadata);
        let first = source.sync(&catalog, None).expect_code(0);
        assert_eq!(ids(&source.sync(&catalog, Some(first.state())).expect_code(0)), [7, 8, 9], "{key}");
    }
}

#[test]
fn the_states_of_other_taps_are_taken_over() {
    let source = Source::new(EVENTS);
    let state = json!({ "bookmarks": { "public-events": {
        "last_replication_method": "INCREMENTAL", "replication_key": "id", "version": 1_571_651_700_000_i64, "replication_key_value": 9
    } } });
    let said = source.sync(&source.catalog("public-events", &by("id")), Some(&state)).expect_code(0);
    assert_eq!(ids(&said), [9, 10, 11]);
}

#[test]
fn a_change_of_the_way_needs_a_key() {
    let source = Source::new(EVENTS);
    let full = source.catalog("public-events", &json!({}));
    let state = source.sync(&full, None).expect_code(0);
    let catalog = source.catalog("public-events", &by("at"));
    let said = source.sync(&catalog, Some(state.state())).expect_code(0);
    assert_eq!(ids(&said).len(), 11);
    assert!(said.log.contains("was FULL_TABLE before: reading from the beginning by `at`"), "{}", said.log);
    let mut keyless = by("at");
    keyless["table-key-properties"] = json!([]);
    let mut catalog = source.catalog("public-events", &keyless);
    catalog["streams"][0]["key_properties"] = json!([]);
    let said = source.sync(&catalog, Some(state.state())).expect_code(78);
    assert!(said.log.contains("its records would be sent once more"), "{}", said.log);
}
