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
    let default = file.get("default_environment").and_then(|entry| entry.node.as_text());
    environments(file).into_iter().flat_map(Map::keys).map(String::as_str).chain(default)
}

/// Refuses an environment that neither file knows, and to go without one where there are some.
pub(super) fn check(chosen: &str, project: &Map, pipeline: &Map, file: &str) -> Result<(), ConfigError> {
    let mut known: Vec<String> = names(project).chain(names(pipeline)).map(str::to_owned).collect();
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
    let (name, file) = (chosen.to_owned(), file.to_owned());
    Err(Problem::nowhere(ProjectFault::NoEnvironment { name, file, known, meant }).into())
}

/// The environment to go by: the chosen one, else the file's default, else none (empty).
pub(super) fn chosen(project: Option<&Node>, chosen: Option<&str>) -> String {
    let default = || project?.get("default_environment")?.as_text();
    chosen.filter(|name| !name.is_empty()).or_else(default).unwrap_or_default().to_owned()
}
