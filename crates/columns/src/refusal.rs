//! Why a record is not taken. The texts name the column and what kind of value was found, never the value.

use std::fmt;

use thiserror::Error;

use crate::{ColumnType, TableSchema};

/// A record that is not part of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It fits this wider table: finish the batch, open the wider table, send the record again.
    Widen(TableSchema),
    /// It fits no table that could be made of its schema without a loss.
    Record(RecordError),
}

/// A record that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{problem}", if .column.is_empty() { String::new() } else { format!("column `{}`: ", .column) })]
pub struct RecordError {
    /// The property; empty where the record as a whole is meant, and for a property without a name.
    pub column: String,
    /// What is wrong with it.
    pub problem: RecordProblem,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordProblem {
    /// Of another type than its column.
    #[error("expected {}, found {found}", wanted(.expected))]
    WrongType {
        /// Type of the column.
        expected: ColumnType,
        /// What came.
        found: Found,
    },
    /// The record lacks a property of the key.
    #[error("it is a key property, but the record does not have it")]
    MissingKey,
    /// A property of the key is null.
    #[error("it is a key property, but the record has null there, so that each run would load it once more")]
    NullKey,
    /// The values of the key are together longer than the target's index takes; the column is the longest of them.
    #[error("a key may have {limit} bytes at this target, found {bytes} bytes")]
    LongKey {
        /// Length of all values of the key.
        bytes: usize,
        /// The most that the target takes.
        limit: usize,
    },
    /// A string that cannot be read as what its column holds.
    #[error("expected {}, found a string that cannot be read as one", wanted(.expected))]
    Unreadable {
        /// Type of the column.
        expected: ColumnType,
    },
    /// A day or an instant that the target does not hold, or that does not exist.
    #[error("the {} does not exist or is outside the target's range", if *.expected == ColumnType::Date { "day" } else { "instant" })]
    Outside {
        /// Type of the column.
        expected: ColumnType,
    },
    /// U+0000 in text, where the policy is to fail.
    #[error("the text holds U+0000, which this target cannot store")]
    Nul,
    /// NaN or an infinity, where the column cannot hold it.
    #[error("expected {}, found {found}, and the policy `values: {{ nan: fail }}` refuses it", wanted(.expected))]
    NotFinite {
        /// Type of the column.
        expected: ColumnType,
        /// `NaN`, `Infinity` or `-Infinity`.
        found: &'static str,
    },
    /// More digits than the target takes.
    #[error("the number has more digits than this target can hold")]
    Digits,
    /// JSON nested too deep.
    #[error("the JSON is nested deeper than {limit} levels")]
    Deep {
        /// Deepest that is taken.
        limit: usize,
    },
    /// One batch cannot hold the value.
    #[error("the value is too large: a batch holds 2 GiB of one column")]
    Large,
    /// A record that was deleted, of a stream whose records are told apart by nothing.
    #[error("the record was deleted, and the stream has no key by which to find what it deletes")]
    DeleteWithoutKey,
    /// A property whose own properties are columns is no object.
    #[error("expected an object, since its properties are columns, found {found}")]
    NotNested {
        /// What came.
        found: Found,
    },
    /// It breaks a keyword of its SCHEMA other than the type that its column needs.
    #[error("it breaks `{keyword}` of its SCHEMA, and `validate_records` refuses that")]
    Invalid {
        /// The keyword.
        keyword: String,
    },
    /// The record is no object.
    #[error("the record must be an object, found {found}")]
    NotObject {
        /// What came.
        found: Found,
    },
}

/// The kind of a value, for an error text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// An integer of that many digits.
    Integer(usize),
    /// A number with a fraction or an exponent.
    Number,
    /// A string.
    String,
    /// `""`
    EmptyString,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Found {
    /// The kind of a JSON value, from its text.
    pub(crate) fn of(raw: &str) -> Self {
        let bytes = raw.as_bytes();
        match bytes.first() {
            Some(b'n') | None => Self::Null,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'"') if bytes.len() == 2 => Self::EmptyString,
            Some(b'"') => Self::String,
            Some(b'[') => Self::Array,
            Some(b'{') => Self::Object,
            Some(_) if bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-') => {
                Self::Integer(bytes.iter().filter(|byte| byte.is_ascii_digit()).count())
            }
            Some(_) => Self::Number,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Integer(1) => "an integer of 1 digit",
            Self::Integer(digits) => return write!(f, "an integer of {digits} digits"),
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number with a fraction or an exponent",
            Self::String => "a string",
            Self::EmptyString => "an empty string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

fn wanted(column_type: &ColumnType) -> &'static str {
    match column_type {
        ColumnType::Bool => "true or false",
        ColumnType::Int64 => "an integer",
        ColumnType::Numeric { .. } | ColumnType::UnboundedNumeric | ColumnType::Float64 => "a number",
        ColumnType::Text => "a string",
        ColumnType::Date => "a date like 2024-02-29",
        ColumnType::Time => "a time like 03:04:05",
        ColumnType::TimeTz => "a time like 03:04:05+01:00",
        ColumnType::Timestamp | ColumnType::TimestampTz => "a date-time like 2024-02-29T03:04:05Z",
        ColumnType::Interval => "an interval like 1 day 02:03:04",
        ColumnType::Uuid => "a UUID",
        ColumnType::Json => "a JSON value",
        ColumnType::Binary => r"bytes in hexadecimal like \xdeadbeef",
        ColumnType::Array(_) => "an array of values of its column's type",
    }
}

impl RecordError {
    /// The error's code, which `tapster explain` knows.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.problem {
            RecordProblem::WrongType { .. } => "E0220",
            RecordProblem::MissingKey | RecordProblem::NullKey => "E0221",
            RecordProblem::LongKey { .. } => "E0222",
            RecordProblem::Unreadable { .. } => "E0223",
            RecordProblem::Outside { .. } => "E0224",
            RecordProblem::Nul => "E0225",
            RecordProblem::NotFinite { .. } => "E0226",
            RecordProblem::Digits => "E0227",
            RecordProblem::Deep { .. } | RecordProblem::Large => "E0228",
            RecordProblem::NotObject { .. } | RecordProblem::NotNested { .. } => "E0229",
            RecordProblem::DeleteWithoutKey => "E0233",
            RecordProblem::Invalid { .. } => "E0234",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let column = &self.column;
        Some(match self.problem {
            RecordProblem::WrongType { .. } | RecordProblem::Unreadable { .. } => format!(
                "the tap breaks its own SCHEMA for `{column}`: correct the type there, or exclude the column"
            ),
            RecordProblem::MissingKey | RecordProblem::NullKey => {
                "set `key_properties` of the stream to properties that every record has, or to [] to append"
                    .to_owned()
            }
            RecordProblem::LongKey { .. } => {
                "take a shorter property as the key, or set `key_properties: []` to append".to_owned()
            }
            RecordProblem::Nul => {
                "say `values: { nul: replace }` of the stream, or `strip`, or exclude the column".to_owned()
            }
            RecordProblem::Outside { .. } => {
                "correct the date at its origin, or say `values: { dates: set_null }` of the stream, or `clamp`".to_owned()
            }
            RecordProblem::NotFinite { .. } => {
                "correct the value at its origin, or say `values: { nan: set_null }` of the stream".to_owned()
            }
            RecordProblem::Digits => format!("correct the value at its origin, or exclude `{column}`"),
            RecordProblem::Deep { .. } | RecordProblem::Large => format!("exclude `{column}`"),
            RecordProblem::DeleteWithoutKey => {
                "give the stream `key_properties`, or say `deletes: ignore` to load such records as any other"
                    .to_owned()
            }
            RecordProblem::Invalid { .. } => {
                "correct the value at its origin or the schema in the tap's catalog, or load without `validate_records`".to_owned()
            }
            RecordProblem::NotNested { .. } => "exclude it, or load the stream with a smaller `flatten`".into(),
            RecordProblem::NotObject { .. } => return None,
        })
    }
}
