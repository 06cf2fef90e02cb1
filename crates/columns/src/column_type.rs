//! The type vocabulary: every type that a column may have, and its one Arrow form.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};
use thiserror::Error;

/// Key of the Arrow field metadata that names the [`ColumnType`], as its `Display` writes it.
pub const TYPE_METADATA: &str = "tapster.type";

/// What a column may hold. Closed: targets map each of these, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// A 64-bit signed integer.
    Int64,
    /// An exact decimal: at most 38 digits in all, `scale` of them behind the point.
    Numeric {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point, at most `precision`.
        scale: u8,
    },
    /// An exact decimal of any length; also `NaN`, `Infinity`, `-Infinity`.
    UnboundedNumeric,
    /// A double.
    Float64,
    /// Unicode text of any length.
    Text,
    /// A day.
    Date,
    /// A time of day, microseconds, without zone.
    Time,
    /// A time of day with its offset.
    TimeTz,
    /// Day and time, microseconds, without zone.
    Timestamp,
    /// An instant, microseconds, UTC.
    TimestampTz,
    /// A span of months, days and microseconds.
    Interval,
    /// A UUID.
    Uuid,
    /// A JSON document, as its text.
    Json,
    /// Bytes.
    Binary,
    /// A list of values of one type.
    Array(Box<ColumnType>),
}

impl ColumnType {
    /// The Arrow type that carries it. What Arrow lacks is text in Postgres's form.
    #[must_use]
    pub fn arrow(&self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int64 => DataType::Int64,
            Self::Numeric { precision, scale } => {
                DataType::Decimal128(*precision, i8::try_from(*scale).unwrap_or(i8::MAX))
            }
            Self::Float64 => DataType::Float64,
            Self::UnboundedNumeric | Self::TimeTz | Self::Interval | Self::Text | Self::Json => {
                DataType::Utf8
            }
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Uuid => DataType::FixedSizeBinary(16),
            Self::Binary => DataType::Binary,
            Self::Array(item) => DataType::List(Arc::new(item.field("item", true))),
        }
    }

    /// An Arrow field of this type, which carries the type's name in its metadata.
    #[must_use]
    pub fn field(&self, name: &str, nullable: bool) -> Field {
        let metadata = [(TYPE_METADATA.to_owned(), self.to_string())].into();
        Field::new(name, self.arrow(), nullable).with_metadata(metadata)
    }

    /// Whether every value of `self` is exactly a value of `wider`.
    #[must_use]
    pub fn widens_to(&self, wider: &Self) -> bool {
        use ColumnType as T;
        match (self, wider) {
            (a, b) if a == b => true,
            (T::Int64, T::Numeric { precision, scale }) => precision - scale >= 19,
            (T::Numeric { precision: p, scale: s }, T::Numeric { precision, scale }) => {
                scale >= s && precision - scale >= p - s
            }
            // JSON text and the parts of a list are no longer the same value as text.
            (T::Json | T::Array(_) | T::Binary, _) => false,
            (T::Int64 | T::Numeric { .. } | T::Float64, T::UnboundedNumeric)
            | (T::Date, T::Timestamp)
            | (_, T::Text) => true,
            _ => false,
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Numeric { precision, scale } => return write!(f, "numeric({precision},{scale})"),
            Self::Array(item) => return write!(f, "{item}[]"),
            Self::Bool => "bool",
            Self::Int64 => "int64",
            Self::UnboundedNumeric => "numeric",
            Self::Float64 => "float64",
            Self::Text => "text",
            Self::Date => "date",
            Self::Time => "time",
            Self::TimeTz => "timetz",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
            Self::Interval => "interval",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Binary => "binary",
        })
    }
}

/// A type name that is not in the vocabulary.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a column type: use bool, int64, numeric, numeric(p,s) with p up to 38, float64, text, date, time, timetz, timestamp, timestamptz, interval, uuid, json, binary, or one of these with []"
)]
pub struct ParseColumnTypeError(String);

impl FromStr for ColumnType {
    type Err = ParseColumnTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || ParseColumnTypeError(text.to_owned());
        if let Some(item) = text.strip_suffix("[]") {
            return item.parse().map(|item| Self::Array(Box::new(item))).map_err(|_| unknown());
        }
        if let Some(digits) = text.strip_prefix("numeric(").and_then(|rest| rest.strip_suffix(')')) {
            let (precision, scale) = digits.split_once(',').ok_or_else(unknown)?;
            let number = |text: &str| text.trim().parse::<u8>().map_err(|_| unknown());
            let (precision, scale) = (number(precision)?, number(scale)?);
            let fits = (1..=38).contains(&precision) && scale <= precision;
            return if fits { Ok(Self::Numeric { precision, scale }) } else { Err(unknown()) };
        }
        Ok(match text {
            "bool" => Self::Bool,
            "int64" => Self::Int64,
            "numeric" => Self::UnboundedNumeric,
            "float64" => Self::Float64,
            "text" => Self::Text,
            "date" => Self::Date,
            "time" => Self::Time,
            "timetz" => Self::TimeTz,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::TimestampTz,
            "interval" => Self::Interval,
            "uuid" => Self::Uuid,
            "json" => Self::Json,
            "binary" => Self::Binary,
            _ => return Err(unknown()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnType;

    #[test]
    fn names_round_trip() {
        for name in ["bool", "int64", "numeric(38,0)", "numeric", "timestamptz", "text[]", "numeric(5,2)[][]"]
        {
            assert_eq!(name.parse::<ColumnType>().unwrap().to_string(), name);
        }
        for name in ["numeric(39,0)", "numeric(3,4)", "int", "[]", "numeric(1)"] {
            assert!(name.parse::<ColumnType>().is_err(), "{name}");
        }
    }

    #[test]
    fn widening_never_loses() {
        let numeric = |precision, scale| ColumnType::Numeric { precision, scale };
        assert!(ColumnType::Int64.widens_to(&ColumnType::UnboundedNumeric));
        assert!(ColumnType::Int64.widens_to(&numeric(19, 0)));
        assert!(!ColumnType::Int64.widens_to(&numeric(18, 0)));
        assert!(numeric(5, 2).widens_to(&numeric(7, 4)));
        assert!(!numeric(5, 2).widens_to(&numeric(5, 3)));
        assert!(!ColumnType::UnboundedNumeric.widens_to(&ColumnType::Int64));
        assert!(!ColumnType::TimestampTz.widens_to(&ColumnType::Timestamp));
        assert!(ColumnType::Uuid.widens_to(&ColumnType::Text));
    }
}
