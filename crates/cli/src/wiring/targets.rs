//! The one file that names targets.

use std::sync::Arc;

use runner::MakeTarget;
use target_api::{Target, TargetError};
use target_duckdb::DuckDbTarget;
use target_jsonl::JsonlTarget;
use target_postgres::PostgresTarget;

// A DuckDB file that a killed program left is opened in a child first, which is this program, too.
pub(crate) use target_duckdb::{PROBE_WORD, probe_main};

/// The names of the targets that tapster carries.
pub(crate) const NAMES: [&str; 3] = ["target-duckdb", "target-jsonl", "target-postgres"];

/// How to make the target of that name; `None` when tapster carries none such.
pub(super) fn maker(name: &str, config: String) -> Option<MakeTarget> {
    let make: fn(&str) -> Result<Box<dyn Target>, TargetError> = match name {
        "target-duckdb" => |config| Ok(Box::new(DuckDbTarget::new(config, std::env::current_exe().ok())?)),
        "target-jsonl" => |config| Ok(Box::new(JsonlTarget::new(config)?)),
        "target-postgres" => |config| Ok(Box::new(PostgresTarget::new(config)?)),
        _ => return None,
    };
    Some(Arc::new(move || make(&config)))
}

/// The file or database that a target's config names: `warehouse.duckdb`, `dwh.example:5432/dwh`. None where a table's
/// place says it already.
pub(super) fn location(name: &str, config: &str) -> Option<String> {
    let config: serde_json::Value = serde_json::from_str(config).ok()?;
    let text = |key: &str| match config.get(key)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match name {
        "target-duckdb" => text("path"),
        "target-postgres" => {
            let host = text("host").unwrap_or_else(|| "the local server".to_owned());
            let port = text("port").map(|port| format!(":{port}")).unwrap_or_default();
            let database = text("database").or_else(|| text("dbname")).or_else(|| text("user"))?;
            Some(format!("{host}{port}/{database}"))
        }
        _ => None,
    }
}

/// The JSON Schema of a target's settings.
pub(crate) fn settings_schema(name: &str) -> Option<&'static str> {
    Some(match name {
        "target-duckdb" => target_duckdb::settings_schema(),
        "target-jsonl" => target_jsonl::settings_schema(),
        "target-postgres" => target_postgres::settings_schema(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::location;

    #[test]
    fn a_location_is_a_file_or_a_database_and_holds_no_password() {
        assert_eq!(location("target-duckdb", r#"{"path":"a.duckdb"}"#).as_deref(), Some("a.duckdb"));
        let postgres = r#"{"host":"dwh","port":5433,"database":"d","user":"u","password":"hunter2"}"#;
        assert_eq!(location("target-postgres", postgres).as_deref(), Some("dwh:5433/d"));
        assert_eq!(location("target-jsonl", r#"{"path":"out"}"#), None);
    }
}
