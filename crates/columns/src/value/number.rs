//! Numbers of every column type, from the text of a JSON value.

use super::{
    Misfit, Wider,
    decimal::{Decimal, NotExact},
    text::{quoted, unescaped},
};
use crate::{NanPolicy, ValueLimits};

/// A value, or `None` for NULL.
type Put<T> = Result<Option<T>, Misfit>;

/// What is no number but may stand for one in a string.
enum NotFinite {
    Nan,
    Infinity,
    MinusInfinity,
}

impl NotFinite {
    /// As Postgres writes it.
    fn text(&self) -> &'static str {
        match self {
            Self::Nan => "NaN",
            Self::Infinity => "Infinity",
            Self::MinusInfinity => "-Infinity",
        }
    }

    fn of(text: &[u8]) -> Option<Self> {
        let (negative, name) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let infinity = name.eq_ignore_ascii_case(b"infinity") || name.eq_ignore_ascii_case(b"inf");
        match (infinity, negative) {
            (true, false) => Some(Self::Infinity),
            (true, true) => Some(Self::MinusInfinity),
            (false, _) => text.eq_ignore_ascii_case(b"nan").then_some(Self::Nan),
        }
    }
}

/// `true` and `false`, nothing else. An empty string is an empty cell of a CSV tap: NULL.
pub(crate) fn bool(raw: &str) -> Put<bool> {
    match raw {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        "\"\"" => Ok(None),
        _ => Err(Misfit::WrongType),
    }
}

/// A 64-bit integer. `1.0` and `1e3` are integers too (spreadsheets write them so); what is not is numeric.
#[inline]
pub(crate) fn int64(raw: &str, nan: NanPolicy) -> Put<i64> {
    let bytes = raw.as_bytes();
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    if digits.len() > 18 {
        return int64_slow(raw, nan);
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return int64_slow(raw, nan);
        }
        value = value * 10 + i64::from(digit);
    }
    Ok(Some(if negative { -value } else { value }))
}

#[cold]
fn int64_slow(raw: &str, nan: NanPolicy) -> Put<i64> {
    if raw == "\"\"" {
        return Ok(None);
    }
    let Some(number) = Decimal::read(raw.as_bytes()) else {
        // Python's bare NaN comes as a string, too.
        let not_finite = quoted(raw).and_then(|inside| NotFinite::of(unescaped(inside).trim_ascii()));
        return match not_finite {
            None => Err(Misfit::WrongType),
            Some(_) if nan == NanPolicy::SetNull => Ok(None),
            Some(found) => Err(Misfit::NotFinite(found.text())),
        };
    };
    number.integer().map(Some).map_err(|_| Misfit::Wider(Wider::Numeric))
}

/// A decimal of that precision and scale, as the integer that Arrow keeps of it.
pub(crate) fn numeric(raw: &str, precision: u8, scale: u8, limits: &ValueLimits) -> Put<i128> {
    let text = match quoted(raw) {
        Some(inside) => unescaped(inside),
        None => raw.as_bytes().into(),
    };
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(number) = Decimal::read(text) {
        return number.scaled(precision, scale).map(Some).map_err(|_| Misfit::Wider(Wider::Numeric));
    }
    match NotFinite::of(text) {
        None => Err(unreadable(raw)),
        Some(_) if limits.numeric_nan => Err(Misfit::Wider(Wider::Numeric)),
        Some(_) if limits.nan == NanPolicy::SetNull => Ok(None),
        Some(found) => Err(Misfit::NotFinite(found.text())),
    }
}

/// Adds a decimal's text, as Postgres writes it, to `out`; false for NULL.
#[inline]
pub(crate) fn unbounded(raw: &str, limits: &ValueLimits, out: &mut Vec<u8>) -> Result<bool, Misfit> {
    let bytes = raw.as_bytes();
    // JSON's grammar makes most numbers plain already. What begins with a minus may be a minus zero.
    let plain = bytes.first().is_some_and(u8::is_ascii_digit)
        && bytes.len() <= limits.numeric_digits.0.min(limits.numeric_digits.1)
        && bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if plain {
        out.extend_from_slice(bytes);
        return Ok(true);
    }
    unbounded_slow(raw, limits, out)
}

fn unbounded_slow(raw: &str, limits: &ValueLimits, out: &mut Vec<u8>) -> Result<bool, Misfit> {
    let text = match quoted(raw) {
        Some(inside) => unescaped(inside),
        None => raw.as_bytes().into(),
    };
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(false);
    }
    if let Some(number) = Decimal::read(text) {
        let written = number.plain(limits.numeric_digits, out);
        return written.map(|()| true).map_err(|_: NotExact| Misfit::Digits);
    }
    let name: &[u8] = match NotFinite::of(text) {
        None => return Err(unreadable(raw)),
        Some(_) if !limits.numeric_nan && limits.nan == NanPolicy::SetNull => return Ok(false),
        Some(found) if !limits.numeric_nan => return Err(Misfit::NotFinite(found.text())),
        Some(found) => found.text().as_bytes(),
    };
    out.extend_from_slice(name);
    Ok(true)
}

/// A double: the nearest to the digits. A column is one only when the tap says so outright.
pub(crate) fn float64(raw: &str) -> Put<f64> {
    let text = match quoted(raw) {
        Some(inside) => unescaped(inside),
        None => raw.as_bytes().into(),
    };
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    match NotFinite::of(text) {
        Some(NotFinite::Nan) => return Ok(Some(f64::NAN)),
        Some(NotFinite::Infinity) => return Ok(Some(f64::INFINITY)),
        Some(NotFinite::MinusInfinity) => return Ok(Some(f64::NEG_INFINITY)),
        None => {}
    }
    let value =
        Decimal::read(text).and(std::str::from_utf8(text).ok()).and_then(|text| text.parse::<f64>().ok());
    match value {
        None => Err(unreadable(raw)),
        Some(value) if value.is_finite() => Ok(Some(value)),
        Some(_) => Err(Misfit::Digits),
    }
}

/// A string that reads as nothing of the kind, or another type altogether.
pub(crate) fn unreadable(raw: &str) -> Misfit {
    if raw.starts_with('"') { Misfit::Unreadable } else { Misfit::WrongType }
}
