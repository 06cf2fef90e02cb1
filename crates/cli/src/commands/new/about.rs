use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use crate::error::CliError;
use crate::wiring::{TARGETS, settings_schema};

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
    match settings_schema(name) {
        Some(schema) => {
            let settings = serde_json::from_str(schema);
            let settings = settings
                .map_err(|error| CliError::NoSettings { name: name.to_owned(), reason: error.to_string() })?;
            Ok(About { description: String::new(), settings })
        }
        None => ask(name, &find_program(kind, name)?),
    }
}

/// A program of tapster's own: it lies beside the tapster program.
fn find_program(kind: &'static str, name: &str) -> Result<PathBuf, CliError> {
    let folder = own_folder();
    let file = folder.join(name);
    let is_name = name.starts_with(&format!("{kind}-")) && !name.contains(['/', '\\']);
    if is_name && file.is_file() {
        return Ok(file);
    }
    Err(CliError::UnknownProgram { kind, name: name.to_owned(), known: programs(kind, &folder) })
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

fn own_folder() -> PathBuf {
    let program = std::env::current_exe().and_then(|program| program.canonicalize());
    program.ok().and_then(|program| program.parent().map(Path::to_owned)).unwrap_or_default()
}

fn programs(kind: &str, folder: &Path) -> Vec<String> {
    let prefix = format!("{kind}-");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().is_ok_and(|file| file.is_file()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(&prefix) && !name.contains('.'))
        .collect();
    if kind == "target" {
        names.extend(TARGETS.map(str::to_owned));
    }
    names.sort();
    names
}
