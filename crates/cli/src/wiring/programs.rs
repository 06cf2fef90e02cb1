//! tapster's own taps and targets: programs beside this one, and the targets in it.

use std::path::PathBuf;

use config::{Pipeline, Program};

use super::targets;
use crate::failure::Failure;

/// The tap that runs Airbyte sources. Nothing by itself: `airbyte:` and `protocol: airbyte` name it.
pub(super) const AIRBYTE: &str = "tap-airbyte";

/// The names of all of a kind, `tap` or `target`, sorted.
pub(crate) fn programs(kind: &str) -> Vec<String> {
    let prefix = format!("{kind}-");
    let entries = std::fs::read_dir(folder()).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().is_ok_and(|file| file.is_file()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(&prefix) && !name.contains('.') && name != AIRBYTE)
        .collect();
    if kind == "target" {
        names.extend(targets::NAMES.map(str::to_owned));
    }
    names.sort();
    names
}

/// The program file of one of them.
pub(crate) fn program(kind: &str, name: &str) -> Option<PathBuf> {
    let file = folder().join(name);
    let is_name = name.starts_with(&format!("{kind}-")) && !name.contains(['/', '\\']) && name != AIRBYTE;
    (is_name && file.is_file()).then_some(file)
}

/// One of ours lies beside this binary, so that a version always meets its own.
fn folder() -> PathBuf {
    let own = std::env::current_exe().and_then(|program| program.canonicalize());
    own.ok().and_then(|own| own.parent().map(std::path::Path::to_owned)).unwrap_or_default()
}

/// Refuses a `name:` that is none of ours, where it stands.
pub(super) fn check(pipeline: &Pipeline) -> Result<(), Failure> {
    if let Program::Named(name) = &pipeline.tap.program
        && program("tap", name).is_none()
    {
        return Err(pipeline.tap.unknown("tap", programs("tap")).into());
    }
    if let Program::Named(name) = &pipeline.target.program
        && !targets::NAMES.contains(&name.as_str())
    {
        return Err(pipeline.target.unknown("target", targets::NAMES.map(str::to_owned).into()).into());
    }
    Ok(())
}
