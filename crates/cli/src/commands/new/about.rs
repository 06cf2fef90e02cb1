use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use crate::error::CliError;
use crate::wiring::{program, programs, settings_schema};

/// What a tap or target says of itself with `--about --format json`, as Meltano's SDK does.
#[derive(Debug, Deserialize)]
pub(super) struct About {
    #[serde(default)]
    pub(super) description: String,
    /// The JSON Schema of its config.
    pub(super) settings: Value,
}

/// What a tap or target says of itself; tapster's own targets are part of this program.
pub(super) fn of(kind: &'static str, name: &str) -> Result<About, CliError> {
    let Some(schema) = settings_schema(name) else {
        let unknown = || CliError::UnknownProgram { kind, name: name.to_owned(), known: programs(kind) };
        return ask(name, &program(kind, name).ok_or_else(unknown)?);
    };
    let settings = serde_json::from_str(schema);
    let settings = settings
        .map_err(|error| CliError::NoSettings { name: name.to_owned(), reason: error.to_string() })?;
    Ok(About { description: String::new(), settings })
}

/// Asks a program for its settings.
fn ask(name: &str, program: &Path) -> Result<About, CliError> {
    let no_settings = |reason: String| CliError::NoSettings { name: name.to_owned(), reason };
    let output = Command::new(program)
        .args(["--about", "--format", "json"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| no_settings(error.to_string()))?;
    if !output.status.success() {
        return Err(no_settings(format!("it ended with {}", output.status)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| no_settings(error.to_string()))
}
