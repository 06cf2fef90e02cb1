//! Numbers with all of their digits. What JSON has no number for, is a string.

use std::io::Write as _;

/// A number of at most 38 digits, `scale` of them behind the point.
pub(super) fn decimal(value: i128, scale: u8, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    let scale = usize::from(scale);
    if scale == 0 {
        out.extend_from_slice(digits);
        return;
    }
    let (whole, part) = digits.split_at(digits.len().saturating_sub(scale));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    out.push(b'.');
    out.extend(std::iter::repeat_n(b'0', scale - part.len()));
    out.extend_from_slice(part);
}

/// A number that is text already; `NaN` and the infinities are strings.
pub(super) fn written(value: &str, out: &mut Vec<u8>) {
    if is_json_number(value.as_bytes()) {
        out.extend_from_slice(value.as_bytes());
    } else {
        super::text(value, out);
    }
}

/// The shortest digits that give the same double; `NaN` and the infinities are strings.
pub(super) fn double(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        let _ = serde_json::to_writer(out, &value);
        return;
    }
    let name = match (value.is_nan(), value.is_sign_negative()) {
        (true, _) => "NaN",
        (false, true) => "-Infinity",
        (false, false) => "Infinity",
    };
    let _ = write!(out, "\"{name}\"");
}

/// RFC 8259, section 6.
fn is_json_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = digits(text);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with(b"0")) {
        return false;
    }
    let rest = match rest.strip_prefix(b".").map(digits) {
        None => rest,
        Some(([], _)) => return false,
        Some((_, rest)) => rest,
    };
    match rest {
        [] => true,
        [b'e' | b'E', rest @ ..] => {
            let rest = rest.strip_prefix(b"-").or_else(|| rest.strip_prefix(b"+")).unwrap_or(rest);
            !rest.is_empty() && digits(rest).1.is_empty()
        }
        _ => false,
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at_checked(count).unwrap_or((text, &[]))
}

#[cfg(test)]
mod tests {
    use super::{decimal, double, written};

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals_keep_their_scale() {
        let most = 10_i128.pow(38) - 1;
        for (value, scale, expected) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (150, 2, "1.50"),
            (-5, 3, "-0.005"),
            (-most, 0, "-99999999999999999999999999999999999999"),
            (most, 38, "0.99999999999999999999999999999999999999"),
        ] {
            assert_eq!(text(|out| decimal(value, scale, out)), expected);
        }
    }

    #[test]
    fn numbers_keep_every_digit_and_the_rest_is_quoted() {
        for number in ["0", "-0", "12345678901234567890.12345678901234567890", "1e400", "1.5E-7", "-0.10"] {
            assert_eq!(text(|out| written(number, out)), number);
        }
        for other in ["NaN", "-Infinity", "", "-", "007", "+1", ".5", "5.", "1e", "1e+", "1 ", "0x1", "1,2"] {
            assert_eq!(text(|out| written(other, out)), format!("\"{other}\""));
        }
    }

    #[test]
    fn doubles_come_back() {
        for value in [0.1, -1.5, 5e-324, f64::MAX, 1e21, 123_456_789.123_456_79] {
            assert_eq!(text(|out| double(value, out)).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
        assert_eq!(text(|out| double(f64::NEG_INFINITY, out)), "\"-Infinity\"");
        assert_eq!(text(|out| double(f64::NAN, out)), "\"NaN\"");
    }
}
