//! One setting at a time, from the JSON of a config.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{Error, Result};

/// A text; numbers are taken as they are written, empty and null as absent.
///
/// # Errors
/// [`ErrorKind::Settings`](crate::ErrorKind::Settings) when it is something else.
pub fn text(given: &Map<String, Value>, key: &str) -> Result<Option<String>> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(Error::settings(format!("`{key}` is {}: expected a text", kind(other)))),
    }
}

/// One setting that has two names.
///
/// # Errors
/// [`ErrorKind::Settings`](crate::ErrorKind::Settings) when they differ, or are something else.
pub fn either(given: &Map<String, Value>, name: &str, alias: &str) -> Result<Option<String>> {
    match (text(given, name)?, text(given, alias)?) {
        (Some(one), Some(other)) if one != other => {
            Err(Error::settings(format!("`{name}` and `{alias}` are one setting, and they differ: keep one")))
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// A time, written in seconds.
///
/// # Errors
/// [`ErrorKind::Settings`](crate::ErrorKind::Settings) when it is something else.
pub fn seconds(given: &Map<String, Value>, key: &str, default: u64) -> Result<Duration> {
    let Some(written) = text(given, key)? else { return Ok(Duration::from_secs(default)) };
    let seconds = written.parse::<f64>().ok().filter(|seconds| (0.001..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| {
        Error::settings(format!("`{key}` is `{written}`: expected seconds, more than 0 and at most 86400"))
    })
}

/// Bytes, written with their unit.
///
/// # Errors
/// [`ErrorKind::Settings`](crate::ErrorKind::Settings) when it is something else.
pub fn size(given: &Map<String, Value>, key: &str, default: u64) -> Result<u64> {
    let Some(written) = text(given, key)? else { return Ok(default) };
    let digits = written.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(written.len());
    let (number, unit) = written.split_at(digits);
    let unit: Option<u64> = match unit {
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1 << 40),
        _ => None,
    };
    let size = unit.and_then(|unit| number.parse::<u64>().ok()?.checked_mul(unit));
    size.ok_or_else(|| {
        Error::settings(format!("`{key}` is `{written}`: expected a size such as 512MiB or 1GiB"))
    })
}

/// True or false, if it is given.
///
/// # Errors
/// [`ErrorKind::Settings`](crate::ErrorKind::Settings) when it is something else.
pub fn switch(given: &Map<String, Value>, key: &str) -> Result<Option<bool>> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(Value::String(text)) if text == "true" => Ok(Some(true)),
        Some(Value::String(text)) if text == "false" => Ok(Some(false)),
        Some(other) => Err(Error::settings(format!("`{key}` is {}: expected true or false", kind(other)))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The error of a setting that is none of `program`'s.
#[must_use]
pub fn unknown(key: &str, known: &[&str], program: &str) -> Error {
    let near = known.iter().map(|known| (strsim::osa_distance(&key.to_lowercase(), known), known));
    let nearest = near.min().filter(|(distance, known)| *distance <= 1 + known.len() / 3);
    let error =
        Error::settings(format!("`{key}` is no setting of {program}; there are {}", known.join(", ")));
    match nearest {
        Some((_, known)) => error.with_hint(format!("did you mean `{known}`?")),
        None => error,
    }
}
