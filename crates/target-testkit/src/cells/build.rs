//! From text to Arrow.

use std::sync::Arc;

use arrow_buffer::{NullBuffer, OffsetBuffer};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};
use columns::arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, FixedSizeBinaryBuilder, Float64Builder,
    Int64Builder, StringBuilder, Time64MicrosecondBuilder, TimestampMicrosecondBuilder,
};
use columns::arrow_array::{ArrayRef, ListArray, RecordBatch};
use columns::{ColumnType, TableSchema, absent_column};

/// A batch of this table. Each record gives its cells in the order of the columns; `None` is NULL, and `?`, where the
/// table keeps what does not come, a cell that does not come.
#[must_use]
pub fn batch(schema: &TableSchema, records: &[&[Option<&str>]]) -> RecordBatch {
    let is_absent = |cell: Option<&str>| schema.keeps_absent && cell == Some("?");
    let columns = schema.columns.iter().enumerate().map(|(at, column)| {
        let cells: Vec<Option<&str>> =
            records.iter().map(|record| record[at].filter(|cell| !is_absent(Some(*cell)))).collect();
        array(&column.column_type, &cells)
    });
    let listed = |record: &&[Option<&str>]| {
        let absent = record.iter().enumerate().filter(|(_, cell)| is_absent(**cell));
        let places: Vec<String> = absent.map(|(at, _)| format!("\"{at}\"")).collect();
        (!places.is_empty()).then(|| format!("[{}]", places.join(",")))
    };
    let absent = schema.keeps_absent.then(|| {
        let lists: Vec<Option<String>> = records.iter().map(listed).collect();
        array(&absent_column().column_type, &lists.iter().map(Option::as_deref).collect::<Vec<_>>())
    });
    let arrays = columns.chain(absent).collect();
    RecordBatch::try_new(schema.arrow(), arrays).expect("cells of their columns' types")
}

/// One column.
fn array(column_type: &ColumnType, cells: &[Option<&str>]) -> ArrayRef {
    macro_rules! built {
        ($builder:expr, $parse:expr) => {{
            let mut builder = $builder;
            for cell in cells {
                builder.append_option(cell.map($parse));
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    match column_type {
        ColumnType::Bool => built!(BooleanBuilder::new(), |text: &str| text.parse().expect("a bool")),
        ColumnType::Int64 => built!(Int64Builder::new(), |text: &str| text.parse().expect("an int64")),
        ColumnType::Float64 => built!(Float64Builder::new(), |text: &str| text.parse().expect("a float64")),
        ColumnType::Numeric { scale, .. } => {
            let builder = Decimal128Builder::new().with_data_type(column_type.arrow());
            built!(builder, |text: &str| unscaled(text, *scale))
        }
        ColumnType::Date => built!(Date32Builder::new(), days),
        ColumnType::Time => built!(Time64MicrosecondBuilder::new(), time_of_day),
        ColumnType::Timestamp => built!(TimestampMicrosecondBuilder::new(), instant),
        ColumnType::TimestampTz => {
            built!(TimestampMicrosecondBuilder::new().with_data_type(column_type.arrow()), instant)
        }
        ColumnType::Binary => built!(BinaryBuilder::new(), bytes),
        ColumnType::Uuid => uuids(cells),
        ColumnType::Array(item) => lists(item, cells),
        ColumnType::UnboundedNumeric
        | ColumnType::TimeTz
        | ColumnType::Interval
        | ColumnType::Text
        | ColumnType::Json => built!(StringBuilder::new(), str::to_owned),
    }
}

fn uuids(cells: &[Option<&str>]) -> ArrayRef {
    let mut builder = FixedSizeBinaryBuilder::new(16);
    for cell in cells {
        match cell {
            Some(text) => builder.append_value(bytes(&text.replace('-', ""))).expect("16 bytes"),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

/// A list is written as a JSON array of its items' texts.
fn lists(item: &ColumnType, cells: &[Option<&str>]) -> ArrayRef {
    let parse = |text: &str| serde_json::from_str::<Vec<Option<String>>>(text).expect("a list of texts");
    let lists: Vec<Option<Vec<Option<String>>>> = cells.iter().map(|cell| cell.map(parse)).collect();
    let items: Vec<Option<&str>> = lists.iter().flatten().flatten().map(|cell| cell.as_deref()).collect();
    let lengths = lists.iter().map(|list| list.as_ref().map_or(0, Vec::len));
    let nulls: NullBuffer = lists.iter().map(Option::is_some).collect::<Vec<bool>>().into();
    let field = Arc::new(item.field("item", true));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), array(item, &items), Some(nulls)))
}

/// `-1.50` with scale 3 is -1500.
fn unscaled(text: &str, scale: u8) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= usize::from(scale), "{text} has more than {scale} digits behind the point");
    let digits = format!("{whole}{fraction}{}", "0".repeat(usize::from(scale) - fraction.len()));
    digits.parse().expect("a decimal")
}

fn days(text: &str) -> i32 {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").expect("a date");
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).expect("days of a date")
}

fn time_of_day(text: &str) -> i64 {
    let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").expect("a time");
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1_000)
}

fn instant(text: &str) -> i64 {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").expect("a timestamp");
    time.and_utc().timestamp_micros()
}

/// `\x00ff`, or the same without the first two characters.
fn bytes(text: &str) -> Vec<u8> {
    let digits = text.strip_prefix("\\x").unwrap_or(text).as_bytes();
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("hex digits");
        u8::from_str_radix(pair, 16).expect("hex digits")
    };
    digits.chunks(2).map(byte).collect()
}
