//! From Arrow columns to JSON lines. A record is one object with all of its table's columns, under the tap's names.

mod moment;
mod number;

use columns::arrow_array::cast::AsArray as _;
use columns::arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use columns::arrow_array::{
    Array, BinaryArray, BooleanArray, FixedSizeBinaryArray, ListArray, PrimitiveArray, RecordBatch,
    StringArray,
};
use columns::{Column, ColumnType, absent_cells, absent_in};
use serde::de::IgnoredAny;

pub(crate) use moment::instant;

/// Why a record cannot be written. Names its column, never its value.
pub(crate) type Refusal = String;

/// The records of a batch, a JSON object each, with a line end after each.
///
/// # Errors
/// Where the batch does not have the columns' Arrow types; says which column.
pub fn lines(columns: &[Column], batch: &RecordBatch) -> Result<String, String> {
    let encoder = LineEncoder::new(columns, batch)?;
    let mut out = Vec::new();
    (0..batch.num_rows()).try_for_each(|record| encoder.write(record, &mut out))?;
    String::from_utf8(out).map_err(|error| error.to_string())
}

/// The columns of a batch, ready to be written record by record.
pub(crate) struct LineEncoder<'a> {
    columns: Vec<(Vec<u8>, &'a str, Values<'a>)>,
    absent: Option<&'a ListArray>,
}

/// One column, with its type decided once.
struct Values<'a> {
    array: &'a dyn Array,
    cells: Cells<'a>,
}

enum Cells<'a> {
    Bool(&'a BooleanArray),
    Int64(&'a PrimitiveArray<Int64Type>),
    Numeric(&'a PrimitiveArray<Decimal128Type>, u8),
    UnboundedNumeric(&'a StringArray),
    Float64(&'a PrimitiveArray<Float64Type>),
    Text(&'a StringArray),
    Date(&'a PrimitiveArray<Date32Type>),
    Time(&'a PrimitiveArray<Time64MicrosecondType>),
    Timestamp(&'a PrimitiveArray<TimestampMicrosecondType>),
    TimestampTz(&'a PrimitiveArray<TimestampMicrosecondType>),
    Uuid(&'a FixedSizeBinaryArray),
    Json(&'a StringArray),
    Binary(&'a BinaryArray),
    List(&'a ListArray, Box<Values<'a>>),
}

impl<'a> LineEncoder<'a> {
    /// Fails where the batch does not have the columns' Arrow types; says which column.
    pub(crate) fn new(columns: &'a [Column], batch: &'a RecordBatch) -> Result<Self, Refusal> {
        let absent = absent_cells(batch);
        let (found, expected) = (batch.num_columns() - usize::from(absent.is_some()), columns.len());
        if found != expected {
            return Err(format!("a batch has {found} columns where its table has {expected}"));
        }
        let prepared = columns.iter().zip(batch.columns()).map(|(column, array)| {
            let mut key = vec![b','];
            text(&column.name, &mut key);
            key.push(b':');
            let values = Values::new(&column.column_type, array.as_ref()).ok_or_else(|| {
                format!("column `{}` of a batch is not {}", column.name, column.column_type)
            })?;
            Ok((key, column.name.as_str(), values))
        });
        Ok(Self { columns: prepared.collect::<Result<_, Refusal>>()?, absent })
    }

    /// Appends the line of one record, with its end.
    pub(crate) fn write(&self, record: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let absent = self.absent.map(|absent| absent_in(absent, record)).unwrap_or_default();
        let came = self.columns.iter().enumerate().filter(|(at, _)| !absent.contains(at));
        out.push(b'{');
        for (first, (key, name, values)) in came.map(|(_, column)| column).enumerate() {
            // Between two members stands a comma.
            out.extend_from_slice(key.get(usize::from(first == 0)..).unwrap_or_default());
            values.write(record, out).map_err(|why| format!("column `{name}`: {why}"))?;
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}

impl<'a> Values<'a> {
    /// `None` where the array is not this type's.
    fn new(column_type: &ColumnType, array: &'a dyn Array) -> Option<Self> {
        let cells = match column_type {
            ColumnType::Bool => Cells::Bool(array.as_boolean_opt()?),
            ColumnType::Int64 => Cells::Int64(array.as_primitive_opt()?),
            ColumnType::Numeric { scale, .. } => {
                let expected = *array.data_type() == column_type.arrow();
                Cells::Numeric(array.as_primitive_opt().filter(|_| expected)?, *scale)
            }
            ColumnType::UnboundedNumeric => Cells::UnboundedNumeric(array.as_string_opt()?),
            ColumnType::Float64 => Cells::Float64(array.as_primitive_opt()?),
            ColumnType::Text | ColumnType::TimeTz | ColumnType::Interval => {
                Cells::Text(array.as_string_opt()?)
            }
            ColumnType::Date => Cells::Date(array.as_primitive_opt()?),
            ColumnType::Time => Cells::Time(array.as_primitive_opt()?),
            ColumnType::Timestamp => Cells::Timestamp(array.as_primitive_opt()?),
            ColumnType::TimestampTz => Cells::TimestampTz(array.as_primitive_opt()?),
            ColumnType::Uuid => Cells::Uuid(array.as_fixed_size_binary_opt()?),
            ColumnType::Json => Cells::Json(array.as_string_opt()?),
            ColumnType::Binary => Cells::Binary(array.as_binary_opt()?),
            ColumnType::Array(item) => {
                let list: &ListArray = array.as_list_opt()?;
                let items = Self::new(item, list.values().as_ref())?;
                Cells::List(list, Box::new(items))
            }
        };
        Some(Self { array, cells })
    }

    fn write(&self, at: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.array.is_null(at) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &self.cells {
            Cells::Bool(values) => out.extend_from_slice(if values.value(at) { b"true" } else { b"false" }),
            Cells::Int64(values) => {
                out.extend_from_slice(itoa::Buffer::new().format(values.value(at)).as_bytes());
            }
            Cells::Numeric(values, scale) => number::decimal(values.value(at), *scale, out),
            Cells::UnboundedNumeric(values) => number::written(values.value(at), out),
            Cells::Float64(values) => number::double(values.value(at), out),
            Cells::Text(values) => text(values.value(at), out),
            Cells::Date(values) => quoted(out, |out| moment::date(values.value(at).into(), out)),
            Cells::Time(values) => quoted(out, |out| moment::time(values.value(at), out)),
            Cells::Timestamp(values) => quoted(out, |out| moment::timestamp(values.value(at), out)),
            Cells::TimestampTz(values) => quoted(out, |out| {
                moment::timestamp(values.value(at), out);
                out.push(b'Z');
            }),
            Cells::Uuid(values) => quoted(out, |out| uuid(values.value(at), out)),
            Cells::Json(values) => return json(values.value(at), out),
            Cells::Binary(values) => quoted(out, |out| hexadecimal(values.value(at), out)),
            Cells::List(list, items) => return write_list(list, items, at, out),
        }
        Ok(())
    }
}

fn write_list(list: &ListArray, items: &Values<'_>, at: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let bound =
        |at: usize| list.value_offsets().get(at).and_then(|bound| usize::try_from(*bound).ok()).unwrap_or(0);
    let (start, end) = (bound(at), bound(at + 1));
    out.push(b'[');
    for item in start..end {
        if item > start {
            out.push(b',');
        }
        items.write(item, out)?;
    }
    out.push(b']');
    Ok(())
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// A JSON string. Writing into memory cannot fail.
fn text(value: &str, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, value);
}

/// A JSON document as it is. Line ends between its parts, the only place where its grammar has them, become spaces.
fn json(value: &str, out: &mut Vec<u8>) -> Result<(), Refusal> {
    serde_json::from_str::<IgnoredAny>(value).map_err(|_| "the text of a json column is no JSON")?;
    let plain = |byte: u8| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte };
    out.extend(value.bytes().map(plain));
    Ok(())
}

/// RFC 4648 base16, lower case.
fn hexadecimal(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

fn uuid(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    for (at, length) in [4, 2, 2, 2, 6].into_iter().enumerate() {
        if at > 0 {
            out.push(b'-');
        }
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        hexadecimal(part, out);
        rest = after;
    }
}

#[cfg(test)]
mod tests;
