//! The settings: what a pipeline's `target.config` may say.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use target_api::{Result, TargetError};

use crate::error::settings;

/// JSON Schema of the settings.
#[must_use]
pub fn settings_schema() -> &'static str {
    include_str!("settings.schema.json")
}

const KNOWN: [&str; 1] = ["path"];

/// The settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Folder of the files.
    pub(crate) folder: PathBuf,
    /// How long to wait while another run holds the folder's lock, which is for a commit.
    pub(crate) patience: Duration,
}

impl Settings {
    /// Reads the settings from JSON.
    pub(crate) fn parse(json: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(json)
            .map_err(|error| settings(format!("the settings of target-jsonl are no JSON: {error}")))?;
        let Value::Object(given) = value else {
            return Err(settings("the settings of target-jsonl must be a JSON object"));
        };
        if let Some(key) = given.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(unknown(key));
        }
        let missing = || settings("`path` is missing: say which folder the files shall be in");
        match given.get("path") {
            Some(Value::String(path)) if path.contains('\0') => {
                Err(settings("`path` has a NUL character, which no folder's name has"))
            }
            Some(Value::String(path)) if !path.is_empty() => {
                Ok(Self { folder: PathBuf::from(path), patience: Duration::from_mins(1) })
            }
            None | Some(Value::Null | Value::String(_)) => Err(missing()),
            Some(_) => Err(settings("`path` is not a text: say which folder the files shall be in")),
        }
    }
}

fn unknown(key: &str) -> TargetError {
    settings(format!("`{key}` is no setting of target-jsonl; there is {}", KNOWN.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, Settings, settings_schema};
    use target_api::Status;

    fn refusal(json: &str) -> String {
        let error = Settings::parse(json).err().unwrap();
        assert_eq!((error.code, &error.status), ("E0380", &Status::Config));
        format!("{} {}", error.message, error.hint.unwrap_or_default())
    }

    #[test]
    fn wrong_settings_say_what_is_right() {
        assert!(refusal(r#"{"Path":"x"}"#).contains("`Path` is no setting of target-jsonl; there is path"));
        assert!(refusal(r#"{"path":["secret"]}"#).contains("not a text"));
        assert!(refusal(r#"{"path":""}"#).contains("missing"));
        assert!(refusal("{}").contains("missing"));
        assert!(refusal("[]").contains("object"));
        assert!(refusal(r#"{"path":"a\u0000b"}"#).contains("NUL"));
    }

    #[test]
    fn the_schema_names_every_setting() {
        let schema: serde_json::Value = serde_json::from_str(settings_schema()).unwrap();
        let named: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(named, KNOWN);
    }
}
