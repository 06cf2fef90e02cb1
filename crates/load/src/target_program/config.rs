//! The file of settings: what is the target's own, what says how streams are loaded, what nobody knows.

use std::path::Path;

use serde_json::{Map, Value};

use super::about::{kinds, own_properties};
use super::values::fitted;
use super::{LoadSettings, ProgramError, TargetProgram, settings};

/// The settings of a load.
pub(super) struct Config {
    /// The target's own, as JSON.
    pub(super) target: String,
    pub(super) load: LoadSettings,
}

pub(super) fn read(program: &TargetProgram, path: Option<&Path>) -> Result<Config, ProgramError> {
    let path = path.ok_or(ProgramError::NoConfig)?;
    let refused = |what: String| ProgramError::Config { path: path.to_owned(), what };
    let text = std::fs::read_to_string(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| refused(format!("is not JSON: line {}, column {}", error.line(), error.column())))?;
    let Value::Object(config) = value else { return Err(refused("is not a JSON object".to_owned())) };
    parse(program, config)
}

fn parse(program: &TargetProgram, config: Map<String, Value>) -> Result<Config, ProgramError> {
    let (target, load, unknown) = part(program.settings, config)?;
    for name in unknown {
        // The value may be a secret.
        tracing::warn!("`{name}` is no setting of {}: it is passed over", program.name);
    }
    Ok(Config { target, load })
}

/// What is the target's own, as JSON; what says how streams are loaded; and the names of what nobody knows.
fn part(
    schema: &str,
    config: Map<String, Value>,
) -> Result<(String, LoadSettings, Vec<String>), ProgramError> {
    let own = own_properties(schema);
    let mut target: Map<String, Value> = Map::new();
    let mut rest = Map::new();
    for (name, value) in config {
        if let Some(schema) = own.get(&name) {
            target.insert(name.clone(), fitted(value.clone(), &kinds(schema)));
        }
        rest.insert(name, value);
    }
    let load = LoadSettings::take(&mut rest)?;
    let unknown = rest.into_iter().map(|(name, _)| name).filter(|name| !own.contains_key(name)).collect();
    Ok((Value::Object(target).to_string(), load, unknown))
}

impl LoadSettings {
    /// Parts a target's config, JSON text that fits [`config_schema`], into the target's own settings and these.
    ///
    /// # Errors
    /// A value of a wrong type, and one that asks for what is not built.
    pub fn part(schema: &str, config: &str) -> Result<(String, Self), ProgramError> {
        let config = serde_json::from_str(config).unwrap_or_default();
        part(schema, config).map(|(target, load, _)| (target, load))
    }
}

/// The JSON Schema of all that a target's config may hold in a pipeline, given that of its own settings.
#[must_use]
pub fn config_schema(own: &str) -> String {
    let mut schema: Value = serde_json::from_str(own).unwrap_or_default();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in settings::properties() {
            // Of a pipeline's tap it is said in its own block.
            if name != "batch_roots" {
                properties.entry(name).or_insert(property);
            }
        }
    }
    schema.to_string()
}

#[cfg(test)]
mod tests;
