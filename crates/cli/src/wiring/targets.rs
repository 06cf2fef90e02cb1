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

/// The JSON Schema of a target's settings.
pub(crate) fn settings_schema(name: &str) -> Option<&'static str> {
    Some(match name {
        "target-duckdb" => target_duckdb::settings_schema(),
        "target-jsonl" => target_jsonl::settings_schema(),
        "target-postgres" => target_postgres::settings_schema(),
        _ => return None,
    })
}
