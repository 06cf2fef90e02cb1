//! What the values of every type become.

use std::fmt::Write as _;

use serde_json::json;

use crate::fixture::Source;

const EVERY_TYPE: &str = include_str!("every_type.sql");

#[test]
fn every_type_has_its_value() {
    let source = Source::new(EVERY_TYPE);
    let said = source.sync(&source.discover(), None).expect_code(0);
    let mut lines = String::new();
    for (name, value) in said.of("RECORD")[0]["record"].as_object().unwrap() {
        let _ = writeln!(lines, "{name}: {value}");
    }
    insta::assert_snapshot!(lines);
    let empty = said.of("RECORD")[1]["record"].as_object().unwrap();
    let set: Vec<_> =
        empty.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.as_str()).collect();
    assert_eq!(set, ["a \"quoted\" name", "id"]);
}

/// `serde_json` reads numbers as doubles, so that digits are compared in the text.
#[test]
fn what_no_number_and_no_calendar_holds_comes_by_policy() {
    let mut source = Source::new(
        "CREATE TABLE edges (id int PRIMARY KEY, d date, t timestamptz, n numeric, f float8);
         INSERT INTO edges VALUES (1, '0044-03-15 BC', '0044-03-15 12:00:00.5 BC', 'NaN', 'NaN'),
           (2, 'infinity', '-infinity', '-0.00', '-Infinity'), (3, '5874897-12-31', '294276-12-31 23:59:59.999999', 1e-20, '1e-320')",
    );
    let catalog = source.discover();
    let column = |source: &Source, name: &str| {
        let said = source.sync(&catalog, None).expect_code(0);
        said.column(name).into_iter().cloned().collect::<Vec<_>>()
    };
    assert_eq!(column(&source, "d"), ["0044-03-15 BC", "infinity", "5874897-12-31"]);
    assert_eq!(
        column(&source, "t"),
        ["0044-03-15T12:00:00.5Z BC", "-infinity", "294276-12-31T23:59:59.999999Z"]
    );
    assert_eq!(column(&source, "n"), [json!("NaN"), json!(0.0), json!(1e-20)]);
    assert_eq!(column(&source, "f"), [json!("NaN"), json!("-Infinity"), json!(1e-320)]);
    source.config = json!({ "dates": "clamp" });
    assert_eq!(column(&source, "d"), ["0001-01-01", "9999-12-31", "9999-12-31"]);
    source.config = json!({ "dates": "set_null" });
    assert_eq!(column(&source, "t"), [json!(null), json!(null), json!(null)]);
    source.config = json!({ "dates": "fail" });
    let said = source.sync(&catalog, None).expect_code(1);
    assert!(
        said.log.contains("column `d` of public-edges holds a day or an instant outside"),
        "{}",
        said.log
    );
}

#[test]
fn an_array_of_other_dimensions_than_its_table_says_is_refused() {
    let source = Source::new("CREATE TABLE deep (a int[]); INSERT INTO deep VALUES ('{}'), ('{{1}}')");
    let said = source.sync(&source.discover(), None).expect_code(1);
    assert_eq!(said.column("a"), [&json!([])]);
    assert!(said.log.contains("column `a` of public-deep holds an array of 2 dimensions"), "{}", said.log);
    let source = Source::new("CREATE TABLE flat (a int[][]); INSERT INTO flat VALUES ('{1,2}')");
    let said = source.sync(&source.discover(), None).expect_code(1);
    let words = "column `a` of public-flat holds an array of 1 dimensions where its table declares 2";
    assert!(said.log.contains(words) && said.log.contains("to_jsonb(column)"), "{}", said.log);
}

#[test]
fn rows_of_nulls_come_in_batches_of_the_usual_size() {
    let columns = ["timestamptz", "text", "int[]", "numeric(9,2)"];
    let columns: Vec<_> = (0..40).map(|at| format!("c{at} {}", columns[at % 4])).collect();
    let source = Source::new(&format!(
        "CREATE TABLE empty (id bigint PRIMARY KEY, {}); INSERT INTO empty SELECT i FROM generate_series(1, 40000) i",
        columns.join(", ")
    ));
    let metadata = json!({ "replication-method": "INCREMENTAL", "replication-key": "id" });
    let sizes = source.sync_columns(&source.catalog("public-empty", &metadata));
    assert!(sizes.iter().sum::<u64>() > 12 << 20, "there is enough for several: {sizes:?}");
    assert!(sizes.iter().all(|size| *size < 5 << 20), "{sizes:?}");
}
