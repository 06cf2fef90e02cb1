//! The one file that names targets.

use std::sync::Arc;

use config::Abilities;
use runner::MakeTarget;
use target_api::{Target, TargetError};
use target_duckdb::DuckDbTarget;
use target_jsonl::JsonlTarget;
use target_postgres::PostgresTarget;

// What `preview` shows is what a file of JSON lines would hold.
pub(crate) use target_jsonl::lines as json_lines;

// A DuckDB file that a killed program left is opened in a child first, which is this program, too.
pub(crate) use target_duckdb::{PROBE_WORD, probe_main};

/// The names of the targets that tapster carries.
pub(crate) const NAMES: [&str; 3] = ["target-duckdb", "target-jsonl", "target-postgres"];

/// Whether tapster carries it: any other target is a program of its own.
pub(crate) fn is_own_target(name: &str) -> bool {
    NAMES.contains(&name)
}

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

/// What a target of that name can honour. Told without its config, which may be incomplete.
pub(super) fn abilities(name: &str) -> Abilities {
    let is_table = name != "target-jsonl";
    Abilities { upserts: is_table, shared_tables: is_table, grants: name == "target-postgres" }
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
    use serde_json::{Value, json};

    use super::{NAMES, abilities, location, maker, settings_schema};

    /// What only the target refuses, it refuses without a place in the file, and with the run begun.
    #[test]
    fn what_a_schema_takes_the_target_takes_too() {
        let texts = |least: &str, most: &str| vec![json!(least), json!(most)];
        let bad = |texts: &[&str]| texts.iter().map(|&text| json!(text)).collect::<Vec<Value>>();
        let seconds = ("target-postgres", ["connect_timeout", "lock_timeout"]);
        let seconds_fit =
            [texts("0.5", "86400"), vec![json!(0.001), json!(60), json!("007"), json!("")]].concat();
        let seconds_do_not =
            [bad(&["soon", "5s", "0", "0.0", "86401", "99999", "-1"]), vec![json!(0), json!(86401)]].concat();
        let mut cases: Vec<(&str, &str, Vec<Value>, Vec<Value>)> = seconds
            .1
            .iter()
            .map(|&key| (seconds.0, key, seconds_fit.clone(), seconds_do_not.clone()))
            .collect();
        let ports = [texts("1", "65535"), vec![json!(1), json!(65535), json!("05432")]].concat();
        let no_ports =
            [bad(&["54a2", "0", "65536", "70000", "-1", "5432 "]), vec![json!(0), json!(70000)]].concat();
        cases.push(("target-postgres", "port", ports, no_ports));
        let flags = [bad(&["yes", "1", "True"]), vec![json!(1)]].concat();
        cases.push(("target-postgres", "direct_load", vec![json!(true), json!("false")], flags));
        cases.push(("target-postgres", "sslmode", texts("prefer", "verify-full"), bad(&["on"])));
        let sizes = bad(&["96", "0MiB", "64MBB", "-1MiB", "", "1 TiB"]);
        cases.push(("target-duckdb", "memory_limit", texts("1KB", "64 GiB"), sizes));
        let threads = vec![json!(0), json!(65536), json!("4"), json!(1.5)];
        cases.push(("target-duckdb", "threads", vec![json!(1), json!(65535)], threads));
        cases.push(("target-duckdb", "lock_timeout", texts("250ms", "1 h"), bad(&["soon", "60", "1d", ""])));
        let numbers = bad(&["exact", "decimal", "decimal(39,0)", "decimal(0,0)", "decimal(5)"]);
        cases.push(("target-duckdb", "numbers", texts("DECIMAL(38, 38)", "Text"), numbers));
        cases.push(("target-duckdb", "path", texts("a", "b"), vec![json!(""), json!(1)]));
        cases.push(("target-jsonl", "path", texts("a", "b"), vec![json!(""), json!(1)]));
        for (name, key, fit, unfit) in cases {
            let schema: Value = serde_json::from_str(settings_schema(name).unwrap()).unwrap();
            let validator = jsonschema::validator_for(&schema).unwrap();
            let judged = |value: &Value| {
                let mut config = json!({ "user": "u" });
                if name != "target-postgres" {
                    config = json!({ "path": "p" });
                }
                config[key] = value.clone();
                let make = maker(name, config.to_string()).unwrap();
                (validator.is_valid(&config), make().is_ok())
            };
            for value in fit {
                assert_eq!(judged(&value), (true, true), "{name} {key} {value}");
            }
            for value in unfit {
                assert_eq!(judged(&value), (false, false), "{name} {key} {value}");
            }
        }
    }

    #[test]
    fn what_a_target_is_told_to_can_do_it_says_of_itself() {
        for (name, config) in NAMES.iter().zip([r#"{"path":"p"}"#, r#"{"path":"p"}"#, r#"{"user":"u"}"#]) {
            let target = maker(name, config.to_owned()).unwrap()().unwrap();
            let (can, told) = (target.capabilities(), abilities(name));
            let told = (told.upserts, told.shared_tables, told.grants);
            assert_eq!((can.upsert, can.shared_tables, can.grants), told, "{name}");
        }
    }

    #[test]
    fn a_location_is_a_file_or_a_database_and_holds_no_password() {
        assert_eq!(location("target-duckdb", r#"{"path":"a.duckdb"}"#).as_deref(), Some("a.duckdb"));
        let postgres = r#"{"host":"dwh","port":5433,"database":"d","user":"u","password":"hunter2"}"#;
        assert_eq!(location("target-postgres", postgres).as_deref(), Some("dwh:5433/d"));
        assert_eq!(location("target-jsonl", r#"{"path":"out"}"#), None);
    }
}
