//! The settings: what a pipeline's `target.config` may say.

use std::fmt;
use std::time::Duration;

use postgres::settings::{either, seconds, size, switch, unknown};
use postgres::{SERVER_SETTINGS, ServerSettings};
use serde_json::{Map, Value};
use target_api::Result;

use crate::error::{from_server, settings};

/// JSON Schema of the settings.
#[must_use]
pub fn settings_schema() -> &'static str {
    include_str!("settings.schema.json")
}

/// Those beside [`SERVER_SETTINGS`].
const OURS: [&str; 5] = ["default_target_schema", "schema", "lock_timeout", "max_rewrite", "direct_load"];

fn known() -> Vec<&'static str> {
    [&SERVER_SETTINGS[..], &OURS].concat()
}

/// The settings, checked.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) server: ServerSettings,
    pub(crate) default_schema: String,
    pub(crate) lock_timeout: Duration,
    pub(crate) direct_load: bool,
    /// Largest table, in bytes, that a change of a type may rewrite.
    pub(crate) max_rewrite: u64,
}

impl fmt::Display for Settings {
    /// `host:port/database as user`: all that an error says of the place.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.server.fmt(f)
    }
}

impl Settings {
    /// Reads the settings from JSON.
    pub(crate) fn parse(json: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(json)
            .map_err(|error| settings(format!("the settings of target-postgres are no JSON: {error}")))?;
        let Value::Object(given) = value else {
            return Err(settings("the settings of target-postgres must be a JSON object"));
        };
        Self::from_object(given).map_err(from_server)
    }

    fn from_object(mut given: Map<String, Value>) -> postgres::Result<Self> {
        let known = known();
        if let Some(key) = given.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(unknown(key, &known, "target-postgres"));
        }
        let server = ServerSettings::take(&mut given)?;
        for name in &server.passed_over {
            tracing::warn!("parameter `{name}` of `sqlalchemy_url` is passed over");
        }
        Ok(Self {
            server,
            default_schema: either(&given, "default_target_schema", "schema")?
                .unwrap_or_else(|| "public".to_owned()),
            lock_timeout: seconds(&given, "lock_timeout", 60)?,
            direct_load: switch(&given, "direct_load")?.unwrap_or(true),
            max_rewrite: size(&given, "max_rewrite", 1 << 30)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::settings_schema;
    use target_api::Status;

    fn parse(json: &str) -> super::Settings {
        super::Settings::parse(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    fn refusal(json: &str) -> String {
        let error = super::Settings::parse(json).err().unwrap();
        assert_eq!((error.code, &error.status), ("E0310", &Status::Config));
        format!("{} {}", error.message, error.hint.unwrap_or_default())
    }

    #[test]
    fn both_names_are_taken() {
        let settings = parse(r#"{"host":"db","user":"u","password":12,"dbname":"d","schema":"s"}"#);
        assert_eq!((settings.server.database.as_str(), settings.default_schema.as_str()), ("d", "s"));
        assert_eq!(settings.to_string(), "db:5432/d as u", "the password is never shown");
    }

    #[test]
    fn a_table_above_a_gibibyte_is_not_rewritten_unless_it_is_asked_for() {
        assert_eq!(parse(r#"{"user":"u"}"#).max_rewrite, 1024 * 1024 * 1024);
        assert_eq!(parse(r#"{"user":"u","max_rewrite":"2TiB"}"#).max_rewrite, 2 << 40);
    }

    #[test]
    fn wrong_settings_say_what_is_right() {
        assert!(refusal(r#"{"usr":"u"}"#).contains("did you mean `user`?"));
        assert!(refusal(r#"{"user":"u","port":70000}"#).contains("`70000`"));
        assert!(refusal(r#"{"user":"u","max_rewrite":"much"}"#).contains("1GiB"));
        assert!(refusal("[]").contains("object"));
        assert!(refusal(r#"{"user":"u","schema":"a","default_target_schema":"b"}"#).contains("keep one"));
    }

    #[test]
    fn the_schema_names_every_setting() {
        let schema: serde_json::Value = serde_json::from_str(settings_schema()).unwrap();
        let mut named: Vec<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut known = super::known();
        named.sort_unstable();
        known.sort_unstable();
        assert_eq!(named, known);
    }
}
