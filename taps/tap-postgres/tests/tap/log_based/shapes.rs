//! Tables that are changed in ways that no log tells.

use serde_json::json;

use super::{T, after, records, source};
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
