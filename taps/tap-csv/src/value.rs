//! What a text can be read as. Strict, so that a type is only found where no digit of the text would be lost:
//! `007`, `+1`, ` 1` and `1,5` are texts.

/// A set of [`Kinds`] that a text belongs to, or that all texts of a column belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    /// An integer of 64 bits.
    pub(crate) const INT64: Self = Self(1);
    /// An integer of any size.
    pub(crate) const INTEGER: Self = Self(1 << 1);
    /// A JSON number.
    pub(crate) const NUMBER: Self = Self(1 << 2);
    /// `true` or `false`, in small or capital letters.
    pub(crate) const BOOLEAN: Self = Self(1 << 3);
    /// `2024-02-29`
    pub(crate) const DATE: Self = Self(1 << 4);
    /// `2024-02-29 03:04:05`, without an offset.
    pub(crate) const LOCAL: Self = Self(1 << 5);
    /// `2024-02-29T03:04:05Z`, with an offset.
    pub(crate) const ZONED: Self = Self(1 << 6);
    /// Nothing but text.
    pub(crate) const NONE: Self = Self(0);
    /// All of them.
    pub(crate) const ALL: Self = Self(0x7f);

    pub(crate) fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn any(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// All that the text can be read as.
pub(crate) fn kinds(text: &[u8]) -> Kinds {
    match text {
        [b'-' | b'0'..=b'9', ..] => {
            if matches!(text.get(4), Some(b'-')) {
                return moment(text, 6);
            }
            match number(text) {
                Number::Integer if fits_int64(text) => Kinds::INT64.any(Kinds::INTEGER).any(Kinds::NUMBER),
                Number::Integer => Kinds::INTEGER.any(Kinds::NUMBER),
                Number::Decimal => Kinds::NUMBER,
                Number::None => Kinds::NONE,
            }
        }
        [b't' | b'T' | b'f' | b'F', ..] if boolean(text).is_some() => Kinds::BOOLEAN,
        _ => Kinds::NONE,
    }
}

/// How a text stands to the number of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// Digits alone, perhaps with a minus.
    Integer,
    /// With a point or an exponent.
    Decimal,
    /// It is none.
    None,
}

/// Reads the grammar of JSON's numbers; an exponent has up to three digits.
pub(crate) fn number(text: &[u8]) -> Number {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let digits = leading_digits(unsigned);
    let starts_well = digits == 1 || (digits > 1 && !unsigned.starts_with(b"0"));
    if !starts_well {
        return Number::None;
    }
    let mut rest = unsigned.get(digits..).unwrap_or_default();
    if rest.is_empty() {
        return Number::Integer;
    }
    if let Some(fraction) = rest.strip_prefix(b".") {
        let digits = leading_digits(fraction);
        if digits == 0 {
            return Number::None;
        }
        rest = fraction.get(digits..).unwrap_or_default();
    }
    match rest {
        [] => Number::Decimal,
        [b'e' | b'E', exponent @ ..] => {
            let digits = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
            let whole = leading_digits(digits) == digits.len() && (1..=3).contains(&digits.len());
            if whole { Number::Decimal } else { Number::None }
        }
        _ => Number::None,
    }
}

fn leading_digits(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

fn fits_int64(text: &[u8]) -> bool {
    text.len() <= 18 || std::str::from_utf8(text).is_ok_and(|text| text.parse::<i64>().is_ok())
}

/// `true` and `false`, also with a capital or in capitals.
pub(crate) fn boolean(text: &[u8]) -> Option<bool> {
    match text {
        b"true" | b"True" | b"TRUE" => Some(true),
        b"false" | b"False" | b"FALSE" => Some(false),
        _ => None,
    }
}

/// A date, or a timestamp with a fraction of so many digits at most: a longer one would be rounded.
pub(crate) fn moment(text: &[u8], fraction: usize) -> Kinds {
    let Some((day, rest)) = text.split_first_chunk::<10>() else { return Kinds::NONE };
    if !is_day(day) {
        return Kinds::NONE;
    }
    let time = match rest {
        [] => return Kinds::DATE,
        [b'T' | b' ', time @ ..] => time,
        _ => return Kinds::NONE,
    };
    match zone_after_time(time, fraction) {
        Some([]) => Kinds::LOCAL,
        Some(zone) if is_zone(zone) => Kinds::ZONED,
        _ => Kinds::NONE,
    }
}

fn is_day(text: &[u8; 10]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return false };
    let (Some(century), Some(year), Some(month), Some(day)) =
        (pair(y1, y2), pair(y3, y4), pair(m1, m2), pair(d1, d2))
    else {
        return false;
    };
    let year = u32::from(century) * 100 + u32::from(year);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    year > 0 && (1..=days).contains(&day)
}

fn pair(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

/// What follows `HH:MM[:SS[.fraction]]`.
fn zone_after_time(text: &[u8], fraction: usize) -> Option<&[u8]> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return None };
    if pair(*h1, *h2)? > 23 || pair(*m1, *m2)? > 59 {
        return None;
    }
    let [b':', s1, s2, rest @ ..] = rest else { return Some(rest) };
    if pair(*s1, *s2)? > 59 {
        return None;
    }
    let Some(digits) = rest.strip_prefix(b".") else { return Some(rest) };
    let length = leading_digits(digits);
    if (1..=fraction).contains(&length) { digits.get(length..) } else { None }
}

fn is_zone(text: &[u8]) -> bool {
    let hours = |tens, ones| pair(tens, ones).is_some_and(|hours| hours <= 15);
    let minutes = |tens, ones| pair(tens, ones).is_some_and(|minutes| minutes <= 59);
    match *text {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2] => hours(h1, h2),
        [b'+' | b'-', h1, h2, m1, m2] | [b'+' | b'-', h1, h2, b':', m1, m2] => {
            hours(h1, h2) && minutes(m1, m2)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_only_where_nothing_is_lost() {
        let integer = Kinds::INTEGER.any(Kinds::NUMBER);
        let cases = [
            ("0", integer.any(Kinds::INT64)),
            ("-12", integer.any(Kinds::INT64)),
            ("9223372036854775807", integer.any(Kinds::INT64)),
            ("9223372036854775808", integer),
            ("1.10", Kinds::NUMBER),
            ("1e-38", Kinds::NUMBER),
            ("true", Kinds::BOOLEAN),
            ("FALSE", Kinds::BOOLEAN),
            ("2024-02-29", Kinds::DATE),
            ("2024-02-29 03:04", Kinds::LOCAL),
            ("2024-02-29T03:04:05.123456", Kinds::LOCAL),
            ("2013-01-01T10:00:00Z", Kinds::ZONED),
            ("2013-01-01 10:00:00.5+0530", Kinds::ZONED),
            ("2013-01-01 10:00:00-05", Kinds::ZONED),
        ];
        for (text, expected) in cases {
            assert_eq!(kinds(text.as_bytes()), expected, "{text}");
        }
        let texts = [
            "",
            "-",
            "007",
            "-01",
            "+1",
            " 1",
            "1 ",
            "1.",
            ".5",
            "1,5",
            "1e",
            "1e9999",
            "0x1F",
            "1_000",
            "NaN",
            "t",
            "yes",
            "2023-02-29",
            "2024-13-01",
            "0000-01-01",
            "2024-2-9",
            "2024-02-29 24:00",
            "2024-02-29T03:04:05.1234567",
            "2024-02-29T03:04:05 CET",
            "2024-02-29T",
            "1234-56",
        ];
        for text in texts {
            assert_eq!(kinds(text.as_bytes()), Kinds::NONE, "{text}");
        }
    }

    #[test]
    fn what_is_called_a_number_is_one_in_json() {
        for text in ["0", "-0", "-0.5e+10", "12E3", "1.10"] {
            assert_ne!(number(text.as_bytes()), Number::None, "{text}");
            assert!(serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok(), "{text}");
        }
    }
}
