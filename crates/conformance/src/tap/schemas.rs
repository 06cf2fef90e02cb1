//! Whether schemas are JSON Schema, and tables can be made of them.

use columns::{StreamName, TableOptions, draft, table_schema};
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

#[cfg(test)]
mod tests {
    use super::problems;

    #[test]
    fn a_type_that_is_none_is_found() {
        let found = problems(r#"{"properties":{"a":{"type":"date-time"}}}"#, "s");
        assert!(found[0].starts_with("/properties/a/type breaks"), "{found:?}");
        assert_eq!(problems("{}", "s"), ["the SCHEMA of stream s has no `properties`"]);
    }
}
