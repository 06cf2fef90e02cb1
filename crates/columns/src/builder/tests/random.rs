//! Random records in random tables, against an oracle that knows nothing of columns.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use proptest::prelude::*;
use serde_json::Value;

use super::{BatchBuilder, ENVELOPE, push, table};
use crate::{Refused, ValueLimits};

const TYPES: [&str; 17] = [
    "bool",
    "int64",
    "numeric(9,3)",
    "numeric",
    "float64",
    "text",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "json",
    "binary",
    "text[]",
    "numeric(4,1)[][]",
];

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9]{1,5}(\\.[0-9]{0,3})?".prop_map(Value::from),
        "20[0-9]{2}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](Z|\\+05:30)?)?"
            .prop_map(Value::from),
        "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}".prop_map(Value::from),
        Just(Value::from("")),
    ];
    scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Names of properties: those of the table, in any order, some missing, and some that it does not have.
fn record() -> impl Strategy<Value = Vec<(String, Value)>> {
    proptest::collection::vec(("[a-q]|zz|é", value()), 0..12)
}

fn written(record: &[(String, Value)]) -> String {
    let members: Vec<_> = record
        .iter()
        .map(|(name, value)| format!("{}: {value}", serde_json::to_string(name).unwrap()))
        .collect();
    format!("{{{}}}", members.join(" , "))
}

fn columns() -> Vec<(String, &'static str)> {
    TYPES
        .iter()
        .enumerate()
        .map(|(at, column_type)| (char::from(b'a' + u8::try_from(at).unwrap()).to_string(), *column_type))
        .collect()
}

fn builder() -> BatchBuilder {
    let columns = columns();
    let columns: Vec<_> = columns.iter().map(|(name, column_type)| (name.as_str(), *column_type)).collect();
    BatchBuilder::new(table(&columns, &[]), ValueLimits::default())
}

/// What a column of text holds of a property's last value.
fn as_text(record: &[(String, Value)], name: &str, json: bool) -> Option<String> {
    let (_, value) = record.iter().rev().find(|(other, _)| other == name)?;
    match value {
        Value::Null => None,
        Value::String(text) if !json => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The records that fit alone, in a batch.
fn batch_of(records: &[&String]) -> Option<RecordBatch> {
    let mut builder = builder();
    for record in records {
        push(&mut builder, record).unwrap();
    }
    builder.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn text_and_json_columns_hold_the_records(records in proptest::collection::vec(record(), 1..6)) {
        let mut builder = BatchBuilder::new(table(&[("a", "text"), ("b", "json"), ("c", "text")], &[]), ValueLimits::default());
        for record in &records {
            push(&mut builder, &written(record)).unwrap();
        }
        let batch = builder.finish().unwrap();
        for (row, record) in records.iter().enumerate() {
            for (at, name) in ["a", "b", "c"].into_iter().enumerate() {
                let column = batch.column(at).as_string::<i32>();
                let held = (!column.is_null(row)).then(|| column.value(row).to_owned());
                prop_assert_eq!(held, as_text(record, name, name == "b"));
            }
        }
    }

    #[test]
    fn refused_records_leave_no_trace(records in proptest::collection::vec(record(), 1..8), cut in 0..40_usize) {
        let texts: Vec<_> = records.iter().map(|record| written(record)).collect();
        let mut open = builder();
        let mut fitting = Vec::new();
        for text in &texts {
            match push(&mut open, text) {
                Ok(()) => fitting.push(text),
                Err(Refused::Record(error)) => {
                    prop_assert!(!error.to_string().is_empty() && error.code() != "E0229");
                }
                Err(Refused::Widen(wider)) => {
                    // The wider table must take the record, or name what else is wrong with it.
                    let again = push(&mut BatchBuilder::new(Arc::new(wider), ValueLimits::default()), text);
                    prop_assert!(!matches!(again, Err(Refused::Widen(_))), "{:?} for {}", again, text);
                }
            }
            // A half of the record, as a truncated line has it.
            let half: String = text.chars().take(cut).collect();
            let _ = open.walk(&mut singer::JsonReader::new(&half));
            open.take_back();
        }
        prop_assert_eq!(open.records(), fitting.len());
        let mut fresh = builder();
        for text in &fitting {
            push(&mut fresh, text).unwrap();
        }
        prop_assert_eq!(open.bytes(), fresh.bytes());
        prop_assert_eq!(open.finish(), batch_of(&fitting));
        prop_assert_eq!((open.records(), open.bytes()), (0, 0));
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60), record in record(), at in 0..200_usize, with in any::<char>()) {
        let mut builder = builder();
        let mut spoilt: Vec<char> = written(&record).chars().collect();
        if let Some(place) = spoilt.get_mut(at) {
            *place = with;
        }
        let spoilt: String = spoilt.into_iter().collect();
        for text in [String::from_utf8_lossy(&bytes).into_owned(), spoilt] {
            if builder.walk(&mut singer::JsonReader::new(&text)).is_err() {
                builder.take_back();
            } else {
                let _ = builder.accept(&ENVELOPE);
            }
        }
        if let Some(batch) = builder.finish() {
            prop_assert!(batch.num_rows() <= 2);
        }
    }
}
