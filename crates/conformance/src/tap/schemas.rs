//! Whether schemas are JSON Schema, and tables can be made of them.

use columns::{StreamName, TableOptions, table_schema};
use jsonschema::Draft;
use serde_json::Value;
use singer::{Catalog, JsonSchema};

use super::hearing::Hearing;
use super::rules::SCHEMAS;
use crate::Check;
use crate::report::Findings;

/// Those of the catalog and those that came.
pub(super) fn check(catalog: Option<&Catalog>, hearing: &Hearing) -> Check {
    let mut findings = Findings::default();
    let mut count = 0;
    for stream in catalog.into_iter().flat_map(Catalog::selected_streams) {
        count += 1;
        let id = &stream.tap_stream_id;
        for problem in problems(&stream.schema.to_string(), id) {
            findings.add(format!("catalog, stream {id}: {problem}"));
        }
    }
    for problem in hearing.schema_problems() {
        findings.add(problem);
    }
    count += hearing.schemas;
    if count == 0 {
        return SCHEMAS.skipped("no schema came");
    }
    SCHEMAS.judged(&findings, format!("{count} are JSON Schema that tables can be made of"))
}

/// What is wrong with a schema.
pub(super) fn problems(text: &str, stream: &str) -> Vec<String> {
    let schema: Value = match serde_json::from_str(text) {
        Ok(schema) => schema,
        Err(error) => return vec![format!("not JSON at column {}", error.column())],
    };
    if let Err(error) = meta(&schema) {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "its root".to_owned() } else { place };
        return vec![format!("{place} breaks JSON Schema's own `{}`", error.kind().keyword())];
    }
    let read = match JsonSchema::parse(text) {
        Ok(read) => read,
        Err(error) => return vec![error.to_string()],
    };
    let options = TableOptions { metadata: false, versioned: false, deleted_at: false, include: &|_| true };
    let table = table_schema(&StreamName::from(stream), &read, &[], &options);
    table.err().map(|refused| refused.to_string()).into_iter().collect()
}

/// The draft that a schema means: the one that it names, 4 where its exclusive bounds are booleans, else 7.
fn draft(schema: &Value) -> Draft {
    match schema.get("$schema").and_then(Value::as_str) {
        _ if has_boolean_bounds(schema) => Draft::Draft4,
        Some(named) if named.contains("draft-04") => Draft::Draft4,
        Some(named) if named.contains("draft-06") => Draft::Draft6,
        Some(named) if named.contains("2019-09") => Draft::Draft201909,
        Some(named) if named.contains("2020-12") => Draft::Draft202012,
        _ => Draft::Draft7,
    }
}

/// Holds a schema against the schema of schemas.
fn meta(schema: &Value) -> Result<(), jsonschema::ValidationError<'_>> {
    match draft(schema) {
        Draft::Draft4 => jsonschema::draft4::meta::validate(schema),
        Draft::Draft6 => jsonschema::draft6::meta::validate(schema),
        Draft::Draft201909 => jsonschema::draft201909::meta::validate(schema),
        Draft::Draft202012 => jsonschema::draft202012::meta::validate(schema),
        _ => jsonschema::draft7::meta::validate(schema),
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

/// What records are held against. `multipleOf` below 1 is left out: in binary fractions nothing is a multiple of 0.01.
pub(super) fn validator(text: &str) -> Option<jsonschema::Validator> {
    let mut schema: Value = serde_json::from_str(text).ok()?;
    let draft = draft(&schema);
    if let Value::Object(members) = &mut schema {
        // It may name a draft other than the one that it is written in.
        members.remove("$schema");
    }
    drop_fractions(&mut schema);
    jsonschema::options().with_draft(draft).build(&schema).ok()
}

fn drop_fractions(node: &mut Value) {
    match node {
        Value::Object(members) => {
            members
                .retain(|name, value| name != "multipleOf" || value.as_f64().is_none_or(|step| step >= 1.0));
            members.values_mut().for_each(drop_fractions);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_fractions),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{problems, validator};

    #[test]
    fn the_bounds_of_draft_4_count_and_fractions_do_not() {
        let schema = r#"{"properties":{"a":{"type":"number","minimum":0,"exclusiveMinimum":true,"multipleOf":1e-38}}}"#;
        assert_eq!(problems(schema, "s"), Vec::<String>::new());
        let validator = validator(schema).expect("a schema");
        assert!(validator.is_valid(&serde_json::json!({ "a": 0.1 })));
        assert!(!validator.is_valid(&serde_json::json!({ "a": 0 })));
    }

    #[test]
    fn a_type_that_is_none_is_found() {
        let found = problems(r#"{"properties":{"a":{"type":"date-time"}}}"#, "s");
        assert!(found[0].starts_with("/properties/a/type breaks"), "{found:?}");
        assert_eq!(problems("{}", "s"), ["the SCHEMA of stream s has no `properties`"]);
    }
}
