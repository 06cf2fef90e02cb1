//! A config against the JSON Schema of its program's settings. Texts name settings and where they stand, never their
//! values.

use std::path::PathBuf;
use std::process::Command;

use config::Pipeline;
use jsonschema::error::{TypeKind, ValidationErrorKind};

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

/// Validates the config of the pipeline's `tap` or `target`; the first setting that breaks the schema is the error.
pub(super) fn validate(
    pipeline: &Pipeline,
    block: &'static str,
    name: &str,
    schema: &str,
) -> Result<(), Failure> {
    let program = if block == "tap" { &pipeline.tap } else { &pipeline.target };
    let place = |path: &str| place(pipeline, block, path);
    check(block, name, schema, program.config()?.as_str(), place)
}

fn check(
    block: &'static str,
    name: &str,
    schema: &str,
    config: &str,
    place: impl Fn(&str) -> String,
) -> Result<(), Failure> {
    let unreadable = |error: &dyn std::fmt::Display| CliError::NoSettings {
        name: name.to_owned(),
        reason: error.to_string(),
    };
    let schema: serde_json::Value = serde_json::from_str(schema).map_err(|error| unreadable(&error))?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| unreadable(&error))?;
    let config: serde_json::Value = serde_json::from_str(config).map_err(|error| unreadable(&error))?;
    // A misspelt name tells more than that the right one is missing.
    let is_unknown = |error: &jsonschema::ValidationError| {
        matches!(error.kind(), ValidationErrorKind::AdditionalProperties { .. })
    };
    let unknown = validator.iter_errors(&config).find(is_unknown);
    let Some(error) = unknown.or_else(|| validator.iter_errors(&config).next()) else { return Ok(()) };
    let mut path = error.instance_path().to_string();
    let (rule, hint) = broken(&error, &schema);
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        path.extend(unexpected.first().iter().flat_map(|name| ["/", name.as_str()]));
    }
    let path = dotted(&path);
    let place = place(&path);
    Err(CliError::Setting { place, block, name: name.to_owned(), path, rule, hint }.into())
}

/// A JSON pointer as people are told of it: `config.files[0].path`.
fn dotted(pointer: &str) -> String {
    let part = |part: &str| match part.parse::<usize>() {
        Ok(item) => format!("[{item}]"),
        Err(_) => format!(".{part}"),
    };
    std::iter::once("config".to_owned()).chain(pointer.split('/').skip(1).map(part)).collect()
}

/// Where a setting stands: `pipelines/app.yml:7`; else where the program is named.
fn place(pipeline: &Pipeline, block: &str, path: &str) -> String {
    let path = format!("{block}.{path}");
    let listing = pipeline.listing();
    let program = [format!("{block}.name"), format!("{block}.use")];
    let found = |wanted: &str| listing.values.iter().find(|value| value.path.starts_with(wanted));
    let found = found(&path).or_else(|| program.iter().find_map(|path| found(path)));
    found.map_or_else(|| format!("pipelines/{}.yml", pipeline.name), |value| value.place.clone())
}

/// What is wrong and what would be right, in words that hold no value.
fn broken(error: &jsonschema::ValidationError, schema: &serde_json::Value) -> (String, String) {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = schema.get("properties").and_then(serde_json::Value::as_object);
            let known: Vec<_> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            // Of a part of the settings the names are not at hand.
            let hint = if error.instance_path().to_string().is_empty() {
                format!("there are: {}", known.join(", "))
            } else {
                "look for a misspelt name".to_owned()
            };
            (format!("it has no setting `{}`", unexpected.join("`, `")), hint)
        }
        ValidationErrorKind::Required { property } => {
            (format!("it needs the setting {property}"), "add it".to_owned())
        }
        ValidationErrorKind::Enum { options } => {
            ("it is none of the words that it may be".to_owned(), format!("one of {options}"))
        }
        ValidationErrorKind::Type { kind } => {
            let wanted: Vec<String> = match kind {
                TypeKind::Single(one) => vec![one.to_string()],
                TypeKind::Multiple(several) => several.iter().map(|one| one.to_string()).collect(),
            };
            ("it is of another type".to_owned(), format!("expected {}", wanted.join(" or ")))
        }
        _ => {
            let path = error.schema_path().to_string();
            let rule = path.rsplit('/').next().unwrap_or_default().to_owned();
            (format!("it does not fit the rule `{rule}`"), "correct it there".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::failure::Failure;

    fn refused(config: &str) -> Failure {
        let schema = r#"{"type":"object","properties":{"port":{"type":"integer"},"mode":{"enum":["a","b"]}},"additionalProperties":false}"#;
        check("target", "t", schema, config, |path| format!("app.yml:7 ({path})")).unwrap_err()
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_place_and_its_value_is_not() {
        let failure = refused(r#"{"port":"hunter2"}"#);
        assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        assert!(failure.message.starts_with("app.yml:7 (config.port): "), "{failure:?}");
        assert_eq!(failure.hint.as_deref(), Some("expected integer"));
        assert_eq!(refused(r#"{"mode":"c"}"#).hint.as_deref(), Some(r#"one of ["a","b"]"#));
        let unknown = refused(r#"{"prot":1}"#);
        assert!(
            unknown.message.contains("`config.prot`") && unknown.message.contains("no setting `prot`"),
            "{unknown:?}"
        );
        assert_eq!(unknown.hint.as_deref(), Some("there are: mode, port"));
    }
}
