//! A config against the JSON Schema of its program's settings. Texts name settings, never their values.

use std::path::PathBuf;
use std::process::Command;

use jsonschema::error::ValidationErrorKind;

use crate::error::CliError;
use crate::failure::Failure;

/// What one of our taps publishes with `--about`.
pub(super) fn published(name: &str) -> Result<String, CliError> {
    let refused = |reason: String| CliError::NoSettings { name: name.to_owned(), reason };
    let beside = std::env::current_exe().map_or_else(|_| PathBuf::from(name), |own| own.with_file_name(name));
    let output = Command::new(beside).args(["--about", "--format", "json"]).output();
    let output = output.map_err(|error| refused(error.to_string()))?;
    let about: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| refused(error.to_string()))?;
    about.get("settings").map(ToString::to_string).ok_or_else(|| refused("it names no `settings`".into()))
}

/// Validates `config`; the first setting that breaks the schema is the error.
pub(super) fn validate(block: &'static str, name: &str, schema: &str, config: &str) -> Result<(), Failure> {
    let unreadable = |error: &dyn std::fmt::Display| CliError::NoSettings {
        name: name.to_owned(),
        reason: error.to_string(),
    };
    let schema: serde_json::Value = serde_json::from_str(schema).map_err(|error| unreadable(&error))?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| unreadable(&error))?;
    let config: serde_json::Value = serde_json::from_str(config).map_err(|error| unreadable(&error))?;
    let Some(error) = validator.iter_errors(&config).next() else { return Ok(()) };
    let path = error.instance_path().to_string();
    let rule = broken(&error);
    Err(CliError::Setting { block, name: name.to_owned(), path, rule }.into())
}

/// What is wrong, in words that hold no value.
fn broken(error: &jsonschema::ValidationError) -> String {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("it has no setting `{}`", unexpected.join("`, `"))
        }
        ValidationErrorKind::Required { property } => format!("it needs the setting {property}"),
        _ => {
            let path = error.schema_path().to_string();
            format!("it does not fit the rule `{}`", path.rsplit('/').next().unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::validate;

    #[test]
    fn a_wrong_setting_is_named_and_its_value_is_not() {
        let schema =
            r#"{"type":"object","properties":{"port":{"type":"integer"}},"additionalProperties":false}"#;
        assert!(validate("target", "t", schema, r#"{"port":5432}"#).is_ok());
        let failure = validate("target", "t", schema, r#"{"port":"hunter2"}"#).unwrap_err();
        assert!(failure.message.contains(".port") && !format!("{failure:?}").contains("hunter2"));
    }
}
