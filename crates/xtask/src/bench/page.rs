//! The table in docs/benchmarks.md: one row a figure, and the machine that it is of.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell::root;

const PAGE: &str = "docs/benchmarks.md";
const BEGIN: &str = "<!-- figures of cargo x bench -->";
const END: &str = "<!-- end of the figures -->";

/// Puts the report's figures into the page; rows of other figures stay.
pub(crate) fn write(report: &Path) -> Result<()> {
    let Ok(lines) = fs::read_to_string(report) else { return Ok(()) };
    let figures: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let path = root().join(PAGE);
    let page = fs::read_to_string(&path)?;
    let new = with_figures(&page, &figures, &machine()).with_context(|| format!("{PAGE} lacks `{BEGIN}`"))?;
    fs::write(&path, new)?;
    eprintln!("{PAGE} has the figures");
    Ok(())
}

fn with_figures(page: &str, figures: &[Value], machine: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (table, after) = rest.split_once(END)?;
    let row = |figure: &Value| {
        let text = |name: &str| figure.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let holds = figure.get("holds").and_then(Value::as_bool).unwrap_or(true);
        let measured = if holds { text("measured") } else { format!("**not yet**: {}", text("measured")) };
        format!("| {} | {} | {} | {measured} | {machine} |", text("what"), text("against"), text("must"))
    };
    let mut rows: Vec<String> =
        table.lines().filter(|line| line.starts_with('|')).skip(2).map(str::to_owned).collect();
    for new in figures.iter().map(row) {
        let what = |row: &str| row.split('|').nth(1).unwrap_or_default().trim().to_owned();
        match rows.iter_mut().find(|old| what(old) == what(&new)) {
            Some(old) => *old = new,
            None => rows.push(new),
        }
    }
    let head = "| what | against | must be | measured | on |\n|---|---|---|---|---|";
    Some(format!("{before}{BEGIN}\n\n{head}\n{}\n\n{END}{after}", rows.join("\n")))
}

/// Processor, kernel, versions and commit, as far as they can be told.
fn machine() -> String {
    let said = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).current_dir(root()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(text.lines().next()?.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let parts = [
        said("date", &["+%Y-%m-%d"]),
        Some(format!("{cores} cores of {}", processor.map_or("a processor", |(_, name)| name.trim()))),
        said("uname", &["-sr"]),
        said("postgres", &["--version"]),
        said("rustc", &["--version"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_figure_takes_the_place_of_its_older_one() {
        let page = format!(
            "# B\n{BEGIN}\n| w |\n|---|\n| a | b | c | 1 | m |\n| x | y | z | 2 | m |\n{END}\nrest\n"
        );
        let figures = [
            json!({ "what": "x", "against": "y", "must": "z", "holds": false, "measured": "3" }),
            json!({ "what": "new", "against": "", "must": "", "holds": true, "measured": "4" }),
        ];
        let new = with_figures(&page, &figures, "here").unwrap();
        let rows: Vec<&str> = new.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        assert_eq!(
            rows,
            ["| a | b | c | 1 | m |", "| x | y | z | **not yet**: 3 | here |", "| new |  |  | 4 | here |"]
        );
        assert!(new.ends_with("\nrest\n") && new.starts_with("# B\n"));
        assert_eq!(with_figures("none", &figures, "here"), None);
    }
}
