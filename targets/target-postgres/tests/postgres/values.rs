//! Values as the server reads them: it is the oracle.

use std::sync::Arc;

use columns::arrow_array::builder::{Date32Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder};
use columns::arrow_array::{Array, ArrayRef, RecordBatch};
use columns::{Column, ColumnType, StreamName, TableSchema};
use proptest::prelude::{Strategy, any};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use target_api::{Table, TableName, Target};
use target_testkit::postgres::{Cluster, Database};

use crate::support::{load, rows, run, start, state, table};

/// A table `t` of one column, with this array in it.
async fn load_array(database: &Database, column_type: &ColumnType, array: ArrayRef) {
    let columns = vec![Column { name: "v".into(), column_type: column_type.clone(), nullable: true }];
    let schema =
        TableSchema { stream: StreamName::from("t"), columns, key_properties: vec![], keeps_absent: false };
    let batch = RecordBatch::try_new(schema.arrow(), vec![array]).unwrap();
    let name = TableName { schema: None, table: "t".into() };
    let wanted = Table::new(schema, name);
    let mut target = start(database, &run("one")).await;
    target.open(&wanted).await.unwrap();
    target.write(&wanted.schema.stream, batch).await.unwrap_or_else(|error| panic!("{error}"));
    target.commit(&state("{}")).await.unwrap();
}

fn samples<T>(strategy: impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numerics_of_any_length_are_what_the_server_reads() {
    let database = Cluster::shared().database().await;
    let digits = "-?[0-9]{1,60}(\\.[0-9]{0,60})?([eE][+-]?[0-9]{1,2})?";
    let mut values = samples(digits, 3_000);
    values.extend(
        ["NaN", "Infinity", "-Infinity", "0", "-0.000", "1e131071", "1e-16383", ".5", "5."].map(String::from),
    );
    values.push(format!("{}.{}", "9".repeat(20_000), "8".repeat(16_383)));
    let array = StringBuilder::new();
    let array = values.iter().fold(array, |mut array, value| {
        array.append_value(value);
        array
    });
    let mut array = array;
    load_array(&database, &ColumnType::UnboundedNumeric, Arc::new(array.finish())).await;
    // The text goes in as text, and the server casts it; both forms must agree to the last digit.
    let texts = table("texts: v text", &[]);
    let lines: Vec<&str> = values.iter().map(String::as_str).collect();
    load(&database, &run("two"), &texts, &lines).await;
    let sql = "SELECT v::text FROM t EXCEPT ALL SELECT v::numeric::text FROM texts";
    assert_eq!(rows(&database, sql).await, Vec::<String>::new());
    assert_eq!(rows(&database, "SELECT count(*) FROM t").await, [values.len().to_string()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fixed_numerics_are_what_the_server_reads() {
    for (at, (precision, scale)) in
        [(38_u8, 0_u8), (38, 38), (38, 19), (19, 3), (5, 2), (9, 9)].into_iter().enumerate()
    {
        let database = Cluster::shared().database().await;
        let whole = usize::from(precision - scale);
        let pattern = format!("-?[0-9]{{{},{whole}}}(\\.[0-9]{{0,{scale}}})", whole.min(1));
        let values: Vec<String> =
            samples(pattern.as_str(), 500)
                .into_iter()
                .map(|value| value.trim_end_matches('.').to_owned())
                .filter(|value| value.trim_start_matches('-').chars().any(|c| c.is_ascii_digit()))
                .map(|value| value.replace("-.", "-0.").trim_start_matches('.').to_owned())
                .map(|value| {
                    if value.contains('.') || scale == 0 || whole > 0 { value } else { format!("0.{value}") }
                })
                .collect();
        let lines: Vec<&str> = values.iter().map(String::as_str).collect();
        load(&database, &run("one"), &table(&format!("t: v numeric({precision},{scale})"), &[]), &lines)
            .await;
        load(&database, &run("two"), &table("texts: v text", &[]), &lines).await;
        let sql = format!(
            "SELECT v::text FROM t EXCEPT ALL SELECT v::numeric({precision},{scale})::text FROM texts"
        );
        assert_eq!(rows(&database, &sql).await, Vec::<String>::new(), "{at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_and_instants_are_those_of_the_server_up_to_its_limits() {
    let database = Cluster::shared().database().await;
    let limits = crate::support::target(&database).capabilities().limits;
    let (first_day, last_day) = limits.days;
    let (first, last) = limits.instants;
    let mut days = samples(first_day..=last_day, 500);
    days.extend([first_day, last_day, -1, 0, 1, 10_956, 10_957]);
    let mut instants = samples(first..=last, 500);
    instants.extend(samples(any::<i32>().prop_map(i64::from), 100));
    instants.extend([first, last, -1, 0, 1, 946_684_799_999_999, 946_684_800_000_000]);
    let mut array = Date32Builder::new();
    array.append_slice(&days);
    load_array(&database, &ColumnType::Date, Arc::new(array.finish())).await;
    let found = rows(&database, "SELECT v - date '1970-01-01' FROM t").await;
    let days: Vec<i64> = days.into_iter().map(i64::from).collect();
    assert!(sorted(&found) == of_order(days), "days");
    for (column_type, zone) in [(ColumnType::Timestamp, None), (ColumnType::TimestampTz, Some("UTC"))] {
        let database = Cluster::shared().database().await;
        let mut array = TimestampMicrosecondBuilder::new();
        array.append_slice(&instants);
        let array = array.finish().with_timezone_opt(zone);
        load_array(&database, &column_type, Arc::new(array)).await;
        // The server's own subtraction is exact where its epoch is not.
        let found = rows(
            &database,
            "SET TimeZone = 'UTC'; SELECT CASE WHEN v < '4000-01-01 BC' OR v > '200000-01-01' \
             THEN (v - '1970-01-01')::text ELSE (extract(epoch FROM v) * 1000000)::numeric::bigint::text END FROM t",
        )
        .await;
        let (near, far): (Vec<String>, Vec<String>) =
            found.into_iter().partition(|text| text.parse::<i64>().is_ok());
        let wanted = instants
            .iter()
            .copied()
            .filter(|at| (-188_395_027_200_000_000..=6_249_223_987_200_000_000).contains(at));
        assert!(sorted(&near) == of_order(wanted.collect()), "{column_type}");
        assert!(far.contains(&"106751991 days 04:00:54.775807".to_owned()), "the last instant: {far:?}");
    }
    let database = Cluster::shared().database().await;
    let last = rows(&database, &format!("SELECT (date '1970-01-01' + {last_day})::text")).await;
    assert_eq!(last, ["5874897-12-31"]);
}

fn of_order(mut values: Vec<i64>) -> Vec<i64> {
    values.sort_unstable();
    values
}

fn sorted(found: &[String]) -> Vec<i64> {
    let mut found: Vec<i64> = found.iter().map(|text| text.parse().unwrap()).collect();
    found.sort_unstable();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_in_lists_are_rectangles_or_refused() {
    let lists = |shape: &[Option<&[&[Option<&str>]]>]| -> ArrayRef {
        let inner = ListBuilder::new(StringBuilder::new()).with_field(ColumnType::Text.field("item", true));
        let field = ColumnType::Array(Box::new(ColumnType::Text)).field("item", true);
        let mut outer = ListBuilder::new(inner).with_field(field);
        for list in shape {
            for items in list.unwrap_or_default() {
                for item in *items {
                    outer.values().values().append_option(*item);
                }
                outer.values().append(true);
            }
            outer.append(list.is_some());
        }
        Arc::new(outer.finish())
    };
    let database = Cluster::shared().database().await;
    let column_type: ColumnType = "text[][]".parse().unwrap();
    let shape: &[Option<&[&[Option<&str>]]>] =
        &[Some(&[&[Some("a"), None], &[Some("b"), Some("")]]), None, Some(&[]), Some(&[&[Some("x")]])];
    let array = lists(shape);
    load_array(&database, &column_type, array.slice(0, 4)).await;
    assert_eq!(rows(&database, "SELECT v FROM t").await, ["{{a,NULL},{b,\"\"}}", "~", "{}", "{{x}}"]);
    let database = Cluster::shared().database().await;
    let ragged = lists(&[Some(&[&[Some("a")], &[]])]);
    let columns = vec![Column { name: "v".into(), column_type, nullable: true }];
    let schema =
        TableSchema { stream: StreamName::from("t"), columns, key_properties: vec![], keeps_absent: false };
    let batch = RecordBatch::try_new(schema.arrow(), vec![ragged]).unwrap();
    let name = TableName { schema: None, table: "t".into() };
    let wanted = Table::new(schema, name);
    let mut target = start(&database, &run("one")).await;
    target.open(&wanted).await.unwrap();
    let error = target.write(&wanted.schema.stream, batch).await.unwrap_err();
    assert!(error.code == "E0328" && error.message.contains("equally long"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_with_zone_and_intervals_go_through_text_alone_and_in_lists() {
    let database = Cluster::shared().database().await;
    let wanted = table("t: id int64, z timetz, i interval, l interval[]", &["id"]);
    load(
        &database,
        &run("one"),
        &wanted,
        &[r#"1|12:30:00.5+05:30|1 year -3 days 00:00:00.000001|["1 mon",null]"#, "2|~|~|[]"],
    )
    .await;
    let found = rows(&database, "SELECT * FROM t ORDER BY id").await;
    assert_eq!(found, [r#"1|12:30:00.5+05:30|1 year -3 days +00:00:00.000001|{"1 mon",NULL}"#, "2|~|~|{}"]);
}
