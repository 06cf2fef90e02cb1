//! One column under construction, in Arrow's own layout.

use std::sync::Arc;

use columns::ColumnType as Kind;
use columns::arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, ListArray, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use columns::arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use columns::arrow_schema::{DataType, Field};

use crate::array::Items;
use crate::column_type::{ColumnType, Form};
use crate::config::DatePolicy;
use crate::json::{self, Unfit};
use crate::moment;
use crate::scalar::{self, EPOCH_DAYS};

/// What its place in the list of a column takes: where it ends, and whether it is there.
const END: usize = 4;
const VALID: usize = 1;

/// What became of a cell.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is there, and takes so many bytes of the column.
    Done(usize),
    /// The form of its type does not hold it.
    NeedsText,
}

/// The cells of one column, or the items of its lists.
#[derive(Debug)]
pub(crate) struct Cells {
    form: Form,
    /// In tapster's words.
    kind: Kind,
    values: Values,
    valid: Vec<bool>,
    nulls: usize,
}

#[derive(Debug)]
enum Values {
    Bool(Vec<bool>),
    Int64(Vec<i64>),
    Numeric(Vec<i128>, u8),
    Float64(Vec<f64>),
    Text(Bytes),
    Date(Vec<i32>),
    Time(Vec<i64>),
    Timestamp(Vec<i64>),
    Uuid(Vec<[u8; 16]>),
    Binary(Bytes),
    List(Vec<i32>, Box<Cells>),
    /// What a RECORD would have, where the form of the type does not do.
    AsText(Bytes),
}

/// Values of differing lengths, one behind the other.
#[derive(Debug)]
struct Bytes {
    ends: Vec<i32>,
    bytes: Vec<u8>,
}

impl Default for Bytes {
    fn default() -> Self {
        Self { ends: vec![0], bytes: Vec::new() }
    }
}

impl Bytes {
    /// Ends the value whose bytes were added.
    fn end(&mut self) -> Result<(), Unfit> {
        // A batch is far smaller than a cell may be: one cell of the server has at most 1 GiB.
        self.ends.push(i32::try_from(self.bytes.len()).map_err(|_| Unfit::Malformed)?);
        Ok(())
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows + 1);
        self.bytes.truncate(length(&self.ends));
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let Self { ends, bytes } = std::mem::take(self);
        (OffsetBuffer::new(ScalarBuffer::from(ends)), Buffer::from_vec(bytes))
    }
}

/// Where the last value ends.
fn length(ends: &[i32]) -> usize {
    ends.last().and_then(|end| usize::try_from(*end).ok()).unwrap_or_default()
}

impl Cells {
    pub(crate) fn new(column_type: &ColumnType) -> Self {
        Self::of(column_type.form, column_type.kind())
    }

    fn of(form: Form, kind: Kind) -> Self {
        let values = match &kind {
            Kind::Bool => Values::Bool(Vec::new()),
            Kind::Int64 => Values::Int64(Vec::new()),
            Kind::Numeric { scale, .. } => Values::Numeric(Vec::new(), *scale),
            Kind::Float64 => Values::Float64(Vec::new()),
            Kind::Date => Values::Date(Vec::new()),
            Kind::Time => Values::Time(Vec::new()),
            Kind::Timestamp | Kind::TimestampTz => Values::Timestamp(Vec::new()),
            Kind::Uuid => Values::Uuid(Vec::new()),
            Kind::Binary => Values::Binary(Bytes::default()),
            Kind::Array(item) => Values::List(vec![0], Box::new(Self::of(form, Kind::clone(item)))),
            Kind::UnboundedNumeric | Kind::Text | Kind::TimeTz | Kind::Interval | Kind::Json => {
                Values::Text(Bytes::default())
            }
        };
        Self { form, kind, values, valid: Vec::new(), nulls: 0 }
    }

    /// Adds a NULL; gives the bytes that it takes, which are those of a value.
    pub(crate) fn put_null(&mut self) -> usize {
        let bytes = match &mut self.values {
            Values::Bool(values) => pushed(values, false),
            Values::Int64(values) | Values::Time(values) | Values::Timestamp(values) => pushed(values, 0),
            Values::Numeric(values, _) => pushed(values, 0),
            Values::Float64(values) => pushed(values, 0.0),
            Values::Date(values) => pushed(values, 0),
            Values::Uuid(values) => pushed(values, [0; 16]),
            Values::Text(Bytes { ends, .. })
            | Values::Binary(Bytes { ends, .. })
            | Values::AsText(Bytes { ends, .. })
            | Values::List(ends, _) => {
                let end = ends.last().copied().unwrap_or_default();
                pushed(ends, end)
            }
        };
        self.valid.push(false);
        self.nulls += 1;
        VALID + bytes
    }

    /// Adds the value of a cell. After anything but [`Put::Done`] a part of it may be there: the row is to be taken back
    /// by [`truncate`](Self::truncate).
    #[inline]
    pub(crate) fn put(&mut self, cell: &[u8], dates: DatePolicy) -> Result<Put, Unfit> {
        let bytes = match &mut self.values {
            Values::Text(bytes) => {
                let before = bytes.bytes.len();
                put_text(self.form, cell, bytes)?;
                END + bytes.bytes.len() - before
            }
            Values::Int64(values) => pushed(values, integer(self.form, cell)?),
            Values::Timestamp(values) => {
                let micros = scalar::int8(cell)?;
                if !moment::is_plain_instant(micros) {
                    return Ok(Put::NeedsText);
                }
                pushed(values, micros + i64::from(EPOCH_DAYS) * moment::DAY)
            }
            Values::Numeric(values, scale) => {
                let Some(value) = postgres::numeric::scaled(cell, *scale) else { return Ok(Put::NeedsText) };
                pushed(values, value)
            }
            Values::Bool(values) => pushed(values, scalar::bool(cell)?),
            Values::Float64(values) => pushed(values, float(self.form, cell)?),
            Values::Date(values) => {
                let days = scalar::int4(cell)?;
                if !moment::is_plain_day(days) {
                    return Ok(Put::NeedsText);
                }
                pushed(values, days + EPOCH_DAYS)
            }
            Values::Time(values) => {
                let micros = scalar::int8(cell)?;
                if !(0..moment::DAY).contains(&micros) {
                    return Ok(Put::NeedsText);
                }
                pushed(values, micros)
            }
            Values::Uuid(values) => pushed(values, cell.try_into().map_err(|_| Unfit::Malformed)?),
            Values::Binary(bytes) => {
                bytes.bytes.extend_from_slice(cell);
                bytes.end()?;
                END + cell.len()
            }
            Values::AsText(bytes) => {
                let before = bytes.bytes.len();
                let valid = put_as_text(self.form, cell, dates, &mut bytes.bytes)?;
                bytes.end()?;
                let length = bytes.bytes.len() - before;
                self.valid.push(valid);
                self.nulls += usize::from(!valid);
                return Ok(Put::Done(VALID + END + length));
            }
            Values::List(ends, items) => match put_lists(cell, ends, items, dates)? {
                Put::Done(bytes) => bytes,
                Put::NeedsText => return Ok(Put::NeedsText),
            },
        };
        self.valid.push(true);
        Ok(Put::Done(VALID + bytes))
    }

    /// Takes back all but the first rows.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match &mut self.values {
            Values::Bool(values) => values.truncate(rows),
            Values::Int64(values) | Values::Time(values) | Values::Timestamp(values) => values.truncate(rows),
            Values::Numeric(values, _) => values.truncate(rows),
            Values::Float64(values) => values.truncate(rows),
            Values::Date(values) => values.truncate(rows),
            Values::Uuid(values) => values.truncate(rows),
            Values::Text(bytes) | Values::Binary(bytes) | Values::AsText(bytes) => bytes.truncate(rows),
            Values::List(ends, items) => {
                ends.truncate(rows + 1);
                items.truncate(length(ends));
            }
        }
        self.valid.truncate(rows);
        self.nulls = self.valid.iter().filter(|valid| !**valid).count();
    }

    /// From the next batch on its values are those of RECORD messages. It must be [finished](Self::finish) first.
    pub(crate) fn turn_into_texts(&mut self) {
        match &mut self.values {
            Values::List(_, items) => items.turn_into_texts(),
            values => *values = Values::AsText(Bytes::default()),
        }
    }

    /// The Arrow field: type and meaning of [`finish`](Self::finish)'s array.
    pub(crate) fn field(&self, name: &str) -> Field {
        match &self.values {
            // The digits are a number's, the rest is the text of a string.
            Values::AsText(_) if matches!(self.kind, Kind::Numeric { .. }) => {
                Kind::UnboundedNumeric.field(name, true)
            }
            Values::AsText(_) => Field::new(name, DataType::Utf8, true),
            Values::List(_, items) => Field::new(name, DataType::List(Arc::new(items.field("item"))), true),
            _ => self.kind.field(name, true),
        }
    }

    /// The rows so far. Nothing is left behind.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        let valid = std::mem::take(&mut self.valid);
        let nulls = (std::mem::take(&mut self.nulls) > 0).then(|| NullBuffer::from(valid));
        match &mut self.values {
            Values::Bool(values) => Arc::new(BooleanArray::new(std::mem::take(values).into(), nulls)),
            Values::Int64(values) => Arc::new(Int64Array::new(taken(values), nulls)),
            Values::Numeric(values, _) => {
                Arc::new(Decimal128Array::new(taken(values), nulls).with_data_type(self.kind.arrow()))
            }
            Values::Float64(values) => Arc::new(Float64Array::new(taken(values), nulls)),
            Values::Date(values) => Arc::new(Date32Array::new(taken(values), nulls)),
            Values::Time(values) => Arc::new(Time64MicrosecondArray::new(taken(values), nulls)),
            Values::Timestamp(values) => Arc::new(
                TimestampMicrosecondArray::new(taken(values), nulls).with_data_type(self.kind.arrow()),
            ),
            Values::Uuid(values) => {
                let bytes = Buffer::from_vec(std::mem::take(values).into_flattened());
                Arc::new(FixedSizeBinaryArray::new(16, bytes, nulls))
            }
            Values::Text(bytes) | Values::AsText(bytes) => {
                let (offsets, bytes) = bytes.take();
                Arc::new(StringArray::new(offsets, bytes, nulls))
            }
            Values::Binary(bytes) => {
                let (offsets, bytes) = bytes.take();
                Arc::new(BinaryArray::new(offsets, bytes, nulls))
            }
            Values::List(ends, items) => {
                let ends = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(ends, vec![0])));
                let field = Arc::new(items.field("item"));
                Arc::new(ListArray::new(field, ends, items.finish(), nulls))
            }
        }
    }
}

fn taken<T: ArrowNativeType>(values: &mut Vec<T>) -> ScalarBuffer<T> {
    // The next batch will be about as large.
    let room = Vec::with_capacity(values.len());
    ScalarBuffer::from(std::mem::replace(values, room))
}

/// Adds a value; gives its size.
#[inline]
fn pushed<T>(values: &mut Vec<T>, value: T) -> usize {
    values.push(value);
    size_of::<T>()
}

fn integer(form: Form, cell: &[u8]) -> Result<i64, Unfit> {
    Ok(match form {
        Form::Int2 => scalar::int2(cell)?.into(),
        Form::Int4 => scalar::int4(cell)?.into(),
        Form::Oid => scalar::oid(cell)?.into(),
        _ => scalar::int8(cell)?,
    })
}

fn float(form: Form, cell: &[u8]) -> Result<f64, Unfit> {
    Ok(if form == Form::Float4 { scalar::float4(cell)?.into() } else { scalar::float8(cell)? })
}

fn put_text(form: Form, cell: &[u8], bytes: &mut Bytes) -> Result<(), Unfit> {
    match form {
        Form::Numeric => {
            postgres::numeric::digits(cell, &mut bytes.bytes).ok_or(Unfit::Malformed)?;
        }
        Form::Json | Form::Jsonb => json::write_scalar(form, cell, DatePolicy::Keep, &mut bytes.bytes)?,
        _ => {
            let text = scalar::text(cell).map_err(|_| Unfit::Encoding)?;
            bytes.bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes.end()
}

/// The text of what a RECORD would have; `false` where that is null.
fn put_as_text(form: Form, cell: &[u8], dates: DatePolicy, out: &mut Vec<u8>) -> Result<bool, Unfit> {
    let before = out.len();
    json::write_scalar(form, cell, dates, out)?;
    let written = out.get(before..).unwrap_or_default();
    if written == b"null" {
        out.truncate(before);
        return Ok(false);
    }
    // Moments and numbers have nothing to escape.
    if written.first() == Some(&b'"') {
        out.remove(before);
        out.pop();
    }
    Ok(true)
}

fn put_lists(cell: &[u8], ends: &mut Vec<i32>, items: &mut Cells, dates: DatePolicy) -> Result<Put, Unfit> {
    let mut read = Items::new(cell)?;
    let (found, declared) = (read.dimensions(), 1 + items.depth());
    if found != 0 && found != declared {
        return Err(Unfit::Dimensions { found, declared });
    }
    let lengths = read.lengths();
    put_list(lengths.get(..found).unwrap_or_default(), &mut read, ends, items, dates)
}

fn put_list(
    lengths: &[usize],
    read: &mut Items<'_>,
    ends: &mut Vec<i32>,
    items: &mut Cells,
    dates: DatePolicy,
) -> Result<Put, Unfit> {
    let mut bytes = END;
    let (length, inner) = lengths.split_first().map_or((0, lengths), |(length, inner)| (*length, inner));
    for _ in 0..length {
        let put = match &mut items.values {
            Values::List(ends, below) => {
                let put = put_list(inner, read, ends, below, dates)?;
                items.valid.push(true);
                bytes += VALID;
                put
            }
            _ => {
                if let Some(item) = read.next_item()? {
                    items.put(item, dates)?
                } else {
                    Put::Done(items.put_null())
                }
            }
        };
        match put {
            Put::Done(more) => bytes += more,
            Put::NeedsText => return Ok(Put::NeedsText),
        }
    }
    ends.push(i32::try_from(items.valid.len()).map_err(|_| Unfit::Malformed)?);
    Ok(Put::Done(bytes))
}

impl Cells {
    /// How many lists lie in each other.
    fn depth(&self) -> usize {
        if let Values::List(_, items) = &self.values { 1 + items.depth() } else { 0 }
    }
}
