//! What a target says of itself.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use target_api::{Target, TargetError};

use super::arguments::Format;
use super::settings;

/// A target as a program. Give it to [`target_main`](crate::target_main).
#[derive(Debug, Clone, Copy)]
pub struct TargetProgram {
    /// Its name: `target-duckdb`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it does, in one sentence.
    pub description: &'static str,
    /// JSON Schema of the settings of its own.
    pub settings: &'static str,
    /// Makes the target from its own settings, as JSON.
    pub make: fn(&str) -> Result<Box<dyn Target>, TargetError>,
}

impl TargetProgram {
    /// All settings by name, with their schema.
    pub(super) fn properties(&self) -> Map<String, Value> {
        let mut all = own_properties(self.settings);
        // Where both have one, all streams' rule is what counts here.
        all.extend(settings::properties());
        all
    }

    /// `--about`: as JSON in the shape of the Singer SDK's, or as text.
    pub(super) fn about(&self, format: Format) -> String {
        let properties = self.properties();
        let required = serde_json::from_str::<Value>(self.settings).ok();
        let required = required.and_then(|schema| schema.get("required").cloned()).unwrap_or(json!([]));
        if format == Format::Json {
            let page = json!({
                "name": self.name,
                "version": self.version,
                "description": self.description,
                "capabilities": ["about", "target-schema", "validate-records"],
                "settings": { "type": "object", "properties": properties, "required": required },
            });
            return format!("{page:#}");
        }
        let mut page = format!("{} {}\n{}\n\nSettings:", self.name, self.version, self.description);
        for (name, schema) in &properties {
            let is_required = required.as_array().is_some_and(|names| names.iter().any(|n| n == name));
            let needed = if is_required { ", required" } else { "" };
            let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            let _ = write!(page, "\n  {name} ({}{needed}): {description}", kinds(schema).join(" or "));
        }
        page
    }
}

/// The properties of a JSON Schema.
pub(super) fn own_properties(schema: &str) -> Map<String, Value> {
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The types that a setting's schema takes, by JSON Schema's names.
pub(super) fn kinds(schema: &Value) -> Vec<&str> {
    let mut kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("enum").is_some() => vec!["string"],
        _ => Vec::new(),
    };
    for choice in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        kinds.extend(self::kinds(choice));
    }
    kinds.retain(|kind| *kind != "null");
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}
