//! Values of settings as people and environment variables write them: numbers and booleans may be texts, an empty
//! text is none.

use serde_json::{Map, Value};

use super::ProgramError;

/// The value of a setting, taken out; null and empty texts are none.
pub(super) fn take(settings: &mut Map<String, Value>, name: &str) -> Option<Value> {
    settings.remove(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
}

/// What a text holds that is a list or an object in JSON; any other value as it is.
fn unpacked(value: Value) -> Value {
    let inside = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    inside.filter(|inside| inside.is_array() || inside.is_object()).unwrap_or(value)
}

pub(super) fn boolean(settings: &mut Map<String, Value>, name: &str) -> Result<Option<bool>, ProgramError> {
    let Some(value) = take(settings, name) else { return Ok(None) };
    as_boolean(&value).map(Some).ok_or_else(|| wrong(name, &value, "true or false"))
}

pub(super) fn text(settings: &mut Map<String, Value>, name: &str) -> Result<Option<String>, ProgramError> {
    match take(settings, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(value) => Err(wrong(name, &value, "a text")),
    }
}

/// A list of texts; one bare text is a list of it, as is a text that holds one.
pub(super) fn texts(settings: &mut Map<String, Value>, name: &str) -> Result<Vec<String>, ProgramError> {
    let Some(value) = take(settings, name).map(unpacked) else { return Ok(Vec::new()) };
    let refused = || wrong(name, &value, "a list of texts");
    match &value {
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(refused)).collect()
        }
        Value::String(text) => Ok(vec![text.clone()]),
        _ => Err(refused()),
    }
}

pub(super) fn whole(settings: &mut Map<String, Value>, name: &str) -> Result<Option<u64>, ProgramError> {
    let Some(value) = take(settings, name) else { return Ok(None) };
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    number.map(Some).ok_or_else(|| wrong(name, &value, "a whole number, not below 0"))
}

/// An object, or a text that holds one.
pub(super) fn object(
    settings: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<Map<String, Value>>, ProgramError> {
    match take(settings, name).map(unpacked) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(value) => Err(wrong(name, &value, "an object")),
    }
}

/// A list of names, a text that holds one, or one text with commas between them.
pub(super) fn names(
    settings: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<Vec<String>>, ProgramError> {
    let Some(value) = take(settings, name).map(unpacked) else { return Ok(None) };
    let names = match &value {
        Value::String(text) => Some(text.split(',').map(|name| name.trim().to_owned()).collect()),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    };
    let names: Vec<String> = names.ok_or_else(|| wrong(name, &value, "names, in a list or with commas"))?;
    Ok(Some(names.into_iter().filter(|name| !name.is_empty()).collect()))
}

/// Whether a setting says anything: not absent, false, 0, empty.
pub(super) fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => {
            !matches!(text.trim(), "" | "0" | "[]" | "{}") && as_boolean(value) != Some(false)
        }
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}

/// The value as the type that its schema names, where it is a text and no text is wanted.
pub(super) fn fitted(value: Value, kinds: &[&str]) -> Value {
    let Value::String(text) = &value else { return value };
    if kinds.contains(&"boolean")
        && let Some(boolean) = as_boolean(&value)
    {
        return Value::Bool(boolean);
    }
    let wants_number =
        (kinds.contains(&"integer") || kinds.contains(&"number")) && !kinds.contains(&"string");
    match serde_json::from_str(text.trim()) {
        Ok(number @ Value::Number(_)) if wants_number => number,
        _ => value,
    }
}

fn as_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(boolean) => Some(*boolean),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn wrong(name: &str, value: &Value, expected: &str) -> ProgramError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "another text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    ProgramError::Setting { name: name.to_owned(), found: found.to_owned(), expected: expected.to_owned() }
}
