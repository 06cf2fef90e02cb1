//! Nested objects as columns, against an oracle that looks each path up in a tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array as _, RecordBatch, StructArray};
use proptest::prelude::*;
use serde_json::{Value, json};
use singer::JsonSchema;

use super::{BatchBuilder, ENVELOPE, problem, push, texts};
use crate::{RecordProblem, Refused, StreamName, TableOptions, ValueLimits, flatten, table_schema};

const SCHEMA: &str = r#"{"properties":{"x":{"type":"string"},"a":{"type":["null","object"],"properties":{
    "b":{"type":["null","object"],"properties":{"c":{"type":"integer"},"d":{"type":"object"}}},"e":{"type":"string"}}}}}"#;

fn builder(depth: usize) -> (BatchBuilder, BTreeMap<String, Vec<String>>) {
    let flat = flatten(&JsonSchema::parse(SCHEMA).unwrap(), depth, &|_| false);
    let options = TableOptions { metadata: false, versioned: false, deleted_at: false, include: &|_| true };
    let table = table_schema(&StreamName::from("s"), &flat.schema, &[], &options).unwrap();
    let builder = BatchBuilder::new(Arc::new(table), ValueLimits::default());
    (builder.flattened(flat.paths.clone()), flat.paths)
}

fn maybe(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop_oneof![Just(None), Just(Some(Value::Null)), value.prop_map(Some)].boxed()
}

fn object(members: Vec<(&'static str, BoxedStrategy<Option<Value>>)>) -> BoxedStrategy<Value> {
    let (names, values): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    (values, any::<bool>())
        .prop_map(move |(values, turned)| {
            let members = names.iter().zip(values);
            let mut members: Vec<_> =
                members.filter_map(|(name, value)| Some(((*name).to_owned(), value?))).collect();
            if turned {
                members.reverse();
            }
            Value::Object(members.into_iter().collect())
        })
        .boxed()
}

fn record() -> BoxedStrategy<Value> {
    let text = || maybe("[a-z]{1,3}".prop_map(Value::from));
    let free = maybe(any::<u8>().prop_map(|n| json!({ "n": n })));
    let b = object(vec![("c", maybe(any::<i64>().prop_map(Value::from))), ("d", free), ("zz", text())]);
    let a = object(vec![("b", maybe(b)), ("e", text())]);
    object(vec![("a", maybe(a)), ("x", text())])
}

/// What a column must hold.
fn expected(record: &Value, path: &[&str]) -> Option<String> {
    let value = path.iter().try_fold(record, |value, name| value.get(name))?;
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn found(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let array = batch.column_by_name(column).unwrap();
    match array.as_primitive_opt::<Int64Type>() {
        Some(integers) => integers.iter().map(|integer| integer.map(|value| value.to_string())).collect(),
        None => array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect(),
    }
}

proptest! {
    #[test]
    fn every_column_holds_what_is_at_its_path(
        records in proptest::collection::vec(record(), 1..12),
        depth in 0_usize..4,
    ) {
        let (mut builder, paths) = builder(depth);
        for record in &records {
            push(&mut builder, &record.to_string()).unwrap();
        }
        let batch = builder.finish().unwrap();
        for field in batch.schema().fields() {
            let path = paths.get(field.name()).cloned().unwrap_or_else(|| vec![field.name().clone()]);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let wanted: Vec<_> = records.iter().map(|record| expected(record, &path)).collect();
            prop_assert_eq!(found(&batch, field.name()), wanted, "{} at depth {}", field.name(), depth);
        }
    }
}

#[test]
fn what_is_no_object_is_refused_and_the_last_of_two_objects_wins() {
    let (mut builder, _) = builder(2);
    let refused = push(&mut builder, r#"{"a":{"b":5}}"#).unwrap_err();
    assert!(matches!(&refused, Refused::Record(error) if error.column == "a.b"));
    assert!(matches!(problem(refused), RecordProblem::NotNested { .. }));
    push(&mut builder, r#"{"x":"1","a":{"b":{"c":1},"e":"old"},"a":{"e":"new","q":1}}"#).unwrap();
    push(&mut builder, r#"{"x":"2","a":{"e":"old"},"a":null}"#).unwrap();
    assert_eq!(builder.unknown_properties(), ["a.q"]);
    let batch = builder.finish().unwrap();
    let names: Vec<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["x", "a__b__c", "a__b__d", "a__e"]);
    assert_eq!(batch.column(1).null_count(), 2);
    assert_eq!(texts(&batch, 3), [Some("new"), None]);
}

#[test]
fn rows_of_columns_are_flattened_as_records_are() {
    let e: arrow_array::ArrayRef =
        Arc::new(arrow_array::StringArray::from(vec![Some("1"), Some("hidden"), None]));
    let field = arrow_schema::Field::new("e", arrow_schema::DataType::Utf8, true);
    let nulls = arrow_buffer::NullBuffer::from(vec![true, false, true]);
    let a: arrow_array::ArrayRef = Arc::new(StructArray::new(vec![field].into(), vec![e], Some(nulls)));
    let rows = RecordBatch::try_from_iter_with_nullable([("a", a, true)]).unwrap();
    let (mut flat, _) = builder(2);
    let conformed = flat.conform(&rows, &ENVELOPE).unwrap();
    assert!(conformed.refused.is_none());
    assert_eq!(found(&conformed.batch.unwrap(), "a__e"), [Some("1".to_owned()), None, None]);
    let text: arrow_array::ArrayRef = Arc::new(arrow_array::StringArray::from(vec!["{}"]));
    let rows = RecordBatch::try_from_iter([("a", text)]).unwrap();
    assert_eq!(flat.conform(&rows, &ENVELOPE).unwrap_err().column, "a");
}

#[test]
fn an_object_that_came_came_whole_and_one_that_did_not_leaves_its_columns() {
    let schema = SCHEMA.replacen('{', r#"{"x-tapster-absent":"keep","#, 1);
    let flat = flatten(&JsonSchema::parse(&schema).unwrap(), 9, &|_| false);
    let options = TableOptions { metadata: false, versioned: false, deleted_at: false, include: &|_| true };
    let table = table_schema(&StreamName::from("s"), &flat.schema, &[], &options).unwrap();
    let names: Vec<_> = table.columns.iter().map(|column| column.name.clone()).collect();
    assert_eq!(names, ["x", "a__b__c", "a__b__d", "a__e"]);
    let mut builder = BatchBuilder::new(Arc::new(table), ValueLimits::default()).flattened(flat.paths);
    for record in
        [r#"{"x":"1"}"#, r#"{"a":null}"#, r#"{"a":{"b":{"c":1}}}"#, r#"{"a":{"e":"1"},"a":{},"x":null}"#]
    {
        push(&mut builder, record).unwrap();
    }
    let batch = builder.finish().unwrap();
    assert_eq!(super::absent(&batch), [vec![1, 2, 3], vec![0], vec![0], vec![]]);
}
