//! Why a value does not fit its column, and whether a wider one would do.

use super::json::MAX_DEPTH;
use crate::ColumnType;
use crate::refusal::{Found, RecordProblem};

/// The next type that holds a value which its column's type does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wider {
    Numeric,
    Timestamp,
    Text,
}

impl Wider {
    pub(crate) fn column_type(self) -> ColumnType {
        match self {
            Self::Numeric => ColumnType::UnboundedNumeric,
            Self::Timestamp => ColumnType::Timestamp,
            Self::Text => ColumnType::Text,
        }
    }
}

/// Why a value does not fit its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    Wider(Wider),
    WrongType,
    Unreadable,
    Outside,
    Nul,
    /// `NaN`, `Infinity` or `-Infinity`.
    NotFinite(&'static str),
    Digits,
    Deep,
    Large,
}

impl Misfit {
    /// What to tell of it; `None` when a wider column would do.
    pub(crate) fn problem(self, expected: &ColumnType, raw: &str) -> Option<RecordProblem> {
        let expected = expected.clone();
        Some(match self {
            Self::Wider(_) => return None,
            Self::WrongType => RecordProblem::WrongType { expected, found: Found::of(raw) },
            Self::Unreadable => RecordProblem::Unreadable { expected },
            Self::Outside => RecordProblem::Outside { expected },
            Self::Nul => RecordProblem::Nul,
            Self::NotFinite(found) => RecordProblem::NotFinite { expected, found },
            Self::Digits => RecordProblem::Digits,
            Self::Deep => RecordProblem::Deep { limit: MAX_DEPTH },
            Self::Large => RecordProblem::Large,
        })
    }
}
