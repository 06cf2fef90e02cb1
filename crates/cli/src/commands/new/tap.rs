use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::args::{Global, Language, NewTap};
use crate::commands::editor::write_schemas;
use crate::commands::project;
use crate::error::CliError;
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::{BOLD, Printer};

#[derive(Serialize)]
struct Document<'a> {
    pipeline: &'a str,
    files: Vec<PathBuf>,
}

pub(super) fn run(global: &Global, args: &NewTap) -> Outcome {
    let name = &args.name;
    if !is_name(name) {
        return Err(CliError::BadTapName(name.clone()).into());
    }
    let root = args.folder.clone().unwrap_or_else(|| folder(global));
    let files = files(name, args.lang);
    if let Some(path) = files.iter().map(|(path, _)| root.join(path)).find(|path| path.exists()) {
        return Err(CliError::FileInTheWay { path }.into());
    }
    for (path, content) in &files {
        project::write_new(&root.join(path), content)?;
    }
    write_schemas(&root)?;
    let document = Document { pipeline: name, files: files.into_iter().map(|(path, _)| path).collect() };
    Printer::new(global).result(&document, || next_steps(&document, args))?;
    Ok(exit_code::SUCCESS)
}

/// The project around here; where there is none, `pipelines/` makes one of this folder.
fn folder(global: &Global) -> PathBuf {
    let here = || global.project.clone().unwrap_or_else(|| PathBuf::from("."));
    project::folder(global).unwrap_or_else(|_| here())
}

/// Paths in the project, and what is in them.
fn files(name: &str, language: Language) -> Vec<(PathBuf, String)> {
    let folder = Path::new("taps").join(name);
    let code: &[(&str, &str)] = match language {
        Language::Python => &[("tap.py", include_str!("tap/tap.py"))],
        Language::Node => &[("tap.js", include_str!("tap/tap.js"))],
        Language::Bash => &[("tap.sh", include_str!("tap/tap.sh"))],
        Language::Rust => &[
            ("Cargo.toml", include_str!("tap/manifest.toml")),
            ("src/main.rs", include_str!("tap/tap.rs")),
            (".gitignore", "/target\n"),
        ],
    };
    let mut files: Vec<_> =
        code.iter().map(|(file, text)| (folder.join(file), text.replace("NAME", name))).collect();
    files.push((Path::new("pipelines").join(format!("{name}.yml")), pipeline(name, language)));
    files
}

fn pipeline(name: &str, language: Language) -> String {
    let command = match language {
        Language::Python => format!("python3, taps/{name}/tap.py"),
        Language::Node => format!("node, taps/{name}/tap.js"),
        Language::Bash => format!("bash, taps/{name}/tap.sh"),
        Language::Rust => format!("taps/{name}/target/release/{name}"),
    };
    format!(
        "# yaml-language-server: $schema=../.tapster/schemas/pipeline.json\n\
         # Test the tap:  tapster test tap --pipeline {name}\n\
         # Run it:        tapster run {name}      Again with a greater count, it loads only what is new.\n\
         tap:\n  command: [{command}]\n  config:\n    count: 1000\n\
         target:\n  name: target-duckdb\n  config:\n    path: warehouse.duckdb\n"
    )
}

fn next_steps(document: &Document, args: &NewTap) -> String {
    let name = document.pipeline;
    let mut text = "Wrote\n".to_owned();
    for file in &document.files {
        text.push_str(&format!("  {}\n", file.display()));
    }
    let enter = args.folder.as_ref().map(|folder| format!("cd {}", folder.display()));
    let build = (args.lang == Language::Rust)
        .then(|| format!("cargo build --release --manifest-path taps/{name}/Cargo.toml"));
    let steps = enter.into_iter().chain(build);
    let steps: Vec<_> = steps
        .chain([format!("tapster test tap --pipeline {name}"), format!("tapster run {name}")])
        .map(|step| format!("{BOLD}{step}{BOLD:#}\n"))
        .collect();
    text.push_str(&format!("\nNext: {}", steps.join("      ")));
    text
}

/// What may be a folder, a pipeline and a package of Cargo: it begins with a letter.
fn is_name(name: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    name.starts_with(|letter: char| letter.is_ascii_alphabetic()) && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_name_is_one_of_a_folder_and_of_a_package() {
        for good in ["orders", "tap-x_2", "A"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-x", "2x", "a/b", "../x", "a b", "größe", "a.b", "a\nb"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
