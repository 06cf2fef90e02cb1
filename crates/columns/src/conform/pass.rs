//! Columns that may pass as they are: of the very Arrow form of their type, with no value that a target cannot hold.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Time64MicrosecondType, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, ListArray, StringArray};
use arrow_schema::{DataType, Field, TimeUnit};
use memchr::memchr;
use singer::JsonReader;

use crate::value::json::MAX_DEPTH;
use crate::{ColumnType, NulPolicy, TYPE_METADATA, ValueLimits};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Whether a field says that its texts are those of this type; others are texts of JSON strings.
pub(super) fn is_tagged(field: &Field, column_type: &ColumnType) -> bool {
    field.metadata().get(TYPE_METADATA).is_some_and(|name| *name == column_type.to_string())
}

/// The column for its table, without a copy of its values; `None` where it must be looked at cell by cell.
pub(super) fn pass(
    array: &ArrayRef,
    field: &Field,
    column_type: &ColumnType,
    limits: &ValueLimits,
) -> Option<ArrayRef> {
    let tagged = is_tagged(field, column_type);
    let whole = match (column_type, array.data_type()) {
        (ColumnType::Bool, DataType::Boolean)
        | (ColumnType::Int64, DataType::Int64)
        | (ColumnType::Float64, DataType::Float64)
        | (ColumnType::Uuid, DataType::FixedSizeBinary(16))
        | (ColumnType::Binary, DataType::Binary) => true,
        (ColumnType::Text, DataType::Utf8) => texts(array, |text| has_no_nul(text, limits)),
        (ColumnType::TimeTz | ColumnType::Interval, DataType::Utf8) => {
            texts(array, |text| !text.is_empty() && has_no_nul(text, limits))
        }
        (ColumnType::Json, DataType::Utf8) if tagged => texts(array, is_plain_json),
        (ColumnType::UnboundedNumeric, DataType::Utf8) if tagged => {
            texts(array, |text| is_plain_number(text, limits))
        }
        (ColumnType::Date, DataType::Date32) => {
            let days = array.as_primitive::<Date32Type>();
            days.iter().flatten().all(|day| (limits.days.0..=limits.days.1).contains(&day))
        }
        (ColumnType::Time, DataType::Time64(TimeUnit::Microsecond)) => array
            .as_primitive::<Time64MicrosecondType>()
            .iter()
            .flatten()
            .all(|time| (0..DAY).contains(&time)),
        (ColumnType::Numeric { precision, scale }, DataType::Decimal128(_, own)) => {
            return (i8::try_from(*scale) == Ok(*own)).then(|| decimals(array, *precision, column_type))?;
        }
        (ColumnType::Timestamp, DataType::Timestamp(TimeUnit::Microsecond, None))
        | (ColumnType::TimestampTz, DataType::Timestamp(TimeUnit::Microsecond, Some(_))) => {
            return instants(array, column_type, limits);
        }
        (ColumnType::Array(item), DataType::List(field)) => return list(array, field, item, limits),
        _ => false,
    };
    whole.then(|| Arc::clone(array))
}

fn texts(array: &ArrayRef, fits: impl Fn(&str) -> bool) -> bool {
    let texts: &StringArray = array.as_string();
    texts.iter().flatten().all(fits)
}

fn has_no_nul(text: &str, limits: &ValueLimits) -> bool {
    limits.nul == NulPolicy::Keep || memchr(0, text.as_bytes()).is_none()
}

/// JSON in which nothing could have to be replaced.
fn is_plain_json(text: &str) -> bool {
    let mut reader = JsonReader::new(text);
    text != "null"
        && memchr(b'\\', text.as_bytes()).is_none()
        && (text.len() <= 2 * MAX_DEPTH
            || text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() <= MAX_DEPTH)
        && reader.skip().and_then(|()| reader.end()).is_ok()
}

/// A number as Postgres writes it, and no minus zero.
fn is_plain_number(text: &str, limits: &ValueLimits) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(are_digits)
        && whole.len() <= limits.numeric_digits.0
        && fraction.map_or(0, str::len) <= limits.numeric_digits.1
        && (digits.len() == text.len() || digits.bytes().any(|byte| matches!(byte, b'1'..=b'9')))
}

fn decimals(array: &ArrayRef, precision: u8, column_type: &ColumnType) -> Option<ArrayRef> {
    let decimals = array.as_primitive::<Decimal128Type>();
    decimals.validate_decimal_precision(precision).ok()?;
    Some(Arc::new(decimals.clone().with_data_type(column_type.arrow())))
}

/// An instant is the same in every zone.
fn instants(array: &ArrayRef, column_type: &ColumnType, limits: &ValueLimits) -> Option<ArrayRef> {
    let instants = array.as_primitive::<TimestampMicrosecondType>();
    let (first, last) = limits.instants;
    let fit = instants.iter().flatten().all(|instant| (first..=last).contains(&instant));
    fit.then(|| Arc::new(instants.clone().with_data_type(column_type.arrow())) as ArrayRef)
}

fn list(array: &ArrayRef, field: &Field, item: &ColumnType, limits: &ValueLimits) -> Option<ArrayRef> {
    let list: &ListArray = array.as_list();
    let items = pass(list.values(), field, item, limits)?;
    let field = Arc::new(item.field("item", true));
    Some(Arc::new(ListArray::try_new(field, list.offsets().clone(), items, list.nulls().cloned()).ok()?))
}
