//! Where the files are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::ProjectFault;
use crate::problem::{ConfigError, Problem};

/// How deep folders under `pipelines/` are looked into.
const MOST_DEPTH: usize = 16;

/// The nearest folder upwards, beginning with the start itself (or a file's own folder), that is a project.
pub(super) fn root(start: &Path) -> Result<PathBuf, ConfigError> {
    let start = fs::canonicalize(start).map_err(|error| folder(start, &error))?;
    let found = start
        .ancestors()
        .find(|folder| folder.join("tapster.yml").is_file() || folder.join("pipelines").is_dir());
    let no_project = || Problem::nowhere(ProjectFault::NoProject { start: start.display().to_string() });
    Ok(found.ok_or_else(no_project)?.to_owned())
}

/// Every pipeline's name and file, sorted by name. Hidden files and folders are passed over.
pub(super) fn pipelines(root: &Path) -> Result<BTreeMap<String, PathBuf>, ConfigError> {
    let mut found = BTreeMap::new();
    let mut problems = Vec::new();
    let mut folders = vec![(root.join("pipelines"), 0)];
    while let Some((path, depth)) = folders.pop() {
        if depth == 0 && !path.is_dir() {
            break;
        }
        for entry in fs::read_dir(&path).map_err(|error| folder(&path, &error))? {
            let entry = entry.map_err(|error| folder(&path, &error))?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            // A link to a folder is not followed: it may lead back here.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if depth < MOST_DEPTH {
                    folders.push((entry.path(), depth + 1));
                }
            } else if let Some(name) = name(&entry.path(), root)
                && let Some(first) = found.insert(name.clone(), entry.path())
            {
                let (first, second) = (relative(&first, root), relative(&entry.path(), root));
                problems.push(Problem::nowhere(ProjectFault::TwoFiles { name, first, second }));
            }
        }
    }
    ConfigError::unless_none(problems)?;
    Ok(found)
}

/// `finance/orders` for `pipelines/finance/orders.yml`.
pub(super) fn name(path: &Path, root: &Path) -> Option<String> {
    let inside = path.strip_prefix(root.join("pipelines")).ok()?;
    let inside = inside.to_str()?;
    let name = inside.strip_suffix(".yml").or_else(|| inside.strip_suffix(".yaml"))?;
    (!name.is_empty()).then(|| name.replace('\\', "/"))
}

/// Whether an argument is the path of a file and not a name.
pub(super) fn is_path(argument: &str) -> bool {
    [".yml", ".yaml"].iter().any(|ending| argument.ends_with(ending))
}

/// A path as people are told of it.
pub(super) fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

pub(super) fn folder(path: &Path, error: &std::io::Error) -> Problem {
    Problem::nowhere(ProjectFault::Folder { path: path.display().to_string(), reason: error.to_string() })
}
