//! A config against the JSON Schema of its program's settings. Texts name settings and where they stand, never their
//! values.

use std::path::PathBuf;
use std::process::Command;

use config::{Pipeline, Program, Protocol, Understood, did_you_mean};
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::{command, expected, programs, targets};
use crate::error::CliError;
use crate::failure::Failure;

/// What one of our taps publishes with `--about`.
pub(super) struct Published {
    /// The JSON Schema of its settings.
    pub(super) settings: String,
    /// What of a catalog it goes by, where it says so.
    pub(super) understood: Option<Understood>,
}

/// Asks one of our taps for it.
pub(super) fn published(name: &str) -> Result<Published, CliError> {
    let refused = |reason: String| CliError::NoSettings { name: name.to_owned(), reason };
    let beside = std::env::current_exe().map_or_else(|_| PathBuf::from(name), |own| own.with_file_name(name));
    let output = Command::new(beside).args(["--about", "--format", "json"]).output();
    let output = output.map_err(|error| refused(error.to_string()))?;
    let about: Value = serde_json::from_slice(&output.stdout).map_err(|error| refused(error.to_string()))?;
    let settings = about.get("settings").map(ToString::to_string);
    let settings = settings.ok_or_else(|| refused("it names no `settings`".into()))?;
    Ok(Published { settings, understood: about.get("catalog").map(understood) })
}

fn understood(said: &Value) -> Understood {
    let texts = |key: &str| {
        let texts = said.get(key).and_then(Value::as_array).into_iter().flatten();
        texts.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Understood {
        replication_methods: texts("replication_methods"),
        replication_key: said.get("replication_key").and_then(Value::as_bool).unwrap_or(true),
        metadata: texts("metadata"),
    }
}

/// Refuses what the file asks of the streams and our tap or target cannot honour.
pub(super) fn honoured(pipeline: &Pipeline, tap: Option<&Published>) -> Result<(), Failure> {
    if let (Program::Named(name), Some(Published { understood: Some(understood), .. })) =
        (&pipeline.tap.program, tap)
    {
        pipeline.rules.check_tap(name, understood)?;
    }
    if pipeline.tap.protocol != Protocol::Singer {
        let understood = Understood {
            replication_methods: ["INCREMENTAL", "FULL_TABLE"].map(str::to_owned).to_vec(),
            replication_key: true,
            metadata: Vec::new(),
        };
        pipeline.rules.check_tap(&command::identity(&pipeline.tap), &understood)?;
    }
    if let Program::Named(name) = &pipeline.target.program {
        pipeline.rules.check_target(name, targets::abilities(name))?;
        return Ok(pipeline.rules.check_tables()?);
    }
    Ok(pipeline.rules.check_relayed(&command::identity(&pipeline.target))?)
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

/// All that the files alone tell of the two programs: whether there are such, and whether their settings fit. What a
/// `${…}` will give is not known here, and no command of one is run.
pub(crate) fn check_as_written(pipeline: &Pipeline) -> Result<(), Failure> {
    programs::check(pipeline)?;
    honoured(pipeline, None)?;
    for (block, program) in [("tap", &pipeline.tap), ("target", &pipeline.target)] {
        let Program::Named(name) = &program.program else { continue };
        let schema = if let Some(schema) = targets::settings_schema(name) {
            load::config_schema(schema)
        } else {
            let published = published(name)?;
            honoured(pipeline, Some(&published))?;
            published.settings
        };
        let config = program.config_as_written().to_string();
        check(block, name, &schema, &config, |path| place(pipeline, block, path))?;
    }
    Ok(())
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
    let schema: Value = serde_json::from_str(schema).map_err(|error| unreadable(&error))?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| unreadable(&error))?;
    let config: Value = serde_json::from_str(config).map_err(|error| unreadable(&error))?;
    // A misspelt name tells more than that the right one is missing.
    let is_unknown = |error: &jsonschema::ValidationError| {
        matches!(error.kind(), ValidationErrorKind::AdditionalProperties { .. })
    };
    let is_known = |error: &jsonschema::ValidationError| {
        !error.instance().as_str().is_some_and(|text| text.contains("${"))
    };
    let mut unknown = validator.iter_errors(&config).filter(is_unknown);
    let mut others = validator.iter_errors(&config).filter(is_known);
    let Some(error) = unknown.next().or_else(|| others.next()) else { return Ok(()) };
    let mut path = error.instance_path().to_string();
    let (rule, hint) = broken(&error, &schema, &config);
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
fn broken(error: &jsonschema::ValidationError, schema: &Value, config: &Value) -> (String, Option<String>) {
    let pointer = error.instance_path().to_string();
    let part = expected::at(schema, &pointer);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = expected::known(schema, &pointer);
            let meant = unexpected.first().and_then(|name| did_you_mean(name, known.iter().copied()));
            let meant = meant.map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
            let hint = format!("{meant}there are: {}", known.join(", "));
            (format!("it has no setting `{}`", unexpected.join("`, `")), Some(hint))
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let about = expected::description(schema, &format!("{pointer}/{name}"));
            let about = about.map(|about| format!(": {about}")).unwrap_or_default();
            (format!("it needs the setting `{name}`"), Some(format!("add `{name}`{about}")))
        }
        kind => {
            let wanted = part.map(expected::words).filter(|words| !words.is_empty());
            let wanted = wanted.unwrap_or_else(|| format!("what the rule `{}` takes", kind.keyword()));
            let is_right_kind = !matches!(kind, ValidationErrorKind::Type { .. });
            let found = config.pointer(&pointer).map(|value| expected::found(value, is_right_kind));
            let found = found.unwrap_or_else(|| "nothing".to_owned());
            let about = expected::description(schema, &pointer).map(|about| format!("it means: {about}"));
            (format!("expected {wanted}, found {found}"), about)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::failure::Failure;

    fn refused(config: &str) -> Failure {
        let schema = r#"{"type":"object","properties":{
            "port":{"anyOf":[{"type":"integer","minimum":1,"maximum":65535},{"type":"string","pattern":"^[0-9]{1,4}$","description":"the same as a text"}],"description":"Port of the server."},
            "mode":{"enum":["a","b"]},
            "files":{"type":"array","items":{"type":"object","required":["path"],"additionalProperties":false,"properties":{
                "path":{"type":"string","description":"A file."},"delimiter":{"type":"string"}}}}
        },"additionalProperties":false}"#;
        check("target", "t", schema, config, |path| format!("app.yml:7 ({path})")).unwrap_err()
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_place_and_bounds_and_its_value_is_not() {
        for (config, kind) in [(r#"{"port":"hunter2"}"#, "text"), (r#"{"port":70001}"#, "number")] {
            let failure = refused(config);
            let told = format!("{failure:?}");
            assert!(!told.contains("hunter2") && !told.contains("70001"), "{told}");
            assert!(failure.message.starts_with("app.yml:7 (config.port): "), "{told}");
            let bounds =
                format!(": expected an integer from 1 to 65535, or the same as a text, found another {kind}");
            assert!(failure.message.ends_with(&bounds), "{told}");
            assert_eq!(failure.hint.as_deref(), Some("it means: Port of the server."));
        }
        assert!(refused(r#"{"mode":"c"}"#).message.ends_with("expected one of a, b, found another text"));
        let missing = refused(r#"{"files":[{}]}"#);
        assert!(missing.message.contains("`config.files[0]`"), "{missing:?}");
        assert_eq!(missing.hint.as_deref(), Some("add `path`: A file."));
    }

    #[test]
    fn a_misspelt_setting_is_told_with_the_one_that_is_meant_at_any_depth() {
        let top = refused(r#"{"prot":1}"#);
        assert!(
            top.message.contains("`config.prot`") && top.message.contains("no setting `prot`"),
            "{top:?}"
        );
        assert_eq!(top.hint.as_deref(), Some("did you mean `port`? there are: files, mode, port"));
        let nested = refused(r#"{"files":[{"path":"a","delimeter":";"}]}"#);
        assert!(nested.message.contains("`config.files[0].delimeter`"), "{nested:?}");
        assert_eq!(nested.hint.as_deref(), Some("did you mean `delimiter`? there are: delimiter, path"));
        assert_eq!(refused(r#"{"warehouse":1}"#).hint.as_deref(), Some("there are: files, mode, port"));
    }
}
