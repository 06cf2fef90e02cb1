//! A SCHEMA as what its records are held against, beyond the types that their columns need.

use jsonschema::Draft;
use serde_json::Value;

/// What a SCHEMA's words say of a record. Known oddities of taps are passed over, since no record is to blame for
/// them: `multipleOf` below 1 (in binary fractions nothing is a multiple of 0.01), types that JSON Schema does not
/// have, `$schema` of another draft than the one that it is written in, and `format`, of which taps mean less than the
/// specification does (a time without a zone, a date with a blank): the column's own type decides what is a date.
///
/// # Errors
/// Where the schema is none, as JSON pointer, and by which keyword.
pub fn record_validator(schema: &str) -> Result<jsonschema::Validator, String> {
    let mut schema: Value = serde_json::from_str(schema).map_err(|_| "it is not JSON".to_owned())?;
    let draft = draft(&schema);
    if let Value::Object(members) = &mut schema {
        members.remove("$schema");
    }
    pass_over(&mut schema);
    let options = jsonschema::options().with_draft(draft).should_validate_formats(false);
    options.build(&schema).map_err(|error| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "its root".to_owned() } else { place };
        format!("{place} breaks JSON Schema's own `{}`", error.kind().keyword())
    })
}

/// The draft that a schema means: the one that it names, 4 where its exclusive bounds are booleans, else 7.
#[must_use]
pub fn draft(schema: &Value) -> Draft {
    match schema.get("$schema").and_then(Value::as_str) {
        _ if has_boolean_bounds(schema) => Draft::Draft4,
        Some(named) if named.contains("draft-04") => Draft::Draft4,
        Some(named) if named.contains("draft-06") => Draft::Draft6,
        Some(named) if named.contains("2019-09") => Draft::Draft201909,
        Some(named) if named.contains("2020-12") => Draft::Draft202012,
        _ => Draft::Draft7,
    }
}

fn has_boolean_bounds(node: &Value) -> bool {
    match node {
        Value::Object(members) => members.iter().any(|(name, value)| {
            (name.starts_with("exclusiveM") && value.is_boolean()) || has_boolean_bounds(value)
        }),
        Value::Array(items) => items.iter().any(has_boolean_bounds),
        _ => false,
    }
}

fn pass_over(node: &mut Value) {
    match node {
        Value::Object(members) => {
            members.retain(|word, value| match word.as_str() {
                "multipleOf" => value.as_f64().is_none_or(|step| step >= 1.0),
                "type" => match value {
                    Value::String(name) => is_type(name),
                    Value::Array(names) => names.iter().filter_map(Value::as_str).all(is_type),
                    _ => true,
                },
                _ => true,
            });
            members.values_mut().for_each(pass_over);
        }
        Value::Array(items) => items.iter_mut().for_each(pass_over),
        _ => {}
    }
}

fn is_type(name: &str) -> bool {
    ["null", "boolean", "integer", "number", "string", "array", "object"].contains(&name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::record_validator;

    fn takes(schema: &Value, record: &Value) -> bool {
        record_validator(&schema.to_string()).unwrap().is_valid(record)
    }

    #[test]
    fn the_bounds_of_draft_4_count_and_fractions_do_not() {
        let schema = json!({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {
            "a": {"type": "number", "minimum": 0, "exclusiveMinimum": true, "multipleOf": 1e-38}}});
        assert!(takes(&schema, &json!({"a": 0.1})));
        assert!(!takes(&schema, &json!({"a": 0})));
    }

    #[test]
    fn a_whole_number_with_a_point_is_an_integer() {
        let schema = json!({"properties": {"a": {"type": "integer"}}});
        assert!(takes(&schema, &json!({"a": 5.0})));
        assert!(!takes(&schema, &json!({"a": 5.5})));
    }

    #[test]
    fn a_format_is_left_to_the_column() {
        for draft in ["draft-04", "draft-07"] {
            let schema =
                json!({"$schema": draft, "properties": {"a": {"type": "string", "format": "date-time"}}});
            assert!(takes(&schema, &json!({"a": "2024-01-02 03:04:05"})));
            assert!(!takes(&schema, &json!({"a": 1})));
        }
    }

    #[test]
    fn a_type_that_is_none_says_nothing() {
        let schema = json!({"type": "date-time", "properties": {"type": {"type": "string", "maxLength": 2}}});
        assert!(takes(&schema, &json!({"type": "ab"})));
        assert!(!takes(&schema, &json!({"type": "abc"})));
        let nullable = json!({"properties": {"at": {"type": ["null", "date-time"]}}});
        assert!(takes(&nullable, &json!({"at": "2024-02-29"})));
    }

    #[test]
    fn what_is_no_schema_is_refused_with_its_place() {
        let refused = record_validator(r#"{"properties":{"a":{"maxLength":"2"}}}"#).unwrap_err();
        assert_eq!(refused, "/properties/a/maxLength breaks JSON Schema's own `type`");
    }
}
