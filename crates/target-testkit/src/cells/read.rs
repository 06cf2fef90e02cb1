//! From Arrow to text.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};
use columns::ColumnType;
use columns::arrow_array::Array;
use columns::arrow_array::cast::AsArray as _;
use columns::arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use serde_json::Value;

/// The cell of this record, `None` where it is NULL.
#[must_use]
pub fn text(column_type: &ColumnType, array: &dyn Array, record: usize) -> Option<String> {
    if array.is_null(record) {
        return None;
    }
    Some(match column_type {
        ColumnType::Bool => array.as_boolean().value(record).to_string(),
        ColumnType::Int64 => array.as_primitive::<Int64Type>().value(record).to_string(),
        ColumnType::Float64 => array.as_primitive::<Float64Type>().value(record).to_string(),
        ColumnType::Numeric { .. } => array.as_primitive::<Decimal128Type>().value_as_string(record),
        ColumnType::Date => {
            let days = TimeDelta::days(array.as_primitive::<Date32Type>().value(record).into());
            (NaiveDate::default() + days).to_string()
        }
        ColumnType::Time => {
            let time = TimeDelta::microseconds(array.as_primitive::<Time64MicrosecondType>().value(record));
            (NaiveTime::MIN + time).format("%H:%M:%S%.6f").to_string()
        }
        ColumnType::Timestamp | ColumnType::TimestampTz => {
            let instant = array.as_primitive::<TimestampMicrosecondType>().value(record);
            let instant = DateTime::from_timestamp_micros(instant).expect("an instant that chrono knows");
            instant.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
        }
        ColumnType::Uuid => uuid(array.as_fixed_size_binary().value(record)),
        ColumnType::Binary => format!("\\x{}", hex(array.as_binary::<i32>().value(record))),
        ColumnType::Array(item) => {
            let items = array.as_list::<i32>().value(record);
            let texts = (0..items.len()).map(|at| text(item, &items, at).map_or(Value::Null, Value::String));
            Value::Array(texts.collect()).to_string()
        }
        ColumnType::UnboundedNumeric
        | ColumnType::TimeTz
        | ColumnType::Interval
        | ColumnType::Text
        | ColumnType::Json => array.as_string::<i32>().value(record).to_owned(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn uuid(bytes: &[u8]) -> String {
    let digits = hex(bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
