use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use config::Project;
use store::Store;

use crate::args::Global;
use crate::error::CliError;
use crate::failure::Failure;

/// The project folder: the nearest one upwards from what `--project` says, or from here. Its files are not read: a
/// mistake in them does not keep anybody from looking at the past.
pub(super) fn folder(global: &Global) -> Result<PathBuf, Failure> {
    let start = global.project.clone().unwrap_or_else(|| PathBuf::from("."));
    let start =
        start.canonicalize().map_err(|source| CliError::File { what: "open", path: start, source })?;
    match start.ancestors().find(|folder| is_project(folder)) {
        Some(found) => Ok(found.to_owned()),
        // It finds none either, and says so.
        None => Ok(Project::discover(&start, None)?.root().to_owned()),
    }
}

fn is_project(folder: &Path) -> bool {
    folder.join("tapster.yml").is_file() || folder.join("pipelines").is_dir() || folder.join(LEDGER).is_file()
}

/// The project with its files.
pub(super) fn open(global: &Global) -> Result<Project, Failure> {
    open_around(global, &[])
}

/// The project of the first argument that is a pipeline's file, unless `--project` names one; else that of this folder.
pub(super) fn open_around(global: &Global, arguments: &[String]) -> Result<Project, Failure> {
    let is_file =
        |argument: &&String| Path::new(argument).extension().is_some_and(|end| end == "yml" || end == "yaml");
    let file = arguments.iter().find(is_file).map(PathBuf::from);
    let start = global.project.clone().or(file).unwrap_or_else(|| PathBuf::from("."));
    Ok(Project::discover(&start, global.environment.as_deref())?)
}

/// The project and the one pipeline of an argument: a name, a pattern that one name fits, or a file.
pub(super) fn open_one(global: &Global, argument: &str) -> Result<(Project, String), Failure> {
    let project = open_around(global, &[argument.to_owned()])?;
    let mut names = project.matching(argument)?;
    match (names.pop(), names.as_slice()) {
        (Some(name), []) => Ok((project, name)),
        (last, others) => {
            let names: Vec<_> = others.iter().cloned().chain(last).collect();
            Err(CliError::SeveralPipelines { argument: argument.to_owned(), names }.into())
        }
    }
}

/// The pipelines that arguments mean; without any argument all.
pub(super) fn named_or_all(project: &Project, arguments: &[String]) -> Result<Vec<String>, Failure> {
    if arguments.is_empty() {
        return Ok(project.pipeline_names().map(str::to_owned).collect());
    }
    let mut names = Vec::new();
    for argument in arguments {
        names.extend(project.matching(argument)?);
    }
    Ok(names)
}

/// The environment of a look at the past: what was asked for, else the project's default.
pub(super) fn environment(global: &Global) -> String {
    let default = || open(global).map(|project| project.environment().to_owned()).unwrap_or_default();
    global.environment.clone().unwrap_or_else(default)
}

/// Where a project that has run has its ledger.
const LEDGER: &str = ".tapster/ledger.sqlite";

/// The project's store, if there is one: to look at the past makes none.
pub(super) fn existing_store(global: &Global) -> Result<Option<Store>, Failure> {
    let folder = folder(global)?;
    if folder.join(LEDGER).is_file() { Ok(Some(Store::open(&folder)?)) } else { Ok(None) }
}

/// Writes a new file and its folders; one that exists is never overwritten.
pub(super) fn write_new(path: &Path, content: &str) -> Result<(), CliError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|source| file_error("create", folder, source))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(content.as_bytes())).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => CliError::FileInTheWay { path: path.to_owned() },
        _ => file_error("write", path, source),
    })
}

/// Names the file in an error of the system.
pub(super) fn file_error(what: &'static str, path: &Path, source: io::Error) -> CliError {
    CliError::File { what, path: path.to_owned(), source }
}
