//! The source's specification: what its config must be.

use std::path::Path;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use tap_sdk::{TapError, log};

use crate::cache::Cache;
use crate::message::Kind;
use crate::secrets::Secrets;
use crate::source::Source;

/// The JSON Schema of the config: from the manifest, from the cache, or from the source.
///
/// # Errors
/// The source does not start or gives none, or the manifest cannot be read.
pub(crate) fn specification(
    source: &Source,
    cache: &Cache,
    manifest: Option<&Path>,
) -> Result<Value, TapError> {
    if let Some(path) = manifest {
        // What source-declarative-manifest says of itself is the same for every manifest.
        return of_manifest(path);
    }
    // As long as the program is the same one, so is what it takes.
    if let Some(kept) = cache.get().and_then(|text| serde_json::from_str(&text).ok()) {
        return Ok(kept);
    }
    let (found, exit) = source.ask("spec", Kind::Spec, None)?;
    let payload = found.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let schema = payload.and_then(|mut spec| spec.get_mut("connectionSpecification").map(Value::take));
    let schema = schema.ok_or_else(|| {
        TapError::failed(format!("asked for its `spec`, the source gave none ({exit})"))
            .with_hint("is it an Airbyte source? try it by hand with the word `spec`")
    })?;
    cache.put(&schema.to_string());
    Ok(schema)
}

fn of_manifest(path: &Path) -> Result<Value, TapError> {
    let refused = |problem: String| TapError::config(format!("the manifest {}: {problem}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let mut manifest: Value = serde_saphyr::from_str(&text).map_err(|error| refused(error.to_string()))?;
    let schema = manifest.pointer_mut("/spec/connection_specification").map(Value::take);
    if schema.is_none() {
        log::warning("the manifest has no spec.connection_specification: its config is not checked");
    }
    Ok(schema.unwrap_or(Value::Bool(true)))
}

/// Checks a config, and learns its secrets.
///
/// # Errors
/// What breaks the specification: each place as a JSON pointer, and the rule; never a value.
pub(crate) fn validate(specification: &Value, config: &str, secrets: &Secrets) -> Result<(), TapError> {
    let config: Value = serde_json::from_str(config)
        .map_err(|error| TapError::config(format!("the config is not JSON: line {}", error.line())))?;
    secrets.learn(specification, &config);
    let validator = match jsonschema::validator_for(specification) {
        Ok(validator) => validator,
        Err(error) => {
            log::warning(&format!(
                "the source's specification is no JSON Schema, so its config is not checked: {error}"
            ));
            return Ok(());
        }
    };
    let broken: Vec<ValidationError> = validator.iter_errors(&config).collect();
    if broken.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = broken.iter().map(rule).collect();
    let error =
        TapError::config(format!("the config breaks the source's specification: {}", told.join("; ")));
    let about = broken.first().and_then(|error| description(specification, error));
    Err(error.with_hint(about.unwrap_or_else(|| "mend it under `tap: { config: … }`".to_owned())))
}

/// `/port` breaks the rule `minimum`.
fn rule(error: &ValidationError) -> String {
    let pointer = error.instance_path().to_string();
    let place = if pointer.is_empty() { "it".to_owned() } else { format!("`{pointer}`") };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!("{place} lacks `{}` (rule `required`)", property.as_str().unwrap_or_default())
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("{place} has no setting `{}` (rule `additionalProperties`)", unexpected.join("`, `"))
        }
        kind => format!("{place} breaks the rule `{}`", kind.keyword()),
    }
}

/// What the specification says of the setting that is wrong.
fn description(specification: &Value, error: &ValidationError) -> Option<String> {
    let path = error.schema_path().to_string();
    let (parent, _) = path.rsplit_once('/')?;
    let mut node = specification.pointer(parent)?;
    if let ValidationErrorKind::Required { property } = error.kind() {
        node = node.get("properties")?.get(property.as_str()?)?;
    }
    let about = node.get("description")?.as_str()?;
    Some(format!("the specification says of it: {about}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tap_sdk::TapError;

    use super::validate;
    use crate::secrets::Secrets;

    #[test]
    fn what_breaks_the_specification_is_told_by_place_and_rule_and_its_value_is_not() {
        let specification = json!({
            "type": "object",
            "required": ["host", "key"],
            "additionalProperties": false,
            "properties": {
                "host": { "type": "string", "description": "Where it is." },
                "key": { "type": "string", "pattern": "^k", "airbyte_secret": true },
                "port": { "type": "integer", "minimum": 1 },
            },
        });
        let refused = |config: serde_json::Value| {
            validate(&specification, &config.to_string(), &Secrets::default()).unwrap_err()
        };
        let wrong = refused(json!({ "key": "hunter2", "port": "hunter3", "prot": "hunter4" }));
        let told = wrong.to_string();
        assert!(matches!(wrong, TapError::Config { .. }) && !told.contains("hunter"), "{told}");
        for part in [
            "it lacks `host` (rule `required`)",
            "`/key` breaks the rule `pattern`",
            "`/port` breaks the rule `type`",
            "it has no setting `prot` (rule `additionalProperties`)",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let missing = refused(json!({ "key": "k" }));
        assert_eq!(missing.hint(), Some("the specification says of it: Where it is."));
        assert!(validate(&specification, r#"{"host":"h","key":"k"}"#, &Secrets::default()).is_ok());
    }
}
