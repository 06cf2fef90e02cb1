//! What there is, and what of it is said.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::fixture::Source;

const EVERY_TYPE: &str = include_str!("every_type.sql");

/// Stream by stream its metadata.
fn roots(catalog: &Value) -> Vec<(&str, &Value)> {
    let streams = catalog["streams"].as_array().unwrap().iter();
    let root = |stream: &'_ Value| -> Option<usize> {
        stream["metadata"].as_array()?.iter().position(|entry| entry["breadcrumb"] == json!([]))
    };
    streams
        .map(|stream| {
            (
                stream["tap_stream_id"].as_str().unwrap(),
                &stream["metadata"][root(stream).unwrap()]["metadata"],
            )
        })
        .collect()
}

#[test]
fn every_type_has_its_schema() {
    let source = Source::new(EVERY_TYPE);
    let catalog = source.discover();
    let stream = &catalog["streams"][0];
    let mut lines = String::new();
    for (name, node) in stream["schema"]["properties"].as_object().unwrap() {
        let entries = stream["metadata"].as_array().unwrap().iter();
        let entry = entries.clone().find(|entry| entry["breadcrumb"] == json!(["properties", name])).unwrap();
        let metadata = &entry["metadata"];
        let _ = writeln!(lines, "{name} {} {}: {node}", metadata["sql-datatype"], metadata["inclusion"]);
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn tables_views_and_partitions_are_listed_with_keys_and_rows() {
    let mut source = Source::new(
        "CREATE TABLE a (x int, y int, PRIMARY KEY (y, x)); INSERT INTO a SELECT i, i FROM generate_series(1, 7) i;
         CREATE TABLE b (x int NOT NULL UNIQUE, y int UNIQUE, z text NOT NULL, UNIQUE (x, z));
         CREATE TABLE c (x int); CREATE UNIQUE INDEX ON c ((x + 1)); CREATE UNIQUE INDEX ON c (x) WHERE x > 0;
         CREATE TABLE d (x int NOT NULL, y int NOT NULL); CREATE UNIQUE INDEX one ON d (x);
         CREATE UNIQUE INDEX two ON d (y); ALTER TABLE d REPLICA IDENTITY USING INDEX two;
         CREATE VIEW v AS SELECT * FROM a; CREATE MATERIALIZED VIEW mv AS SELECT * FROM a;
         CREATE TABLE p (at date NOT NULL) PARTITION BY RANGE (at);
         CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
         INSERT INTO p VALUES ('2024-02-02'); ANALYZE;
         CREATE SCHEMA other; CREATE TABLE other.\"odd-Name\" (x int)",
    );
    source.config = json!({ "queries": { "counted": "SELECT count(*) AS n, 'x'::varchar(3) AS x FROM a;" } });
    let catalog = source.discover();
    let mut lines = String::new();
    for (id, root) in roots(&catalog) {
        let _ = writeln!(lines, "{id}: {root}");
    }
    insta::assert_snapshot!(lines.replace(&source.value("SELECT current_database()"), "[DATABASE]"));

    source.config = json!({ "filter_schemas": "other" });
    let catalog = source.discover();
    assert_eq!(roots(&catalog).iter().map(|(id, _)| *id).collect::<Vec<_>>(), ["other-odd-Name"]);
}

#[test]
fn two_tables_cannot_be_one_stream() {
    let mut source = Source::new(
        "CREATE SCHEMA a; CREATE SCHEMA \"a-b\"; CREATE TABLE a.\"b-c\" (x int); CREATE TABLE \"a-b\".c (x int)",
    );
    let said = source.discovery().expect_code(78);
    let words = r#"`a-b-c` would be the stream of "a"."b-c" and of "a-b"."c""#;
    assert!(said.log.contains(words) && said.log.contains("filter_schemas"), "{}", said.log);
    source.config = json!({ "filter_schemas": "a" });
    source.discovery().expect_code(0);
}

#[test]
fn what_may_not_be_read_is_listed_and_said() {
    let mut source = Source::new(
        "CREATE ROLE discoverer LOGIN PASSWORD 'not-a-secret'; CREATE TABLE open (x int, secret int);
         CREATE TABLE closed (x int); GRANT SELECT (x) ON open TO discoverer;
         INSERT INTO open SELECT i, i FROM generate_series(1, 70000) i",
    );
    source.config = json!({ "user": "discoverer" });
    let catalog = source.discover();
    let closed = &catalog["streams"][0];
    assert_eq!(roots(&catalog)[0].1["inclusion"], "unsupported", "{closed}");
    let entries = catalog["streams"][1]["metadata"].as_array().unwrap().iter();
    let inclusions: Vec<_> = entries.map(|entry| entry["metadata"]["inclusion"].as_str().unwrap()).collect();
    assert_eq!(inclusions, ["available", "available", "unsupported"]);
    let said = source.discovery().expect_code(0);
    assert!(said.log.contains("discoverer may not read 1 of the tables found"), "{}", said.log);
    // What is not selected by default is the table that cannot be read, and the column.
    let said = source.sync(&catalog, None).expect_code(0);
    assert_eq!(said.of("SCHEMA").len(), 1);
    assert_eq!(said.of("RECORD").len(), 70_000, "rights on columns alone do not reach to pages");
    assert_eq!(said.of("SCHEMA")[0]["schema"]["properties"].as_object().unwrap().len(), 1);
}

#[test]
fn a_table_that_others_inherit_from_has_no_key() {
    let source = Source::new(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
         CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
         CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9)",
    );
    let catalog = source.discover();
    let key = |id: &str| {
        let streams = catalog["streams"].as_array().unwrap().iter();
        streams.clone().find(|stream| stream["tap_stream_id"] == id).unwrap()["key_properties"].clone()
    };
    assert_eq!(key("public-parent"), serde_json::json!([]), "a child may have the same id");
    assert_eq!(key("public-child"), serde_json::json!(["id"]));
    assert_eq!(key("public-parted"), serde_json::json!(["id"]));
}
