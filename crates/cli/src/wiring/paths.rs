//! Relative paths in a target's config are relative to the project folder, wherever tapster was started.

use std::path::Path;

use serde_json::Value;
use singer::Json;

/// The config with every setting that the schema marks as `"format": "path"` seen from the working folder. In the
/// project folder itself nothing changes, so that messages there keep the short names of the file.
pub(super) fn from_root(config: &str, schema: &str, root: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    if here.is_ok_and(|here| here == root) {
        return config.to_owned();
    }
    absolute(config, schema, root).unwrap_or_else(|| config.to_owned())
}

fn absolute(config: &str, schema: &str, root: &Path) -> Option<String> {
    let schema: Value = serde_json::from_str(schema).ok()?;
    let Ok(Json::Object(mut settings)) = Json::parse(config) else { return None };
    for (name, value) in &mut settings {
        let is_path = schema["properties"][name.as_str()]["format"] == "path";
        if let Json::String(text) = value
            && is_path
            && is_relative(text)
        {
            *value = Json::String(root.join(&*text).to_str()?.to_owned());
        }
    }
    Some(Json::Object(settings).to_string())
}

/// Whether the text is a path that depends on a folder: not `/srv/x`, nor `:memory:` or `md:warehouse`, nor a
/// certificate itself in the place of its file.
fn is_relative(text: &str) -> bool {
    let before_colon = text.split_once(':').map(|(before, _)| before);
    let is_special = before_colon.is_some_and(|scheme| scheme.chars().all(|c| c.is_ascii_alphanumeric()));
    let is_pem = text.contains("-----BEGIN ");
    !text.is_empty() && !is_special && !is_pem && Path::new(text).is_relative()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::absolute;
    use crate::wiring::targets::{NAMES, settings_schema};

    #[test]
    fn paths_start_at_the_project_and_other_settings_stay_digit_by_digit() {
        let rooted = |name, config| absolute(config, settings_schema(name).unwrap(), Path::new("/project"));
        for (name, config, wanted) in [
            (
                "target-duckdb",
                r#"{"path":"a.duckdb","schema":"b"}"#,
                r#"{"path":"/project/a.duckdb","schema":"b"}"#,
            ),
            (
                "target-duckdb",
                r#"{"path":"/srv/a.duckdb","threads":4}"#,
                r#"{"path":"/srv/a.duckdb","threads":4}"#,
            ),
            ("target-duckdb", r#"{"path":":memory:"}"#, r#"{"path":":memory:"}"#),
            ("target-duckdb", r#"{"path":"md:warehouse"}"#, r#"{"path":"md:warehouse"}"#),
            ("target-jsonl", r#"{"path":"../out"}"#, r#"{"path":"/project/../out"}"#),
            (
                "target-postgres",
                r#"{"host":"dwh","connect_timeout":1.50,"ssl_root_cert":"certs/ca.pem"}"#,
                r#"{"host":"dwh","connect_timeout":1.50,"ssl_root_cert":"/project/certs/ca.pem"}"#,
            ),
            (
                "target-postgres",
                r#"{"ssl_client_certificate":"-----BEGIN CERTIFICATE-----\nAA==","ssl_client_private_key":"k.pem"}"#,
                r#"{"ssl_client_certificate":"-----BEGIN CERTIFICATE-----\nAA==","ssl_client_private_key":"/project/k.pem"}"#,
            ),
        ] {
            assert_eq!(rooted(name, config).as_deref(), Some(wanted), "{name}");
        }
    }

    #[test]
    fn every_target_marks_the_settings_that_are_paths() {
        for name in NAMES {
            assert!(settings_schema(name).unwrap().contains(r#""format": "path""#), "{name}");
        }
    }
}
