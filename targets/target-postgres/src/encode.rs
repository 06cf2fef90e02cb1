//! COPY BINARY from Arrow columns. A record is its cells in the order of the columns, each with its length; the
//! form of each type is that of the server's `*_recv` function.

mod array;

use std::ops::Range;

use columns::arrow_array::cast::AsArray;
use columns::arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use columns::arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, RecordBatch,
    StringArray,
};
use columns::{Column, ColumnType};
use postgres::numeric;

use array::ListCells;

/// What every COPY begins with: signature, no flags, no extension.
pub(crate) const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What every COPY ends with.
pub(crate) const TRAILER: &[u8] = &(-1_i16).to_be_bytes();
/// A cell longer than this is sent in pieces instead of being copied into a record.
pub(crate) const LARGE: usize = 256 * 1024;

const NULL: [u8; 4] = (-1_i32).to_be_bytes();
/// Days and microseconds from 1970-01-01 to 2000-01-01, where Postgres counts from.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// Why a record cannot be written. Names its column, never its value.
pub(crate) type Refusal = String;

/// The columns of a batch, ready to be written record by record.
pub(crate) struct BatchEncoder<'a> {
    columns: Vec<Cells<'a>>,
    names: Vec<&'a str>,
    /// Number of the batch's first record, where records carry theirs.
    ordinal: Option<u64>,
    rows: usize,
    large: bool,
}

/// One column, with its type decided once.
enum Cells<'a> {
    Bool(&'a BooleanArray),
    Int64(&'a PrimitiveArray<Int64Type>),
    Numeric(&'a PrimitiveArray<Decimal128Type>, u8),
    UnboundedNumeric(&'a StringArray),
    Float64(&'a PrimitiveArray<Float64Type>),
    Text(&'a StringArray),
    Json(&'a StringArray),
    Date(&'a PrimitiveArray<Date32Type>),
    Time(&'a PrimitiveArray<Time64MicrosecondType>),
    Timestamp(&'a PrimitiveArray<TimestampMicrosecondType>),
    Uuid(&'a FixedSizeBinaryArray),
    Binary(&'a BinaryArray),
    List(ListCells<'a>),
}

impl<'a> BatchEncoder<'a> {
    /// Fits the batch to its columns. `ordinal` numbers the records in a column of their own, before the others.
    pub(crate) fn new(batch: &'a RecordBatch, columns: &'a [Column], ordinal: Option<u64>) -> Option<Self> {
        if batch.num_columns() != columns.len() {
            return None;
        }
        let cells = batch.columns().iter().zip(columns);
        let cells: Option<Vec<_>> =
            cells.map(|(array, column)| Cells::new(array, &column.column_type)).collect();
        let columns_cells = cells?;
        let large = columns_cells.iter().any(Cells::any_large);
        let names = columns.iter().map(|column| column.name.as_str()).collect();
        Some(Self { columns: columns_cells, names, ordinal, rows: batch.num_rows(), large })
    }

    /// All records of the batch.
    pub(crate) fn rows(&self) -> Range<usize> {
        0..self.rows
    }

    /// Whether some cell is to be sent in pieces.
    pub(crate) fn has_large(&self) -> bool {
        self.large
    }

    /// Appends a record whose cells are all small.
    pub(crate) fn record(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        self.begin(row, out);
        for (cells, name) in self.columns.iter().zip(&self.names) {
            cells.write(row, out).map_err(|why| format!("column `{name}`: {why}"))?;
        }
        Ok(())
    }

    /// Appends what stands before the first cell.
    pub(crate) fn begin(&self, row: usize, out: &mut Vec<u8>) {
        let count = self.columns.len() + usize::from(self.ordinal.is_some());
        out.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
        if let Some(first) = self.ordinal {
            eight(out, (first + row as u64).to_be_bytes());
        }
    }

    /// Number of cells.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Appends one cell, or its beginning: then returns the bytes that follow.
    pub(crate) fn cell(
        &self,
        column: usize,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<&[u8]>, Refusal> {
        let (Some(cells), Some(name)) = (self.columns.get(column), self.names.get(column)) else {
            return Ok(None);
        };
        let bytes = cells.bytes(row);
        if let Some(bytes) = bytes.filter(|bytes| bytes.len() > LARGE) {
            let version: &[u8] = if matches!(cells, Cells::Json(_)) { &[1] } else { &[] };
            let length = i32::try_from(bytes.len() + version.len())
                .map_err(|_| format!("column `{name}`: longer than 2 GiB"))?;
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(version);
            return Ok(Some(bytes));
        }
        cells.write(row, out).map_err(|why| format!("column `{name}`: {why}"))?;
        Ok(None)
    }
}

impl<'a> Cells<'a> {
    fn new(array: &'a ArrayRef, column_type: &ColumnType) -> Option<Self> {
        Some(match column_type {
            ColumnType::Bool => Self::Bool(array.as_boolean_opt()?),
            ColumnType::Int64 => Self::Int64(array.as_primitive_opt()?),
            ColumnType::Numeric { scale, .. } => Self::Numeric(array.as_primitive_opt()?, *scale),
            ColumnType::UnboundedNumeric => Self::UnboundedNumeric(array.as_string_opt()?),
            ColumnType::Float64 => Self::Float64(array.as_primitive_opt()?),
            // The server reads these two itself: they are staged as text and cast in the merge.
            ColumnType::Text | ColumnType::TimeTz | ColumnType::Interval => {
                Self::Text(array.as_string_opt()?)
            }
            ColumnType::Json => Self::Json(array.as_string_opt()?),
            ColumnType::Date => Self::Date(array.as_primitive_opt()?),
            ColumnType::Time => Self::Time(array.as_primitive_opt()?),
            ColumnType::Timestamp | ColumnType::TimestampTz => Self::Timestamp(array.as_primitive_opt()?),
            ColumnType::Uuid => {
                Self::Uuid(array.as_fixed_size_binary_opt().filter(|a| a.value_length() == 16)?)
            }
            ColumnType::Binary => Self::Binary(array.as_binary_opt()?),
            ColumnType::Array(item) => Self::List(ListCells::new(array, item)?),
        })
    }

    fn any_large(&self) -> bool {
        let over = |offsets: &[i32]| {
            let total = offsets.last().zip(offsets.first()).is_some_and(|(end, start)| reaches(*start, *end));
            total && offsets.windows(2).any(|pair| matches!(pair, [start, end] if reaches(*start, *end)))
        };
        match self {
            Self::Text(array) | Self::Json(array) => over(array.value_offsets()),
            Self::Binary(array) => over(array.value_offsets()),
            _ => false,
        }
    }

    fn bytes(&self, row: usize) -> Option<&'a [u8]> {
        match self {
            Self::Text(array) | Self::Json(array) if !array.is_null(row) => Some(array.value(row).as_bytes()),
            Self::Binary(array) if !array.is_null(row) => Some(array.value(row)),
            _ => None,
        }
    }

    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if self.is_null(row) {
            out.extend_from_slice(&NULL);
            return Ok(());
        }
        match self {
            Self::Bool(array) => out.extend_from_slice(&[0, 0, 0, 1, u8::from(array.value(row))]),
            Self::Int64(array) => eight(out, array.value(row).to_be_bytes()),
            Self::Float64(array) => eight(out, array.value(row).to_be_bytes()),
            Self::Time(array) => eight(out, array.value(row).to_be_bytes()),
            Self::Timestamp(array) => {
                let since = array.value(row).checked_sub(EPOCH_MICROSECONDS);
                // The smallest and the largest number mean the infinities.
                let since = since.filter(|since| *since != i64::MIN && *since != i64::MAX);
                eight(out, since.ok_or("the instant is out of range")?.to_be_bytes());
            }
            Self::Date(array) => {
                let since = array.value(row).checked_sub(EPOCH_DAYS).filter(|since| *since != i32::MIN);
                out.extend_from_slice(&4_i32.to_be_bytes());
                out.extend_from_slice(&since.ok_or("the day is out of range")?.to_be_bytes());
            }
            Self::Numeric(array, scale) => numeric::decimal(array.value(row), *scale, out),
            Self::UnboundedNumeric(array) => numeric::text(array.value(row), out)?,
            Self::Text(array) => sized(out, array.value(row).as_bytes())?,
            Self::Binary(array) => sized(out, array.value(row))?,
            Self::Json(array) => {
                let text = array.value(row).as_bytes();
                let length = i32::try_from(text.len() + 1).map_err(|_| "longer than 2 GiB")?;
                out.extend_from_slice(&length.to_be_bytes());
                out.push(1);
                out.extend_from_slice(text);
            }
            Self::Uuid(array) => sized(out, array.value(row))?,
            Self::List(list) => list.write(row, out)?,
        }
        Ok(())
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Bool(array) => array.is_null(row),
            Self::Int64(array) => array.is_null(row),
            Self::Numeric(array, _) => array.is_null(row),
            Self::UnboundedNumeric(array) | Self::Text(array) | Self::Json(array) => array.is_null(row),
            Self::Float64(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Time(array) => array.is_null(row),
            Self::Timestamp(array) => array.is_null(row),
            Self::Uuid(array) => array.is_null(row),
            Self::Binary(array) => array.is_null(row),
            Self::List(list) => list.is_null(row),
        }
    }
}

fn reaches(start: i32, end: i32) -> bool {
    usize::try_from(end - start).is_ok_and(|length| length > LARGE)
}

/// A cell of eight bytes, in one step.
#[inline]
fn eight(out: &mut Vec<u8>, value: [u8; 8]) {
    let mut cell = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    if let Some((_, rest)) = cell.split_first_chunk_mut::<4>() {
        rest.copy_from_slice(&value);
    }
    out.extend_from_slice(&cell);
}

#[inline]
fn sized(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Refusal> {
    let length = i32::try_from(bytes.len()).map_err(|_| "longer than 2 GiB")?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
