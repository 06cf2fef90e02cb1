//! What a target's values may be, as plain data. The builder applies it, so targets need not look again.

/// What to do with U+0000 in text and in JSON strings and names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NulPolicy {
    /// The target can hold it.
    Keep,
    /// Becomes U+FFFD.
    #[default]
    Replace,
    /// Goes away.
    Strip,
    /// The record is refused.
    Fail,
}

/// What to do with a day or an instant outside the target's range, or one that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DatePolicy {
    /// The record is refused.
    #[default]
    Fail,
    /// The value becomes NULL.
    SetNull,
    /// The value becomes the nearest that the target holds.
    Clamp,
}

/// What to do with `NaN` and the infinities in a column that cannot hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NanPolicy {
    /// The record is refused.
    #[default]
    Fail,
    /// The value becomes NULL.
    SetNull,
}

/// What a pipeline says about values that cannot be held, instead of what the target does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ValuePolicies {
    /// U+0000 in text.
    pub nul: Option<NulPolicy>,
    /// Days and instants that do not exist or are out of range.
    pub dates: Option<DatePolicy>,
    /// `NaN` and the infinities, where a column cannot hold them.
    pub nan: Option<NanPolicy>,
}

impl ValuePolicies {
    /// A target's limits with these policies.
    #[must_use]
    pub fn over(self, limits: &ValueLimits) -> ValueLimits {
        ValueLimits {
            nul: self.nul.unwrap_or(limits.nul),
            dates: self.dates.unwrap_or(limits.dates),
            nan: self.nan.unwrap_or(limits.nan),
            ..limits.clone()
        }
    }
}

/// The values that a target can hold, and what to do with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueLimits {
    /// U+0000 in text.
    pub nul: NulPolicy,
    /// Whether the JSON type refuses what JSON's grammar allows: `\u0000` and lone surrogates.
    pub strict_json: bool,
    /// Most bytes of all values of a key together, where an index limits them.
    pub key_bytes: Option<usize>,
    /// First and last day that a date may be, in days since 1970-01-01.
    pub days: (i32, i32),
    /// First and last instant, in microseconds since 1970-01-01T00:00:00Z.
    pub instants: (i64, i64),
    /// Days and instants outside.
    pub dates: DatePolicy,
    /// Whether unbounded numerics hold `NaN` and the infinities.
    pub numeric_nan: bool,
    /// Those, where they cannot be held.
    pub nan: NanPolicy,
    /// Most digits before and behind the point of an unbounded numeric.
    pub numeric_digits: (usize, usize),
}

impl Default for ValueLimits {
    /// No limit but those of Arrow's own types.
    fn default() -> Self {
        Self {
            nul: NulPolicy::Keep,
            strict_json: false,
            key_bytes: None,
            days: (i32::MIN, i32::MAX),
            instants: (i64::MIN, i64::MAX),
            dates: DatePolicy::Fail,
            numeric_nan: true,
            nan: NanPolicy::Fail,
            numeric_digits: (usize::MAX, usize::MAX),
        }
    }
}
