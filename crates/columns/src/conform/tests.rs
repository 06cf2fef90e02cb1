//! Rows of Arrow, held against the same records as JSON.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    DurationSecondArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int32Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use singer::JsonReader;

use super::Conformed;
use crate::{
    BatchBuilder, Column, ColumnType, DatePolicy, Envelope, NulPolicy, RecordProblem, Refused, StreamName,
    TableSchema, ValueLimits,
};

const ENVELOPE: Envelope<'static> =
    Envelope { version: Some(7), time_extracted: None, received: 1_000_000, sync_started: 1000, sequence: 5 };

fn table(columns: &[(&str, &str)], key: &[&str]) -> TableSchema {
    let columns = columns.iter().map(|(name, column_type)| Column {
        name: (*name).into(),
        column_type: column_type.parse().unwrap(),
        nullable: !key.contains(name),
    });
    TableSchema {
        stream: StreamName::from("t"),
        columns: columns.collect(),
        key_properties: key.iter().map(|name| (*name).to_owned()).collect(),
        keeps_absent: false,
    }
}

fn rows(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<_> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, array)| array).collect())
        .unwrap()
}

/// Rows whose fields say their type, as our own taps write them.
fn tagged(column_type: &str, array: ArrayRef) -> RecordBatch {
    let column_type: ColumnType = column_type.parse().unwrap();
    let field = column_type.field("c", true).with_data_type(array.data_type().clone());
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap()
}

/// One column of that type, of which all rows must fit.
fn conformed(column_type: &str, rows: &RecordBatch, limits: &ValueLimits) -> ArrayRef {
    let mut builder = BatchBuilder::new(Arc::new(table(&[("c", column_type)], &[])), limits.clone());
    let done = builder.conform(rows, &ENVELOPE).unwrap();
    assert_eq!(done.refused, None);
    Arc::clone(done.batch.unwrap().column(0))
}

fn texts(column_type: &str, array: ArrayRef) -> Vec<Option<String>> {
    let array = conformed(column_type, &rows(vec![("c", array)]), &ValueLimits::default());
    array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

fn refused(column_type: &str, rows: &RecordBatch, limits: ValueLimits) -> (usize, Refused) {
    let mut builder = BatchBuilder::new(Arc::new(table(&[("c", column_type)], &[])), limits);
    let Conformed { batch, refused } = builder.conform(rows, &ENVELOPE).unwrap();
    (batch.map_or(0, |batch| batch.num_rows()), refused.expect("a refusal"))
}

#[test]
fn what_has_the_form_of_its_column_passes_without_a_copy() {
    let list = {
        let mut list = ListBuilder::new(Int64Builder::new());
        list.append_value([Some(1), None]);
        list.append_null();
        list.finish()
    };
    let cases: Vec<(&str, ArrayRef)> = vec![
        ("int64", Arc::new(Int64Array::from(vec![Some(1), None]))),
        ("float64", Arc::new(Float64Array::from(vec![f64::NAN, 0.1]))),
        (
            "numeric(5,2)",
            Arc::new(Decimal128Array::from(vec![99_999, -1]).with_precision_and_scale(5, 2).unwrap()),
        ),
        ("numeric", Arc::new(StringArray::from(vec!["-0.50", "123456789012345678901234567890"]))),
        ("text", Arc::new(StringArray::from(vec![Some("a\u{1}\"\\"), None]))),
        ("json", Arc::new(StringArray::from(vec![r#"{"a":[1.10]}"#, "[]"]))),
        ("date", Arc::new(Date32Array::from(vec![0, -719_162]))),
        ("time", Arc::new(Time64MicrosecondArray::from(vec![0, 86_399_999_999]))),
        ("timestamp", Arc::new(TimestampMicrosecondArray::from(vec![1, -1]))),
        (
            "timestamptz",
            Arc::new(TimestampMicrosecondArray::from(vec![1, -1]).with_timezone("Europe/Berlin")),
        ),
        ("interval", Arc::new(StringArray::from(vec!["1 day"]))),
        ("uuid", Arc::new(FixedSizeBinaryArray::try_from_iter([[7_u8; 16]].into_iter()).unwrap())),
        ("binary", Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..]]))),
        ("int64[]", Arc::new(list)),
    ];
    let limits = ValueLimits { nul: NulPolicy::Replace, strict_json: true, ..ValueLimits::default() };
    let pointers = |array: &ArrayRef| {
        let data = array.to_data();
        let all =
            data.buffers().iter().chain(data.child_data().iter().flat_map(arrow_data::ArrayData::buffers));
        all.map(arrow_buffer::Buffer::as_ptr).collect::<Vec<_>>()
    };
    for (column_type, array) in cases {
        let passed = conformed(column_type, &tagged(column_type, Arc::clone(&array)), &limits);
        assert_eq!(pointers(&passed), pointers(&array), "{column_type}");
        assert_eq!(*passed.data_type(), column_type.parse::<ColumnType>().unwrap().arrow());
    }
}

#[test]
fn limits_hold_for_what_would_pass() {
    let limits = ValueLimits {
        nul: NulPolicy::Replace,
        strict_json: true,
        days: (0, 10),
        instants: (0, 10),
        dates: DatePolicy::Clamp,
        numeric_digits: (3, 1),
        ..ValueLimits::default()
    };
    let text = conformed("text", &tagged("text", Arc::new(StringArray::from(vec!["a\0b", "c"]))), &limits);
    assert_eq!(text.as_string::<i32>().value(0), "a\u{fffd}b");
    let json =
        conformed("json", &tagged("json", Arc::new(StringArray::from(vec![r#"["\u0000"]"#]))), &limits);
    assert_eq!(json.as_string::<i32>().value(0), r#"["\ufffd"]"#);
    let days: ArrayRef = Arc::new(Date32Array::from(vec![5, 11, i32::MIN]));
    let clamped = conformed("date", &tagged("date", Arc::clone(&days)), &limits);
    assert_eq!(clamped.as_primitive::<Date32Type>().values().to_vec(), [5, 10, 0]);
    let instants: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![11, i64::MAX]).with_timezone("UTC"));
    let set_null = ValueLimits { dates: DatePolicy::SetNull, ..limits.clone() };
    assert_eq!(conformed("timestamptz", &tagged("timestamptz", instants), &set_null).null_count(), 2);
    let strict = ValueLimits { dates: DatePolicy::Fail, nul: NulPolicy::Fail, ..limits.clone() };
    let problem = |refused: (usize, Refused)| match refused.1 {
        Refused::Record(error) => (refused.0, error.problem),
        Refused::Widen(_) => panic!("widened"),
    };
    let outside = problem(refused("date", &tagged("date", days), strict.clone()));
    assert_eq!(outside, (1, RecordProblem::Outside { expected: ColumnType::Date }));
    let nul: ArrayRef = Arc::new(StringArray::from(vec!["a", "b\0"]));
    assert_eq!(problem(refused("text", &tagged("text", nul), strict.clone())), (1, RecordProblem::Nul));
    let digits: ArrayRef = Arc::new(StringArray::from(vec!["123.4", "1234"]));
    assert_eq!(
        problem(refused("numeric", &tagged("numeric", digits), strict.clone())),
        (1, RecordProblem::Digits)
    );
    let broken: ArrayRef = Arc::new(StringArray::from(vec!["{}", "{\"secret"]));
    let (fit, problem) = problem(refused("json", &tagged("json", broken), strict));
    assert!(fit == 1 && !format!("{problem:?}").contains("secret"), "{problem:?}");
}

#[test]
fn other_forms_come_by_the_text_that_a_record_would_have() {
    let some = |values: &[&str]| values.iter().map(|value| Some((*value).to_owned())).collect::<Vec<_>>();
    let floats: ArrayRef =
        Arc::new(Float64Array::from(vec![Some(0.1), Some(1e16), Some(-5e-7), Some(f64::NAN), None]));
    let mut expected = some(&["0.1", "10000000000000000", "-0.0000005", "NaN"]);
    expected.push(None);
    assert_eq!(texts("numeric", floats), expected);
    assert_eq!(texts("numeric", Arc::new(Float32Array::from(vec![0.1]))), some(&["0.1"]));
    assert_eq!(
        texts("numeric", Arc::new(UInt64Array::from(vec![u64::MAX]))),
        some(&["18446744073709551615"])
    );
    // A text is a text, whatever it looks like, unless its field says otherwise.
    assert_eq!(texts("json", Arc::new(StringArray::from(vec!["[1]"]))), some(&[r#""[1]""#]));
    assert_eq!(texts("text", Arc::new(LargeStringArray::from(vec!["é\n"]))), some(&["é\n"]));
    assert_eq!(texts("text", Arc::new(BooleanArray::from(vec![true]))), some(&["true"]));
    let dictionary: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
    assert_eq!(texts("text", Arc::new(dictionary)), some(&["a", "b", "a"]));
    assert_eq!(texts("text", Arc::new(BinaryArray::from(vec![&b"\x01\xab"[..]]))), some(&[r"\x01ab"]));
    let naive: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1_500_000]));
    let instant = conformed("timestamptz", &rows(vec![("c", naive)]), &ValueLimits::default());
    assert_eq!(instant.as_primitive::<TimestampMicrosecondType>().value(0), 1_500_000);
    let nanoseconds =
        TimestampNanosecondArray::from(vec![1_000_000_001_000]).with_timezone("America/New_York");
    let instant =
        conformed("timestamptz", &rows(vec![("c", Arc::new(nanoseconds))]), &ValueLimits::default());
    assert_eq!(instant.as_primitive::<TimestampMicrosecondType>().value(0), 1_000_000_001);
    let days = texts("text", Arc::new(Date32Array::from(vec![0])));
    assert_eq!(days, some(&["1970-01-01"]));
    let small = conformed(
        "int64",
        &rows(vec![("c", Arc::new(Int32Array::from(vec![-5])) as ArrayRef)]),
        &ValueLimits::default(),
    );
    assert_eq!(small.as_primitive::<arrow_array::types::Int64Type>().value(0), -5);
}

#[test]
fn nested_columns_are_json() {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("x\"y"), None]);
    list.append_value(Vec::<Option<&str>>::new());
    let members: Vec<(Arc<Field>, ArrayRef)> = vec![
        (Arc::new(Field::new("a b", DataType::Int64, true)), Arc::new(Int64Array::from(vec![Some(1), None]))),
        (
            Arc::new(Field::new(
                "l",
                DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
                true,
            )),
            Arc::new(list.finish()),
        ),
    ];
    let objects: ArrayRef = Arc::new(StructArray::from(members));
    let expected =
        [r#"{"a b":1,"l":["x\"y",null]}"#, r#"{"a b":null,"l":[]}"#].map(|text| Some(text.to_owned()));
    assert_eq!(texts("json", Arc::clone(&objects)), expected);
    // A slice begins elsewhere.
    assert_eq!(texts("json", objects.slice(1, 1)), expected[1..]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).unwrap();
    assert_eq!(texts("json", Arc::new(map.finish())), [Some(r#"{"k":1}"#.to_owned())]);
}

/// The null makes the list come item by item, and the others stay documents.
#[test]
fn items_that_are_json_stay_so_beside_one_that_is_null() {
    let items = ListBuilder::new(StringBuilder::new()).with_field(ColumnType::Json.field("item", true));
    let mut list = items;
    list.append_value([Some(r#"{"a":1}"#), Some("null"), Some(r#""text""#)]);
    let array = conformed("json[]", &tagged("json[]", Arc::new(list.finish())), &ValueLimits::default());
    let items: Vec<_> = array.as_list::<i32>().values().as_string::<i32>().iter().collect();
    assert_eq!(items, [Some(r#"{"a":1}"#), None, Some(r#""text""#)]);
}

#[test]
fn a_type_that_no_json_is_like_is_refused_with_its_column() {
    let rows = rows(vec![("c", Arc::new(DurationSecondArray::from(vec![1])) as ArrayRef)]);
    let mut builder = BatchBuilder::new(Arc::new(table(&[("c", "text")], &[])), ValueLimits::default());
    let error = builder.conform(&rows, &ENVELOPE).unwrap_err();
    assert!(error.to_string().contains("column `c` has the Arrow type Duration"), "{error}");
}

#[test]
fn keys_and_deletes_are_checked_as_those_of_records() {
    let names = [("id", "text"), ("_sdc_deleted_at", "timestamptz")];
    let ids: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("abcdef"), None]));
    let limits = ValueLimits { key_bytes: Some(5), ..ValueLimits::default() };
    let mut builder = BatchBuilder::new(Arc::new(table(&names, &["id"])), limits.clone());
    let done = builder.conform(&rows(vec![("id", Arc::clone(&ids))]), &ENVELOPE).unwrap();
    assert_eq!(done.batch.unwrap().num_rows(), 1);
    assert!(
        matches!(done.refused, Some(Refused::Record(error)) if error.problem == RecordProblem::LongKey { bytes: 6, limit: 5 })
    );
    let mut builder = BatchBuilder::new(Arc::new(table(&names, &["id"])), ValueLimits::default());
    let done = builder.conform(&rows(vec![("id", Arc::clone(&ids))]), &ENVELOPE).unwrap();
    assert!(matches!(done.refused, Some(Refused::Record(error)) if error.problem == RecordProblem::NullKey));
    let done = builder.conform(&rows(vec![("x", Arc::clone(&ids))]), &ENVELOPE).unwrap();
    assert!(
        matches!(done.refused, Some(Refused::Record(error)) if error.problem == RecordProblem::MissingKey)
    );
    assert_eq!((done.batch, builder.unknown_properties()), (None, vec!["x".to_owned()]));
    let deletes: ArrayRef =
        Arc::new(StringArray::from(vec![None, Some("yes"), Some("1970-01-01T00:00:05Z")]));
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let both = rows(vec![("id", ids), ("_sdc_deleted_at", deletes)]);
    let batch = builder.conform(&both, &ENVELOPE).unwrap().batch.unwrap();
    let found: Vec<_> = batch.column(1).as_primitive::<TimestampMicrosecondType>().iter().collect();
    assert_eq!(found, [None, Some(1_000_000), Some(5_000_000)]);
    let mut keyless = BatchBuilder::new(Arc::new(table(&names, &[])), limits).refusing_deletes();
    let done = keyless.conform(&both, &ENVELOPE).unwrap();
    assert!(
        matches!(done.refused, Some(Refused::Record(error)) if error.problem == RecordProblem::DeleteWithoutKey)
    );
    assert_eq!(done.batch.unwrap().num_rows(), 1);
}

/// What a table became and what it holds, or where a record was refused.
type Outcome = (Vec<(TableSchema, RecordBatch)>, Option<(usize, String)>);

fn builder_of(table: &TableSchema) -> BatchBuilder {
    let limits = ValueLimits { nul: NulPolicy::Strip, numeric_nan: false, ..ValueLimits::default() };
    BatchBuilder::new(Arc::new(table.clone()), limits)
}

fn by_records(mut table: TableSchema, records: &[String]) -> Outcome {
    let mut out = Vec::new();
    let mut builder = builder_of(&table);
    for (at, record) in records.iter().enumerate() {
        loop {
            builder.walk(&mut JsonReader::new(record)).unwrap();
            match builder.accept(&ENVELOPE) {
                Ok(()) => break,
                Err(Refused::Widen(wider)) => {
                    out.extend(builder.finish().map(|batch| (table, batch)));
                    table = wider;
                    builder = builder_of(&table);
                }
                Err(Refused::Record(error)) => {
                    out.extend(builder.finish().map(|batch| (table, batch)));
                    return (out, Some((at, error.code().to_owned() + &error.column)));
                }
            }
        }
    }
    out.extend(builder.finish().map(|batch| (table, batch)));
    (out, None)
}

fn by_rows(mut table: TableSchema, mut rows: RecordBatch) -> Outcome {
    let (mut out, mut before) = (Vec::new(), 0);
    let mut builder = builder_of(&table);
    while rows.num_rows() > 0 {
        let Conformed { batch, refused } = builder.conform(&rows, &ENVELOPE).unwrap();
        let fit = batch.as_ref().map_or(0, RecordBatch::num_rows);
        out.extend(batch.map(|batch| (table.clone(), batch)));
        before += fit;
        rows = rows.slice(fit, rows.num_rows() - fit);
        match refused {
            Some(Refused::Widen(wider)) => {
                table = wider;
                builder = builder_of(&table);
            }
            Some(Refused::Record(error)) => {
                return (out, Some((before, error.code().to_owned() + &error.column)));
            }
            None => {}
        }
    }
    (out, None)
}

/// A row: an integer, a double, a text.
type Row = (Option<i64>, Option<f64>, Option<String>);

fn record((integer, double, text): &Row) -> String {
    let double =
        double.map(|double| if double.is_finite() { format!("{double:?}") } else { format!("\"{double}\"") });
    let text = serde_json::to_string(text).unwrap();
    let integer = serde_json::to_string(integer).unwrap();
    format!(r#"{{"i":{integer},"d":{},"t":{text}}}"#, double.unwrap_or_else(|| "null".into()))
}

fn row() -> impl Strategy<Value = Row> {
    let integer = prop_oneof![any::<i64>(), -3_i64..3];
    let double = prop_oneof![
        any::<f64>(),
        Just(1.0),
        Just(-0.0),
        Just(1e300),
        Just(f64::NAN),
        (-40_i32..40).prop_map(|n| f64::from(n) / 4.0)
    ];
    let text = prop_oneof![
        any::<String>(),
        "[0-9]{1,3}(\\.[0-9]{1,2})?",
        Just(String::new()),
        Just("2024-02-29".to_owned()),
        Just("2024-02-29T03:04:05+01:00".to_owned()),
        Just("9b8a1c9e-0000-4000-8000-ABCDEFabcdef".to_owned()),
        Just("a\0b".to_owned()),
    ];
    (prop::option::of(integer), prop::option::of(double), prop::option::of(text))
}

proptest! {
    /// The same values by JSON and by Arrow make the same batches of the same tables, or fail at the same record.
    #[test]
    fn rows_become_what_records_become(
        values in prop::collection::vec(row(), 1..12),
        types in prop::collection::vec(prop::sample::select(
            vec!["int64", "numeric", "numeric(9,2)", "float64", "text", "json", "date", "timestamptz", "uuid", "bool", "time"]), 3),
        keyed in any::<bool>(),
    ) {
        let columns = [("i", types[0]), ("d", types[1]), ("t", types[2]), ("_sdc_table_version", "int64"), ("gone", "int64[]")];
        let table = table(&columns, if keyed { &["t"] } else { &[] });
        let records: Vec<String> = values.iter().map(record).collect();
        let rows = rows(vec![
            ("i", Arc::new(values.iter().map(|(i, _, _)| *i).collect::<Int64Array>()) as ArrayRef),
            ("d", Arc::new(values.iter().map(|(_, d, _)| *d).collect::<Float64Array>())),
            ("t", Arc::new(values.iter().map(|(_, _, t)| t.clone()).collect::<StringArray>())),
        ]);
        let (by_record, by_row) = (by_records(table.clone(), &records), by_rows(table, rows));
        prop_assert_eq!(format!("{by_record:?}"), format!("{by_row:?}"));
    }
}

#[test]
fn columns_that_a_file_lacks_did_not_come_where_they_are_kept() {
    let columns = [("id", "int64"), ("v", "int64"), ("t", "text"), ("_sdc_deleted_at", "timestamptz")];
    let table = TableSchema { keeps_absent: true, ..table(&columns, &["id"]) };
    let mut builder = BatchBuilder::new(Arc::new(table), ValueLimits::default());
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    let batch = builder.conform(&rows(vec![("id", ids), ("t", texts)]), &ENVELOPE).unwrap().batch.unwrap();
    let absent = crate::absent_cells(&batch).unwrap();
    assert_eq!([crate::absent_in(absent, 0), crate::absent_in(absent, 1)], [vec![1], vec![1]]);
}
