//! The file of settings: what is the target's own, what says how streams are loaded, what nobody knows.

use std::path::Path;

use serde_json::{Map, Value};

use super::about::{kinds, own_properties};
use super::values::fitted;
use super::{LoadSettings, ProgramError, TargetProgram};

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
    let own = own_properties(program.settings);
    let mut target: Map<String, Value> = Map::new();
    let mut rest = Map::new();
    for (name, value) in config {
        if let Some(schema) = own.get(&name) {
            target.insert(name.clone(), fitted(value.clone(), &kinds(schema)));
        }
        rest.insert(name, value);
    }
    let load = LoadSettings::take(&mut rest)?;
    for name in rest.keys().filter(|name| !own.contains_key(*name)) {
        // The value may be a secret.
        tracing::warn!("`{name}` is no setting of {}: it is passed over", program.name);
    }
    let target = Value::Object(target).to_string();
    Ok(Config { target, load })
}

#[cfg(test)]
mod tests;
