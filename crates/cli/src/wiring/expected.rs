//! What the JSON Schema of a program's settings wants at one place, in words. Of a value no more than its kind is told.

use serde_json::Value;

/// A longer pattern explains nothing.
const LONG_PATTERN: usize = 40;

/// The part of a schema that a value at this JSON pointer has to fit.
pub(super) fn at<'a>(schema: &'a Value, pointer: &str) -> Option<&'a Value> {
    let parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
    parts.into_iter().try_fold(schema, |part, name| {
        let part = followed(schema, part);
        let named = part.get("properties").and_then(|properties| properties.get(&name));
        let listed = name.parse::<usize>().ok().and_then(|_| part.get("items"));
        named.or(listed).or_else(|| part.get("additionalProperties").filter(|other| other.is_object()))
    })
}

/// What a `$ref` into the same schema stands for.
fn followed<'a>(schema: &'a Value, part: &'a Value) -> &'a Value {
    let reference = part.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
    reference.and_then(|pointer| schema.pointer(pointer)).unwrap_or(part)
}

/// What the setting is for, in its author's words; of a member without any, what its map or list is for.
pub(super) fn description<'a>(schema: &'a Value, pointer: &str) -> Option<&'a str> {
    let above = pointer.rsplit_once('/').map(|(above, _)| above);
    let described = |pointer| at(schema, pointer).and_then(|part| text(part, "description"));
    described(pointer).or_else(|| described(above?))
}

/// The names of the settings that a map there may have.
pub(super) fn known<'a>(schema: &'a Value, pointer: &str) -> Vec<&'a str> {
    let part = at(schema, pointer).map(|part| followed(schema, part));
    let properties = part.and_then(|part| part.get("properties")).and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// `an integer from 1 to 65535`, `one of disable, require`.
pub(super) fn words(part: &Value) -> String {
    if let Some(alternatives) = part.get("anyOf").and_then(Value::as_array) {
        // In an alternative the description says what it is and not what the setting is for.
        let described = |one: &Value| text(one, "description").map_or_else(|| words(one), str::to_owned);
        return alternatives.iter().map(described).collect::<Vec<_>>().join(", or ");
    }
    if let Some(options) = part.get("enum").and_then(Value::as_array) {
        let option = |option: &Value| option.as_str().map_or_else(|| option.to_string(), str::to_owned);
        return format!("one of {}", options.iter().map(option).collect::<Vec<_>>().join(", "));
    }
    let kinds: Vec<&str> = match part.get("type") {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        one => one.and_then(Value::as_str).into_iter().collect(),
    };
    kinds.iter().map(|kind| of_kind(kind, part)).collect::<Vec<_>>().join(" or ")
}

fn of_kind(kind: &str, part: &Value) -> String {
    let bound = |key: &str| part.get(key).filter(|bound| bound.is_number());
    match kind {
        "integer" | "number" => {
            let number = if kind == "integer" { "an integer" } else { "a number" };
            match (bound("minimum"), bound("maximum")) {
                (Some(least), Some(most)) => format!("{number} from {least} to {most}"),
                (Some(least), None) => format!("{number} of {least} or more"),
                (None, Some(most)) => format!("{number} of {most} or less"),
                (None, None) => number.to_owned(),
            }
        }
        "string" => match (part.pointer("/examples/0").and_then(Value::as_str), text(part, "pattern")) {
            (Some(example), _) => format!("a text such as `{example}`"),
            (None, Some(pattern)) if pattern.len() <= LONG_PATTERN => format!("a text like {pattern}"),
            (None, Some(_)) => "a text of a certain form".to_owned(),
            (None, None) if bound("minLength").is_some() => "a text that is not empty".to_owned(),
            (None, None) => "a text".to_owned(),
        },
        "boolean" => "true or false".to_owned(),
        "array" if bound("minItems").is_some() => "a list that is not empty".to_owned(),
        "array" => "a list".to_owned(),
        "object" => "a map".to_owned(),
        other => other.to_owned(),
    }
}

fn text<'a>(part: &'a Value, key: &str) -> Option<&'a str> {
    part.get(key).and_then(Value::as_str)
}

/// What a value is, without the value; `another` of its kind where the kind is right.
pub(super) fn found(value: &Value, is_right_kind: bool) -> String {
    let kind = match value {
        Value::Null => return "null".to_owned(),
        Value::Bool(_) => return "true or false".to_owned(),
        Value::String(text) if text.is_empty() => return "an empty text".to_owned(),
        Value::Array(items) if items.is_empty() => return "an empty list".to_owned(),
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    };
    format!("{} {kind}", if is_right_kind { "another" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::{at, description, known, words};
    use serde_json::json;

    #[test]
    fn a_place_is_found_through_lists_maps_and_references() {
        let schema = json!({
            "properties": {
                "files": { "items": { "$ref": "#/$defs/file" } },
                "a/b": { "type": "integer" },
            },
            "$defs": { "file": { "properties": {
                "path": { "type": "string" },
                "columns": { "description": "Types.", "additionalProperties": { "type": "boolean" } },
            } } },
        });
        assert_eq!(at(&schema, "/files/0/path"), Some(&json!({ "type": "string" })));
        assert_eq!(at(&schema, "/files/3/columns/x"), Some(&json!({ "type": "boolean" })));
        assert_eq!(at(&schema, "/a~1b"), Some(&json!({ "type": "integer" })));
        assert_eq!(at(&schema, "/files/0/nowhere"), None);
        assert_eq!(description(&schema, "/files/0/columns/x"), Some("Types."));
        assert_eq!(description(&schema, "/files/0/path"), None);
        assert_eq!(known(&schema, "/files/0"), ["columns", "path"]);
        assert_eq!(known(&schema, ""), ["a/b", "files"]);
    }

    #[test]
    fn what_is_wanted_is_told_in_words() {
        for (schema, told) in [
            (json!({ "type": "integer", "minimum": 1, "maximum": 65535 }), "an integer from 1 to 65535"),
            (json!({ "type": "number", "minimum": 0.5 }), "a number of 0.5 or more"),
            (json!({ "type": "integer", "maximum": 9 }), "an integer of 9 or less"),
            (json!({ "type": ["string", "null"] }), "a text or null"),
            (json!({ "type": "string", "pattern": "^x$", "examples": ["60s"] }), "a text such as `60s`"),
            (json!({ "type": "string", "pattern": "^x$" }), "a text like ^x$"),
            (json!({ "type": "string", "pattern": "a|".repeat(30) }), "a text of a certain form"),
            (json!({ "type": "array", "minItems": 1 }), "a list that is not empty"),
            (json!({ "enum": ["a", true] }), "one of a, true"),
            (
                json!({ "anyOf": [{ "type": "boolean" }, { "enum": ["true"], "description": "the same as a text" }] }),
                "true or false, or the same as a text",
            ),
        ] {
            assert_eq!(words(&schema), told);
        }
    }
}
