//! One column under construction, in Arrow's own layout, able to take back what was put last.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, ListArray, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use singer::{JsonReader, ReadError};

use super::validity::{Bits, Validity};
use crate::value::{Misfit, binary, json, moment, number, text};
use crate::{ColumnType, ValueLimits};

/// The cells of one column, one more than there are records while a record is walked.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    pub(crate) column_type: ColumnType,
    validity: Validity,
    cells: Cells,
}

#[derive(Debug)]
enum Cells {
    Bool(Bits),
    Int64(Vec<i64>),
    Numeric {
        values: Vec<i128>,
        precision: u8,
        scale: u8,
    },
    UnboundedNumeric(Bytes),
    Float64(Vec<f64>),
    Text(Bytes),
    /// Times with zones and intervals, which pass as their texts.
    Verbatim(Bytes),
    Date(Vec<i32>),
    Time(Vec<i64>),
    Timestamp(Vec<i64>),
    Uuid(Vec<[u8; 16]>),
    Json(Bytes),
    Binary(Bytes),
    List {
        ends: Vec<i32>,
        items: Box<ColumnBuilder>,
    },
}

/// Values of differing lengths, one behind the other.
#[derive(Debug)]
struct Bytes {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
}

impl Default for Bytes {
    fn default() -> Self {
        Self { offsets: vec![0], bytes: Vec::new() }
    }
}

impl Bytes {
    /// Adds one value, or one empty one for NULL, as `write` writes it. After an error nothing is added.
    #[inline]
    fn put(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<bool, Misfit>,
    ) -> Result<(bool, usize), Misfit> {
        let before = self.bytes.len();
        let written = write(&mut self.bytes);
        let end = i32::try_from(self.bytes.len()).map_err(|_| Misfit::Large);
        match (written, end) {
            (Ok(valid), Ok(end)) => {
                self.offsets.push(end);
                Ok((valid, self.bytes.len() - before))
            }
            (Err(misfit), _) | (_, Err(misfit)) => {
                self.bytes.truncate(before);
                Err(misfit)
            }
        }
    }

    fn put_empty(&mut self) {
        let end = self.offsets.last().copied().unwrap_or_default();
        self.offsets.push(end);
    }

    fn truncate(&mut self, length: usize) {
        self.offsets.truncate(length + 1);
        self.bytes.truncate(self.offsets.last().map_or(0, |end| usize::try_from(*end).unwrap_or_default()));
    }

    /// Length of the value put last.
    fn last_length(&self) -> usize {
        let before = self
            .offsets
            .len()
            .checked_sub(2)
            .and_then(|at| self.offsets.get(at))
            .copied()
            .unwrap_or_default();
        self.bytes.len() - usize::try_from(before).unwrap_or_default()
    }

    fn parts(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let whole = std::mem::take(self);
        (OffsetBuffer::new(ScalarBuffer::from(whole.offsets)), Buffer::from_vec(whole.bytes))
    }
}

impl ColumnBuilder {
    pub(crate) fn new(column_type: &ColumnType) -> Self {
        let cells = match column_type {
            ColumnType::Bool => Cells::Bool(Bits::default()),
            ColumnType::Int64 => Cells::Int64(Vec::new()),
            ColumnType::Numeric { precision, scale } => {
                Cells::Numeric { values: Vec::new(), precision: *precision, scale: *scale }
            }
            ColumnType::UnboundedNumeric => Cells::UnboundedNumeric(Bytes::default()),
            ColumnType::Float64 => Cells::Float64(Vec::new()),
            ColumnType::Text => Cells::Text(Bytes::default()),
            ColumnType::TimeTz | ColumnType::Interval => Cells::Verbatim(Bytes::default()),
            ColumnType::Date => Cells::Date(Vec::new()),
            ColumnType::Time => Cells::Time(Vec::new()),
            ColumnType::Timestamp | ColumnType::TimestampTz => Cells::Timestamp(Vec::new()),
            ColumnType::Uuid => Cells::Uuid(Vec::new()),
            ColumnType::Json => Cells::Json(Bytes::default()),
            ColumnType::Binary => Cells::Binary(Bytes::default()),
            ColumnType::Array(item) => Cells::List { ends: vec![0], items: Box::new(Self::new(item)) },
        };
        Self { column_type: column_type.clone(), validity: Validity::default(), cells }
    }

    /// Cells so far.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.validity.len()
    }

    /// Whether the cell put last is NULL.
    pub(crate) fn last_is_null(&self) -> bool {
        self.len().checked_sub(1).is_some_and(|last| !self.validity.is_valid(last))
    }

    /// Bytes of the cell put last, where they differ from cell to cell.
    pub(crate) fn last_length(&self) -> Option<usize> {
        match &self.cells {
            Cells::UnboundedNumeric(bytes)
            | Cells::Text(bytes)
            | Cells::Verbatim(bytes)
            | Cells::Json(bytes)
            | Cells::Binary(bytes) => Some(bytes.last_length()),
            _ => None,
        }
    }

    /// Bytes that every cell takes, beside those that [`put`](Self::put) tells.
    pub(crate) fn cell_bytes(&self) -> usize {
        match &self.cells {
            Cells::Bool(_) => 1,
            Cells::Numeric { .. } | Cells::Uuid(_) => 16,
            Cells::Int64(_) | Cells::Float64(_) | Cells::Time(_) | Cells::Timestamp(_) => 8,
            _ => 4,
        }
    }

    /// Adds a JSON value, given as its text. Tells how many bytes it takes beside the cell itself. After an error
    /// nothing is added.
    #[inline]
    pub(crate) fn put(&mut self, raw: &str, limits: &ValueLimits) -> Result<usize, Misfit> {
        if raw.as_bytes().first() == Some(&b'n') {
            self.put_null();
            return Ok(0);
        }
        let (valid, bytes) = match &mut self.cells {
            Cells::Text(bytes) => bytes.put(|out| text::text(raw, limits.nul, out).map(|()| true))?,
            Cells::Timestamp(values) => put_value(values, moment::timestamp(raw, limits)?),
            Cells::Int64(values) => put_value(values, number::int64(raw, limits.nan)?),
            Cells::UnboundedNumeric(bytes) => bytes.put(|out| number::unbounded(raw, limits, out))?,
            Cells::Json(bytes) => bytes.put(|out| json::json(raw, limits, out).map(|()| true))?,
            Cells::Bool(bits) => {
                let value = number::bool(raw)?;
                bits.push(value.unwrap_or_default());
                (value.is_some(), 0)
            }
            Cells::Uuid(values) => put_value(values, binary::uuid(raw)?),
            Cells::Numeric { values, precision, scale } => {
                put_value(values, number::numeric(raw, *precision, *scale, limits)?)
            }
            Cells::Float64(values) => put_value(values, number::float64(raw)?),
            Cells::Date(values) => put_value(values, moment::date(raw, limits)?),
            Cells::Time(values) => put_value(values, moment::time(raw)?),
            Cells::Verbatim(bytes) => bytes.put(|out| text::verbatim(raw, limits.nul, out))?,
            Cells::Binary(bytes) => bytes.put(|out| binary::binary(raw, out).map(|()| true))?,
            Cells::List { ends, items } => (true, put_list(raw, ends, items, limits)?),
        };
        self.validity.push(valid);
        Ok(bytes)
    }

    /// Adds each item of a JSON array, up to the first that does not fit.
    fn put_items(&mut self, raw: &str, limits: &ValueLimits) -> Result<Result<usize, Misfit>, ReadError> {
        let mut reader = JsonReader::new(raw);
        if !reader.open_array()? {
            return Ok(Err(Misfit::WrongType));
        }
        let mut bytes = 0;
        while reader.next_item()? {
            match self.put(reader.value()?.get(), limits) {
                Ok(more) => bytes += more + self.cell_bytes(),
                Err(misfit) => return Ok(Err(misfit)),
            }
        }
        Ok(Ok(bytes))
    }

    /// Adds a value of a column of 64-bit integers or timestamps; NULL in any other.
    pub(crate) fn put_i64(&mut self, value: Option<i64>) {
        match (&mut self.cells, value) {
            (Cells::Int64(values) | Cells::Timestamp(values), Some(value)) => {
                values.push(value);
                self.validity.push(true);
            }
            _ => self.put_null(),
        }
    }

    /// Adds a value of a column of days, times or timestamps, in their own unit.
    pub(crate) fn put_moment(&mut self, value: Option<i64>) {
        match (&mut self.cells, value.map(i32::try_from)) {
            (Cells::Date(values), Some(Ok(days))) => {
                values.push(days);
                self.validity.push(true);
            }
            _ => self.put_i64(value),
        }
    }

    /// Adds indexes to a column of lists of them, or NULL where there are none. Tells how many bytes they take.
    pub(crate) fn put_indexes(&mut self, indexes: &[usize]) -> usize {
        match &mut self.cells {
            Cells::List { ends, items } if !indexes.is_empty() => {
                for index in indexes {
                    items.put_i64(i64::try_from(*index).ok());
                }
                ends.push(i32::try_from(items.len()).unwrap_or(i32::MAX));
                self.validity.push(true);
                indexes.len() * items.cell_bytes()
            }
            _ => {
                self.put_null();
                0
            }
        }
    }

    pub(crate) fn put_null(&mut self) {
        match &mut self.cells {
            Cells::Bool(bits) => bits.push(false),
            Cells::Int64(values) | Cells::Time(values) | Cells::Timestamp(values) => values.push(0),
            Cells::Numeric { values, .. } => values.push(0),
            Cells::Float64(values) => values.push(0.0),
            Cells::Date(values) => values.push(0),
            Cells::Uuid(values) => values.push([0; 16]),
            Cells::UnboundedNumeric(bytes)
            | Cells::Text(bytes)
            | Cells::Verbatim(bytes)
            | Cells::Json(bytes)
            | Cells::Binary(bytes) => bytes.put_empty(),
            Cells::List { ends, .. } => ends.push(ends.last().copied().unwrap_or_default()),
        }
        self.validity.push(false);
    }

    /// Takes back all but the first `length` cells.
    pub(crate) fn truncate(&mut self, length: usize) {
        if length >= self.len() {
            return;
        }
        match &mut self.cells {
            Cells::Bool(bits) => bits.truncate(length),
            Cells::Int64(values) | Cells::Time(values) | Cells::Timestamp(values) => values.truncate(length),
            Cells::Numeric { values, .. } => values.truncate(length),
            Cells::Float64(values) => values.truncate(length),
            Cells::Date(values) => values.truncate(length),
            Cells::Uuid(values) => values.truncate(length),
            Cells::UnboundedNumeric(bytes)
            | Cells::Text(bytes)
            | Cells::Verbatim(bytes)
            | Cells::Json(bytes)
            | Cells::Binary(bytes) => bytes.truncate(length),
            Cells::List { ends, items } => {
                ends.truncate(length + 1);
                items.truncate(ends.last().map_or(0, |end| usize::try_from(*end).unwrap_or_default()));
            }
        }
        self.validity.truncate(length);
    }

    /// The column as an Arrow array, without a copy of its values. Nothing is left behind.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        let nulls = self.validity.finish();
        match &mut self.cells {
            Cells::Bool(bits) => Arc::new(BooleanArray::new(bits.finish(), nulls)),
            Cells::Int64(values) => Arc::new(Int64Array::new(taken(values), nulls)),
            Cells::Numeric { values, .. } => {
                Arc::new(Decimal128Array::new(taken(values), nulls).with_data_type(self.column_type.arrow()))
            }
            Cells::Float64(values) => Arc::new(Float64Array::new(taken(values), nulls)),
            Cells::Date(values) => Arc::new(Date32Array::new(taken(values), nulls)),
            Cells::Time(values) => Arc::new(Time64MicrosecondArray::new(taken(values), nulls)),
            Cells::Timestamp(values) => Arc::new(
                TimestampMicrosecondArray::new(taken(values), nulls).with_data_type(self.column_type.arrow()),
            ),
            Cells::Uuid(values) => {
                let bytes = Buffer::from_vec(std::mem::take(values).into_flattened());
                Arc::new(FixedSizeBinaryArray::new(16, bytes, nulls))
            }
            Cells::UnboundedNumeric(bytes)
            | Cells::Text(bytes)
            | Cells::Verbatim(bytes)
            | Cells::Json(bytes) => {
                let (offsets, values) = bytes.parts();
                Arc::new(StringArray::new(offsets, values, nulls))
            }
            Cells::Binary(bytes) => {
                let (offsets, values) = bytes.parts();
                Arc::new(BinaryArray::new(offsets, values, nulls))
            }
            Cells::List { ends, items } => list(&self.column_type, ends, items, nulls),
        }
    }
}

#[inline]
fn put_value<T: Default>(values: &mut Vec<T>, value: Option<T>) -> (bool, usize) {
    let valid = value.is_some();
    values.push(value.unwrap_or_default());
    (valid, 0)
}

/// Adds the items of a JSON array. Tells how many bytes they take.
fn put_list(
    raw: &str,
    ends: &mut Vec<i32>,
    items: &mut ColumnBuilder,
    limits: &ValueLimits,
) -> Result<usize, Misfit> {
    let before = items.len();
    let put = items.put_items(raw, limits).unwrap_or(Err(Misfit::WrongType));
    match (put, i32::try_from(items.len())) {
        (Ok(bytes), Ok(end)) => {
            ends.push(end);
            Ok(bytes)
        }
        (put, _) => {
            items.truncate(before);
            Err(match put {
                Ok(_) => Misfit::Large,
                // A list has no wider type.
                Err(Misfit::Wider(_)) => Misfit::WrongType,
                Err(misfit) => misfit,
            })
        }
    }
}

fn list(
    column_type: &ColumnType,
    ends: &mut Vec<i32>,
    items: &mut ColumnBuilder,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let ends = std::mem::replace(ends, vec![0]);
    let DataType::List(field) = column_type.arrow() else { unreachable!("an array's Arrow form is a list") };
    Arc::new(ListArray::new(field, OffsetBuffer::new(ScalarBuffer::from(ends)), items.finish(), nulls))
}

fn taken<T: arrow_buffer::ArrowNativeType>(values: &mut Vec<T>) -> ScalarBuffer<T> {
    ScalarBuffer::from(std::mem::take(values))
}
