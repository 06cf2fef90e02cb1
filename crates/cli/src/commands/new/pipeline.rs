use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{about, settings};
use crate::args::{Global, NewPipeline};
use crate::commands::editor::write_schemas;
use crate::commands::project;
use crate::error::CliError;
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::{BOLD, Printer};

#[derive(Serialize)]
struct Document<'a> {
    pipeline: &'a str,
    file: PathBuf,
}

pub(super) fn run(global: &Global, args: &NewPipeline) -> Outcome {
    let NewPipeline { name, tap, target } = args;
    if !is_name(name) {
        return Err(CliError::BadName(name.clone()).into());
    }
    let project = project::open(global)?;
    let file = Path::new("pipelines").join(format!("{name}.yml"));
    let depth = file.components().count() - 1;
    let content = [
        format!("# yaml-language-server: $schema={}.tapster/schemas/pipeline.json\n", "../".repeat(depth)),
        "description: \"\"\n".to_owned(),
        declared(project.tap_names(), "tap", tap).map_or_else(|| block("tap", tap), Ok)?,
        declared(project.target_names(), "target", target).map_or_else(|| block("target", target), Ok)?,
        STREAMS.to_owned(),
    ]
    .concat();
    project::write_new(&project.root().join(&file), &content)?;
    write_schemas(project.root())?;
    let document = Document { pipeline: name, file };
    Printer::new(global).result(&document, || {
        let file = document.file.display();
        format!("Wrote {file}\n\nNext: fill it in, then {BOLD}tapster check {name}{BOLD:#}\n")
    })?;
    Ok(exit_code::SUCCESS)
}

const STREAMS: &str = "\
# Without `streams:` the tap's own selection is loaded.
# streams:
#   \"*\": include
#   \"*_log\": exclude
";

/// Letters, digits, `-`, `_`, `.`, and `/` between folders; no part begins with a dot.
fn is_name(name: &str) -> bool {
    let fits = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(fits))
}

/// The line for a tap or target that tapster.yml has.
fn declared<'a>(mut names: impl Iterator<Item = &'a str>, kind: &str, name: &str) -> Option<String> {
    names.any(|known| known == name).then(|| format!("{kind}: {name}\n"))
}

/// The block of a tap or target, with all of its settings.
fn block(kind: &'static str, name: &str) -> Result<String, CliError> {
    let about = about::of(kind, name)?;
    let mut text = String::new();
    if let Some(line) = about.description.lines().next() {
        text.push_str(&format!("# {line}\n"));
    }
    text.push_str(&format!("{kind}:\n  name: {name}\n"));
    let lines = settings::config_lines(name, &about.settings);
    if lines.iter().all(|line| line.starts_with('#')) {
        text.push_str("  config: {}\n");
    } else {
        text.push_str("  config:\n");
    }
    for line in lines {
        text.push_str(&format!("    {line}\n"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_name_stays_inside_pipelines() {
        for good in ["shop", "finance/orders", "a.b-c_d", "größe"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "/etc/x", "../x", "a//b", "a/", ".x", "a/../b", "a b", "a:b", "a\nb"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
