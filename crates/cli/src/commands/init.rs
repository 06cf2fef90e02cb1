mod content;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::args::{Global, Init};
use crate::commands::editor::write_schemas;
use crate::commands::project;
use crate::error::CliError;
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::{BOLD, Printer};

use content::{FILES, IGNORED};

#[derive(Serialize)]
struct Document {
    project: PathBuf,
    files: Vec<&'static str>,
}

/// `init [DIR]`: a project whose one pipeline runs as it is. Overwrites nothing.
pub(crate) fn run(global: &Global, args: &Init) -> Outcome {
    let folder = args.dir.clone().or_else(|| global.project.clone()).unwrap_or_else(|| PathBuf::from("."));
    if let Some(path) = FILES.iter().map(|(name, _)| folder.join(name)).find(|path| path.exists()) {
        return Err(CliError::FileInTheWay { path }.into());
    }
    for (name, content) in FILES {
        project::write_new(&folder.join(name), content)?;
    }
    ignore(&folder.join(".gitignore"))?;
    let project = folder.canonicalize().map_err(|source| project::file_error("open", &folder, source))?;
    write_schemas(&project)?;
    let files = FILES.iter().map(|(name, _)| *name).chain([".gitignore"]).collect();
    let document = Document { project, files };
    Printer::new(global).result(&document, || welcome(&document, args.dir.as_deref()))?;
    Ok(exit_code::SUCCESS)
}

/// Adds what git should not see to `.gitignore`, and keeps what is there.
fn ignore(path: &Path) -> Result<(), CliError> {
    let mut text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        other => other.map_err(|source| project::file_error("read", path, source))?,
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in IGNORED {
        if !text.lines().any(|there| there.trim() == *line) {
            text.extend([line, "\n"]);
        }
    }
    fs::write(path, text).map_err(|source| project::file_error("write", path, source))
}

fn welcome(document: &Document, dir: Option<&Path>) -> String {
    let mut text = format!("Began a project in {}\n", document.project.display());
    for file in &document.files {
        text.extend(["  ", file, "\n"]);
    }
    let enter = dir.map(|dir| format!("cd {} && ", dir.display())).unwrap_or_default();
    text.push_str(&format!("\nNext: {BOLD}{enter}tapster run hello{BOLD:#}\n"));
    text
}
