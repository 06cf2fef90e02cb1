//! Which environment is meant, and its overlay.

use super::{ProjectFault, overlay};
use crate::problem::{ConfigError, Problem, did_you_mean};
use crate::yaml::{Map, Node};

/// The file with the overlay of the environment over it, and without the others.
pub(crate) fn overlaid(file: &Map, environment: &str) -> Map {
    let chosen =
        environments(file).and_then(|all| all.get(environment)).and_then(|entry| entry.node.as_map());
    let mut file = chosen.map_or_else(|| file.clone(), |chosen| overlay(file, chosen));
    file.shift_remove("environments");
    file
}

fn environments(file: &Map) -> Option<&Map> {
    file.get("environments")?.node.as_map()
}

/// The names that a file knows.
pub(super) fn names(file: &Map) -> impl Iterator<Item = &str> {
    environments(file).into_iter().flat_map(Map::keys).map(String::as_str)
}

/// The same, kept.
pub(super) fn owned_names(file: &Map) -> Vec<String> {
    names(file).map(str::to_owned).collect()
}

/// Refuses an environment that neither file knows, and to go without one where there are some. The default of
/// `tapster.yml` may also be one that `others` know, the pipelines beside this one.
pub(super) fn check(
    chosen: &str,
    project: &Map,
    pipeline: &Map,
    file: &str,
    others: impl FnOnce() -> Vec<String>,
) -> Result<(), ConfigError> {
    let mut known: Vec<String> = names(project).chain(names(pipeline)).map(str::to_owned).collect();
    let default = project.get("default_environment").map(|entry| &entry.node);
    let default = default.filter(|default| default.as_text() == Some(chosen));
    if default.is_some() && !known.iter().any(|name| name == chosen) {
        known.extend(others());
    }
    known.sort_unstable();
    known.dedup();
    if chosen.is_empty() {
        let Some(first) = [pipeline, project].into_iter().find_map(|file| file.get("environments")) else {
            return Ok(());
        };
        let file = first.key.file().to_owned();
        return Err(Problem::new(ProjectFault::EnvironmentNotChosen { file, known }, &first.key).into());
    }
    if known.iter().any(|name| name == chosen) {
        return Ok(());
    }
    let meant = did_you_mean(chosen, known.iter().map(String::as_str)).map(str::to_owned);
    let name = chosen.to_owned();
    if let Some(default) = default {
        return Err(Problem::new(ProjectFault::NoDefault { name, known, meant }, &default.place).into());
    }
    let file = file.to_owned();
    Err(Problem::nowhere(ProjectFault::NoEnvironment { name, file, known, meant }).into())
}

/// The environment to go by: the chosen one, else the file's default, else none (empty).
pub(super) fn chosen(project: Option<&Node>, chosen: Option<&str>) -> String {
    let default = || project?.get("default_environment")?.as_text();
    chosen.filter(|name| !name.is_empty()).or_else(default).unwrap_or_default().to_owned()
}
