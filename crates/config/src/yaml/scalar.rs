//! What a plain (unquoted) scalar is.

use super::{Value, YamlFault};

/// YAML 1.2's core schema, with numbers narrowed to those that JSON has and every reader keeps.
///
/// # Errors
/// What looks like a number to some reader of YAML and is none of JSON's.
pub(super) fn classify(text: &str) -> Result<Value, YamlFault> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let refused = |reason| Err(YamlFault::Number { found: text.to_owned(), reason });
    match number(text) {
        None => Ok(Value::Text(text.to_owned())),
        Some(Number::Json) => Ok(Value::Number(text.to_owned())),
        Some(Number::Shortened) => refused("a reader would drop the last zero"),
        Some(Number::NotJson(reason)) => refused(reason),
    }
}

enum Number {
    Json,
    Shortened,
    NotJson(&'static str),
}

/// `None` when nobody takes it for a number.
fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if [".inf", ".nan"].contains(&lower.as_str()) {
        return Some(Number::NotJson("JSON has neither infinity nor NaN"));
    }
    let radix = |prefix: &str, digits: &str| {
        let rest = lower.strip_prefix(prefix).unwrap_or_default();
        !rest.is_empty() && rest.chars().all(|c| digits.contains(c) || c == '_')
    };
    if radix("0x", "0123456789abcdef") || radix("0o", "01234567") || radix("0b", "01") {
        return Some(Number::NotJson("JSON knows decimal digits alone"));
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let plain = lower.replace('_', "");
    let (mantissa, exponent) = plain.split_once('e').map_or((plain.as_str(), None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let exponent_is_number = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let some_digit = !whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty());
    if !(digits(whole) && fraction.is_none_or(digits) && some_digit && exponent_is_number) {
        return None;
    }
    Some(if unsigned.contains('_') {
        Number::NotJson("some readers drop the `_`")
    } else if text.starts_with('+') {
        Number::NotJson("JSON has no leading +")
    } else if whole.len() > 1 && whole.starts_with('0') {
        Number::NotJson("a leading zero is dropped, or makes it octal")
    } else if whole.is_empty() || fraction == Some("") {
        Number::NotJson("JSON wants digits on both sides of the point")
    } else if fraction.is_some_and(|fraction| fraction.len() > 1 && fraction.ends_with('0')) {
        Number::Shortened
    } else {
        Number::Json
    })
}

#[cfg(test)]
mod tests {
    use super::{Value, classify};

    #[test]
    fn numbers_of_json_keep_their_digits() {
        for text in ["0", "-1", "12345678901234567890123", "1.5", "1.0", "-0.25", "1e-38", "6.02E+23"] {
            assert!(matches!(classify(text).unwrap(), Value::Number(digits) if digits == text), "{text}");
        }
    }

    #[test]
    fn what_a_reader_would_change_is_refused() {
        for text in [
            "0123", "-007", "1_000", "0x1F", "0o17", "0b101", "1.10", "2.500e3", "+49", ".5", "5.", ".inf",
            "-.INF", ".nan", "1_0.5",
        ] {
            assert!(classify(text).is_err(), "{text}");
        }
    }

    #[test]
    fn texts_and_words_of_yaml_1_1_are_texts() {
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "2024-01-01",
            "1.2.3",
            "10.0.0.1",
            "12:30",
            "1h",
            "64MiB",
            "1e",
            "-",
            ".",
            "...x",
            "0xg",
            "a_1",
            "e5",
        ] {
            assert!(matches!(classify(text).unwrap(), Value::Text(_)), "{text}");
        }
    }

    #[test]
    fn booleans_and_nulls_are_those_of_the_core_schema() {
        assert!(matches!(classify("true").unwrap(), Value::Bool(true)));
        assert!(matches!(classify("FALSE").unwrap(), Value::Bool(false)));
        assert!(matches!(classify("~").unwrap(), Value::Null));
    }
}
