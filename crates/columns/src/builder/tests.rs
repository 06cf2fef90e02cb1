//! The builder by examples: what is taken, what is refused, what widens.

mod flattened;
mod random;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array as _, RecordBatch};

use super::BatchBuilder;
use crate::{
    Column, ColumnType, Envelope, RecordError, RecordProblem, Refused, StreamName, TableSchema, ValueLimits,
};

const ENVELOPE: Envelope =
    Envelope { version: Some(7), time_extracted: None, received: 1_000_000, sync_started: 1000, sequence: 1 };

fn table(columns: &[(&str, &str)], key: &[&str]) -> Arc<TableSchema> {
    let columns = columns.iter().map(|(name, column_type)| Column {
        name: (*name).into(),
        column_type: column_type.parse().unwrap(),
        nullable: !key.contains(name),
    });
    Arc::new(TableSchema {
        stream: StreamName::from("t"),
        columns: columns.collect(),
        key_properties: key.iter().map(|name| (*name).to_owned()).collect(),
        keeps_absent: false,
    })
}

fn builder(columns: &[(&str, &str)], key: &[&str]) -> BatchBuilder {
    BatchBuilder::new(table(columns, key), ValueLimits::default())
}

fn push(builder: &mut BatchBuilder, record: &str) -> Result<(), Refused> {
    builder.walk(&mut singer::JsonReader::new(record)).unwrap();
    builder.accept(&ENVELOPE)
}

fn batch_of(columns: &[(&str, &str)], key: &[&str], records: &[&str]) -> RecordBatch {
    let mut builder = builder(columns, key);
    for record in records {
        push(&mut builder, record).unwrap();
    }
    builder.finish().unwrap()
}

/// What a column of that type refuses of one value.
fn refused(column_type: &str, value: &str) -> Refused {
    push(&mut builder(&[("c", column_type)], &[]), &format!("{{\"c\":{value}}}")).unwrap_err()
}

fn texts(batch: &RecordBatch, column: usize) -> Vec<Option<&str>> {
    batch.column(column).as_string::<i32>().iter().collect()
}

fn problem(refused: Refused) -> RecordProblem {
    match refused {
        Refused::Record(RecordError { problem, .. }) => problem,
        Refused::Widen(table) => panic!("widened: {table:?}"),
    }
}

fn widened(refused: Refused) -> ColumnType {
    match refused {
        Refused::Widen(table) => table.columns[0].column_type.clone(),
        Refused::Record(error) => panic!("{error}"),
    }
}

#[test]
fn integers_are_exact_or_widen() {
    let batch = batch_of(
        &[("c", "int64")],
        &[],
        &[
            r#"{"c":9223372036854775807}"#,
            r#"{"c":-9223372036854775808}"#,
            r#"{"c":1.0}"#,
            r#"{"c":1.5e3}"#,
            r#"{"c":-0}"#,
            r#"{"c":null}"#,
            r"{}",
            r#"{"c":""}"#,
        ],
    );
    let values: Vec<_> = batch.column(0).as_primitive::<Int64Type>().iter().collect();
    assert_eq!(values, [Some(i64::MAX), Some(i64::MIN), Some(1), Some(1500), Some(0), None, None, None]);
    for wide in ["9223372036854775808", "1.5", "1e400", "-1e-3"] {
        assert_eq!(widened(refused("int64", wide)), ColumnType::UnboundedNumeric, "{wide}");
    }
    assert!(matches!(problem(refused("int64", "\"12\"")), RecordProblem::WrongType { .. }));
}

#[test]
fn numbers_keep_their_digits() {
    let records = [
        ("1.10", "1.10"),
        ("-0", "0"),
        ("-0.00", "0.00"),
        ("1e3", "1000"),
        ("1.5e-3", "0.0015"),
        ("1.50e1", "15.0"),
        ("-12.5E+1", "-125"),
        ("0e5", "0"),
        ("0.0e-2", "0.000"),
        ("12345678901234567890123.000000000000000000001", "12345678901234567890123.000000000000000000001"),
        (r#""007.50""#, "7.50"),
        (r#"" -.5 ""#, "-0.5"),
        (r#""NaN""#, "NaN"),
        (r#""-inf""#, "-Infinity"),
    ];
    for (written, kept) in records {
        let batch = batch_of(&[("c", "numeric")], &[], &[&format!("{{\"c\":{written}}}")]);
        assert_eq!(texts(&batch, 0), [Some(kept)], "{written}");
    }
    assert_eq!(problem(refused("numeric", "1e1000000000")), RecordProblem::Digits);
    assert_eq!(problem(refused("numeric", "1e-99999999999999999999999")), RecordProblem::Digits);
    assert!(matches!(problem(refused("numeric", r#""12a""#)), RecordProblem::Unreadable { .. }));
}

#[test]
fn what_is_no_number_is_named_where_it_cannot_be_held() {
    for (came, found) in [(r#""NaN""#, "NaN"), (r#""-inf""#, "-Infinity"), (r#"" Infinity ""#, "Infinity")] {
        let problem = problem(refused("int64", came));
        assert_eq!(problem, RecordProblem::NotFinite { expected: ColumnType::Int64, found });
        assert!(problem.to_string().contains(&format!("found {found}")), "{problem}");
        assert!(problem.to_string().contains("nan: fail"), "{problem}");
    }
    assert!(matches!(problem(refused("int64", r#""n/a""#)), RecordProblem::WrongType { .. }));
}

#[test]
fn decimals_fit_exactly_or_widen() {
    let batch =
        batch_of(&[("c", "numeric(5,2)")], &[], &[r#"{"c":999.99}"#, r#"{"c":"-1.500"}"#, r#"{"c":1e2}"#]);
    let values: Vec<_> = batch.column(0).as_primitive::<Decimal128Type>().iter().collect();
    assert_eq!(values, [Some(99_999), Some(-150), Some(10_000)]);
    for wide in ["1000", "0.001", "\"NaN\"", "99999999999999999999999999999999999999999"] {
        assert_eq!(widened(refused("numeric(5,2)", wide)), ColumnType::UnboundedNumeric, "{wide}");
    }
}

#[test]
fn the_sdk_columns_come_from_the_envelope() {
    let names = crate::METADATA_COLUMNS;
    let columns: Vec<_> = names.iter().map(|name| crate::metadata::metadata_column(name)).collect();
    let schema = TableSchema {
        stream: StreamName::from("t"),
        columns,
        key_properties: Vec::new(),
        keeps_absent: false,
    };
    let mut builder = BatchBuilder::new(Arc::new(schema), ValueLimits::default());
    builder
        .walk(&mut singer::JsonReader::new(
            r#"{"_sdc_sequence":99,"_sdc_deleted_at":"2024-01-02T03:04:05+00:00+00:00"}"#,
        ))
        .unwrap();
    builder
        .accept(&Envelope { time_extracted: Some("1970-01-01T00:00:02.5Z"), sequence: 5, ..ENVELOPE })
        .unwrap();
    assert_eq!(builder.unknown_properties(), ["_sdc_sequence"]);
    let batch = builder.finish().unwrap();
    let instant = |at: usize| batch.column(at).as_primitive::<TimestampMicrosecondType>().value(0);
    let integer = |at: usize| batch.column(at).as_primitive::<Int64Type>().value(0);
    assert_eq!([instant(0), instant(1), instant(2)], [2_500_000, 1_000_000, 1_000_000]);
    assert_eq!(instant(3), 1_704_164_645_000_000);
    assert_eq!([integer(4), integer(5), integer(6)], [5, 7, 1000]);
}

#[test]
fn keys_must_be_there() {
    let mut builder = builder(&[("id", "int64"), ("b", "text")], &["id"]);
    let missing = push(&mut builder, r#"{"b":"x"}"#).unwrap_err();
    assert_eq!(
        missing,
        Refused::Record(RecordError { column: "id".into(), problem: RecordProblem::MissingKey })
    );
    for null in [r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":1,"id":null}"#] {
        assert_eq!(problem(push(&mut builder, null).unwrap_err()), RecordProblem::NullKey, "{null}");
    }
    assert_eq!((builder.records(), builder.bytes()), (0, 0));
    assert!(builder.finish().is_none());
}

#[test]
fn a_key_has_the_length_that_the_index_takes() {
    let limits = ValueLimits { key_bytes: Some(10), ..ValueLimits::default() };
    let mut builder =
        BatchBuilder::new(table(&[("a", "text"), ("b", "text"), ("c", "text")], &["a", "b"]), limits);
    push(&mut builder, r#"{"a":"12345","b":"12345","c":"as long as it likes"}"#).unwrap();
    let refused = push(&mut builder, r#"{"a":"12345","b":"123456"}"#).unwrap_err();
    let problem = RecordProblem::LongKey { bytes: 11, limit: 10 };
    assert_eq!(refused, Refused::Record(RecordError { column: "b".into(), problem }));
}

#[test]
fn the_last_of_two_equal_names_wins() {
    let batch =
        batch_of(&[("a", "int64"), ("b", "text")], &[], &[r#"{"a":"no","b":"first","a":2,"b":"second"}"#]);
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().value(0), 2);
    assert_eq!(texts(&batch, 1), [Some("second")]);
}

#[test]
fn a_refused_record_leaves_no_trace() {
    let columns = [("a", "text"), ("b", "int64[]"), ("c", "bool")];
    let mut builder = builder(&columns, &[]);
    push(&mut builder, r#"{"a":"x","b":[1,null],"c":true}"#).unwrap();
    let before = builder.bytes();
    let error = push(&mut builder, r#"{"a":"yyyy","b":[3,4],"c":"yes"}"#).unwrap_err();
    let expected =
        RecordProblem::WrongType { expected: ColumnType::Bool, found: crate::refusal::Found::String };
    assert_eq!(problem(error), expected);
    assert!(builder.walk(&mut singer::JsonReader::new(r#"{"a":"z","b":[5"#)).is_err());
    builder.take_back();
    assert_eq!((builder.records(), builder.bytes()), (1, before));
    push(&mut builder, r#"{"c":false}"#).unwrap();
    assert_eq!(
        builder.finish().unwrap(),
        batch_of(&columns, &[], &[r#"{"a":"x","b":[1,null],"c":true}"#, r#"{"c":false}"#])
    );
}

#[test]
fn several_columns_widen_at_once() {
    let mut builder = builder(&[("a", "int64"), ("b", "uuid"), ("c", "text")], &[]);
    let Refused::Widen(wider) = push(&mut builder, r#"{"a":0.5,"b":"not one","c":5.10}"#).unwrap_err() else {
        panic!("must widen")
    };
    let mut builder = BatchBuilder::new(Arc::new(wider), ValueLimits::default());
    push(&mut builder, r#"{"a":0.5,"b":"not one","c":5.10}"#).unwrap();
    let batch = builder.finish().unwrap();
    assert_eq!(
        (0..3).map(|at| texts(&batch, at)[0]).collect::<Vec<_>>(),
        [Some("0.5"), Some("not one"), Some("5.10")]
    );
}

#[test]
fn what_is_no_object_is_refused() {
    for (text, kind) in [("[1,{}]", "an array"), ("\"x\"", "a string"), ("null", "null"), ("3.5", "a number")]
    {
        let error = push(&mut builder(&[("a", "int64")], &[]), text).unwrap_err();
        let Refused::Record(error) = error else { panic!("must be refused") };
        assert_eq!(error.code(), "E0229");
        assert!(error.to_string().contains(kind), "{error}");
    }
}

#[test]
fn a_delete_is_one_however_it_is_written() {
    let mut builder = builder(&[("id", "int64"), ("_sdc_deleted_at", "timestamptz")], &["id"]);
    let envelope = Envelope { time_extracted: Some("1970-01-01T00:00:02Z"), ..ENVELOPE };
    let cases = [
        (r#""1970-01-01T00:00:05Z+00:00""#, Some(5_000_000)),
        (r#""1970-01-01T00:00:05+00:00+00:00""#, Some(5_000_000)),
        ("null", None),
        ("\"\"", None),
        ("false", None),
        ("true", Some(2_000_000)),
        ("1704164645000", Some(2_000_000)),
        ("\"yes\"", Some(2_000_000)),
        ("\"infinity\"", Some(2_000_000)),
    ];
    for (value, _) in cases {
        builder
            .walk(&mut singer::JsonReader::new(&format!("{{\"id\":1,\"_sdc_deleted_at\":{value}}}")))
            .unwrap();
        builder.accept(&envelope).unwrap();
    }
    let batch = builder.finish().unwrap();
    let found: Vec<_> = batch.column(1).as_primitive::<TimestampMicrosecondType>().iter().collect();
    let expected: Vec<_> = cases.iter().map(|(_, expected)| *expected).collect();
    // An offset behind a Z is no moment either: the envelope says when.
    assert_eq!(found[1..], expected[1..]);
    assert!(found[0].is_some());
}

#[test]
fn a_delete_without_key_is_refused_where_it_must_not_be_a_record() {
    let columns = [("id", "int64"), ("_sdc_deleted_at", "timestamptz")];
    let mut builder = BatchBuilder::new(table(&columns, &[]), ValueLimits::default()).refusing_deletes();
    push(&mut builder, r#"{"id":1,"_sdc_deleted_at":null}"#).unwrap();
    let refused = push(&mut builder, r#"{"id":1,"_sdc_deleted_at":"2024-01-01"}"#).unwrap_err();
    assert_eq!(problem(refused), RecordProblem::DeleteWithoutKey);
    assert_eq!(builder.records(), 1);
}

#[test]
fn values_that_cannot_be_held_become_what_the_policies_say() {
    let said = crate::ValuePolicies {
        nul: Some(crate::NulPolicy::Strip),
        dates: Some(crate::DatePolicy::Clamp),
        nan: Some(crate::NanPolicy::SetNull),
    };
    let schema = table(&[("n", "int64"), ("l", "int64[]"), ("d", "date"), ("t", "text")], &[]);
    let mut builder = BatchBuilder::new(schema, said.over(&ValueLimits::default()));
    for value in ["NaN", "Infinity", "-Infinity"] {
        let record = format!(r#"{{"n":"{value}","l":[1,"{value}"],"d":"0000-00-00","t":"a\u0000b"}}"#);
        push(&mut builder, &record).unwrap();
    }
    let batch = builder.finish().unwrap();
    assert_eq!(batch.column(0).null_count(), 3);
    assert_eq!(batch.column(1).as_list::<i32>().values().null_count(), 3);
    assert_eq!(batch.column(2).as_primitive::<arrow_array::types::Date32Type>().value(0), -719_162);
    assert_eq!(texts(&batch, 3), [Some("ab"); 3]);
    let mut strict = BatchBuilder::new(table(&[("n", "int64")], &[]), ValueLimits::default());
    let refused = push(&mut strict, r#"{"n":"NaN"}"#).unwrap_err();
    assert!(matches!(problem(refused), RecordProblem::NotFinite { .. }));
}

/// For each record the cells that did not come.
fn absent(batch: &RecordBatch) -> Vec<Vec<usize>> {
    let absent = crate::absent_cells(batch).unwrap();
    (0..batch.num_rows()).map(|record| crate::absent_in(absent, record)).collect()
}

fn keeping(columns: &[(&str, &str)], key: &[&str]) -> Arc<TableSchema> {
    Arc::new(TableSchema { keeps_absent: true, ..TableSchema::clone(&table(columns, key)) })
}

#[test]
fn a_batch_says_which_cells_did_not_come_where_they_are_kept() {
    let columns = [
        ("id", "int64"),
        ("v", "int64"),
        ("t", "text"),
        ("_sdc_deleted_at", "timestamptz"),
        ("_sdc_sequence", "int64"),
    ];
    let mut builder = BatchBuilder::new(keeping(&columns, &["id"]), ValueLimits::default());
    push(&mut builder, r#"{"id":1,"v":null,"t":"x"}"#).unwrap();
    push(&mut builder, r#"{"id":2}"#).unwrap();
    push(&mut builder, r#"{"v":"no number","id":3}"#).unwrap_err();
    push(&mut builder, r#"{"v":1}"#).unwrap_err();
    push(&mut builder, r#"{"t":"a","t":null,"id":4,"_sdc_deleted_at":true}"#).unwrap();
    let batch = builder.finish().unwrap();
    assert_eq!(
        absent(&batch),
        [vec![], vec![1, 2], vec![1]],
        "nothing is left of the records that were refused"
    );
    assert_eq!(crate::absent_cells(&batch).unwrap().null_count(), 1);
    assert_eq!(
        crate::ever_absent(crate::absent_cells(&batch).unwrap()).into_iter().collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(crate::without_absent(&batch).num_columns(), columns.len());
    let plain = batch_of(&columns, &["id"], &[r#"{"id":2}"#]);
    assert_eq!((plain.num_columns(), crate::absent_cells(&plain)), (columns.len(), None));
}
