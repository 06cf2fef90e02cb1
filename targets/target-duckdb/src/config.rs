//! The target's settings.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use target_api::{ColumnType, Status, TargetError};

use crate::error;

const KEYS: [&str; 7] =
    ["path", "default_target_schema", "schema", "memory_limit", "threads", "lock_timeout", "numbers"];

/// What `unbounded numeric` columns are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// DOUBLE while every number's text survives it, then VARCHAR.
    Exact,
    /// `DECIMAL(precision, scale)`; a number that does not fit is refused.
    Decimal { precision: u8, scale: u8 },
    /// VARCHAR from the start.
    Text,
}

/// The settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// The DuckDB file.
    pub path: PathBuf,
    /// Schema of tables whose name says none.
    pub default_target_schema: String,
    /// Bytes that DuckDB may hold in memory.
    pub memory_limit: u64,
    /// DuckDB's threads.
    pub threads: u16,
    /// How long somebody else's lock is waited for.
    pub lock_timeout: Duration,
    /// What unbounded numerics become.
    pub numbers: Numbers,
}

impl Config {
    /// Reads the settings from a JSON object.
    pub(crate) fn parse(json: &str) -> Result<Self, TargetError> {
        let settings: Map<String, Value> = serde_json::from_str(json)
            .map_err(|error| wrong(format!("its config is not a JSON object: {error}")))?;
        if let Some(unknown) = settings.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(unknown_key(unknown));
        }
        let schema = text(&settings, "default_target_schema")?.or(text(&settings, "schema")?);
        let path = text(&settings, "path")?.filter(|path| !path.is_empty());
        Ok(Self {
            path: path.ok_or_else(|| wrong("`path`, the DuckDB file, is missing"))?.into(),
            default_target_schema: schema.filter(|name| !name.is_empty()).unwrap_or("main").to_owned(),
            memory_limit: text(&settings, "memory_limit")?.map_or(Ok(96 << 20), bytes)?,
            threads: threads(&settings)?,
            lock_timeout: text(&settings, "lock_timeout")?.map_or(Ok(Duration::from_mins(1)), duration)?,
            numbers: text(&settings, "numbers")?.map_or(Ok(Numbers::Exact), numbers)?,
        })
    }
}

/// The settings as a JSON Schema, for editors and `tapster schema`.
pub(crate) const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["path"],
  "properties": {
    "path": {"type": "string", "minLength": 1, "format": "path", "description": "the DuckDB file; made when it is not there, its folder is not"},
    "default_target_schema": {"type": "string", "default": "main", "description": "schema of tables whose stream names none"},
    "schema": {"type": "string", "description": "another name of default_target_schema"},
    "memory_limit": {"type": "string", "pattern": "^0*[1-9][0-9]{0,9} *(KiB|MiB|GiB|KB|MB|GB)$", "examples": ["96MiB"], "default": "96MiB", "description": "memory of DuckDB; more makes large merges faster"},
    "threads": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 1, "description": "threads of DuckDB; each takes memory"},
    "lock_timeout": {"type": "string", "pattern": "^[0-9]{1,12} *(ms|s|m|h)$", "examples": ["60s"], "default": "60s", "description": "how long to wait while another program holds the file"},
    "numbers": {"type": "string", "pattern": "^([Tt]ext|TEXT|([Dd]ecimal|DECIMAL|[Nn]umeric|NUMERIC)\\( *0*([1-9]|[12][0-9]|3[0-8]) *, *0*([0-9]|[12][0-9]|3[0-8]) *\\))$", "examples": ["decimal(18,3)"], "description": "numbers without bounds: `decimal(p,s)` or `text`; without it DOUBLE while every number survives that exactly, else VARCHAR"}
  }
}"#;

fn wrong(message: impl std::fmt::Display) -> TargetError {
    TargetError::new(error::CONFIG, Status::Config, format!("target-duckdb: {message}"))
}

fn unknown_key(key: &str) -> TargetError {
    let near = KEYS.iter().map(|known| (distance(key, known), known)).min();
    let hint = match near {
        Some((distance, known)) if distance <= known.len() / 2 => format!("did you mean `{known}`?"),
        _ => format!("its settings are {}", KEYS.join(", ")),
    };
    wrong(format!("`{key}` is not one of its settings")).with_hint(hint)
}

fn text<'a>(settings: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, TargetError> {
    match settings.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(format!("`{key}` must be a text"))),
    }
}

fn threads(settings: &Map<String, Value>) -> Result<u16, TargetError> {
    let Some(value) = settings.get("threads").filter(|value| !value.is_null()) else { return Ok(1) };
    let threads = value.as_u64().and_then(|threads| u16::try_from(threads).ok());
    threads.filter(|threads| *threads > 0).ok_or_else(|| wrong("`threads` must be a number from 1 to 65535"))
}

fn bytes(text: &str) -> Result<u64, TargetError> {
    let (number, unit) = split_unit(text);
    let unit = match unit {
        "KiB" => 1_u64 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => 0,
    };
    let size = number.and_then(|number| number.checked_mul(unit)).filter(|size| *size > 0);
    size.ok_or_else(|| wrong("`memory_limit` must be a size like `96MiB` or `2GiB`"))
}

fn duration(text: &str) -> Result<Duration, TargetError> {
    let (number, unit) = split_unit(text);
    let unit = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let length = number.zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    length.map(Duration::from_millis).ok_or_else(|| wrong("`lock_timeout` must be a duration like `60s`"))
}

/// A number and what follows it.
fn split_unit(text: &str) -> (Option<u64>, &str) {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    (number.parse().ok(), unit.trim())
}

fn numbers(text: &str) -> Result<Numbers, TargetError> {
    let lower = text.to_ascii_lowercase();
    if lower == "text" {
        return Ok(Numbers::Text);
    }
    // The vocabulary's own parser checks precision and scale.
    match lower.replacen("decimal", "numeric", 1).parse() {
        Ok(ColumnType::Numeric { precision, scale }) => Ok(Numbers::Decimal { precision, scale }),
        _ => Err(wrong("`numbers` must be `text` or `decimal(p,s)` with p up to 38")),
    }
}

/// How many letters must change to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, other) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or_default();
            let best = (diagonal + usize::from(letter != *other)).min(above + 1).min(left + 1);
            if let Some(cell) = row.get_mut(j) {
                *cell = left;
            }
            diagonal = above;
            left = best;
        }
        if let Some(cell) = row.last_mut() {
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Config, Numbers, SCHEMA, distance};
    use std::time::Duration;

    #[test]
    fn defaults_and_every_setting() {
        let config = Config::parse(r#"{"path":"a.duckdb"}"#).unwrap();
        assert_eq!(
            (config.default_target_schema.as_str(), config.memory_limit, config.threads),
            ("main", 96 << 20, 1)
        );
        let config = Config::parse(
            r#"{"path":"a","schema":"raw","memory_limit":"2GiB","threads":4,"lock_timeout":"250ms","numbers":"DECIMAL(20,4)"}"#,
        )
        .unwrap();
        assert_eq!(config.lock_timeout, Duration::from_millis(250));
        assert_eq!(config.numbers, Numbers::Decimal { precision: 20, scale: 4 });
        assert_eq!((config.memory_limit, config.default_target_schema.as_str()), (2 << 30, "raw"));
    }

    #[test]
    fn wrong_settings_say_what_to_write() {
        let error = |json: &str| Config::parse(json).unwrap_err();
        assert_eq!(error(r#"{"pth":"a"}"#).hint.as_deref(), Some("did you mean `path`?"));
        assert!(error(r#"{"path":"a","password":"x"}"#).hint.unwrap().contains("memory_limit"));
        for json in [
            "[]",
            "{}",
            r#"{"path":1}"#,
            r#"{"path":"a","memory_limit":"96"}"#,
            r#"{"path":"a","threads":0}"#,
            r#"{"path":"a","lock_timeout":"soon"}"#,
            r#"{"path":"a","numbers":"decimal(39,0)"}"#,
        ] {
            assert_eq!(error(json).code, "E0350", "{json}");
        }
    }

    #[test]
    fn the_schema_lists_the_settings() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let mut listed: Vec<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut keys = super::KEYS.to_vec();
        keys.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, keys);
    }

    #[test]
    fn distances() {
        assert_eq!((distance("", "abc"), distance("kitten", "sitting"), distance("a", "a")), (3, 3, 0));
    }
}
