//! `uv`: fast, and it locks for every platform at once.

use std::path::Path;
use std::process::Command;

use crate::installer::{Work, run, text_file};
use crate::interpreter::Interpreter;
use crate::locked::LockedPackage;
use crate::{PackagesError, Result};

/// What the requirements come to on every platform.
pub(crate) fn resolve(
    uv: &Path,
    work: &Work,
    python: &Interpreter,
    requirements: &[String],
    constraints: &Path,
) -> Result<Vec<LockedPackage>> {
    let (wanted, answer) =
        (text_file(work.folder, &(requirements.join("\n") + "\n"))?, text_file(work.folder, "")?);
    let mut command = Command::new(uv);
    command.args(["pip", "compile", "--universal", "--generate-hashes", "--upgrade"]);
    command.args(["--no-header", "--no-annotate", "--no-progress", "--no-python-downloads"]);
    command.args(["--python-version", &python.version]).arg("--python").arg(&python.path);
    command.arg("--constraints").arg(constraints).arg("--output-file").arg(answer.path()).arg(wanted.path());
    run("uv", work, &mut command)?;
    let text = std::fs::read_to_string(answer.path()).map_err(PackagesError::file("read", answer.path()))?;
    Ok(packages(&text))
}

/// Makes an empty environment; the folder follows.
pub(crate) fn create(uv: &Path, python: &Interpreter) -> Command {
    let mut command = Command::new(uv);
    command.args(["venv", "--no-project", "--no-python-downloads", "--python"]).arg(&python.path);
    command
}

/// Installs into it; what follows.
pub(crate) fn install(uv: &Path, environment: &Path) -> Command {
    let mut command = Command::new(uv);
    command.args(["pip", "install", "--no-progress", "--python"]).arg(environment.join("bin/python"));
    command
}

/// The packages of a requirements file with hashes, by name.
fn packages(text: &str) -> Vec<LockedPackage> {
    let text = text.replace("\\\n", " ");
    let mut packages: Vec<_> = text.lines().filter_map(package).collect();
    packages.sort();
    packages
}

/// `six==1.17.0 ; python_version < '4'  --hash=sha256:12  --hash=sha256:34`, or `x @ git+https://host/x@12`.
fn package(line: &str) -> Option<LockedPackage> {
    let line = line.split(" #").next().unwrap_or(line).trim();
    if line.is_empty() || line.starts_with(['#', '-']) {
        return None;
    }
    let (what, hashes) =
        line.split_once("--hash=").map_or((line, ""), |(what, _)| (what, &line[what.len()..]));
    let (what, marker) = what.split_once(" ;").map_or((what, None), |(what, marker)| (what, Some(marker)));
    let sha256 = hashes.split_whitespace().filter_map(|word| word.strip_prefix("--hash=sha256:"));
    let (name, version, from) = match what.split_once(" @ ") {
        Some((name, from)) => (name, None, Some(from)),
        None => what.split_once("==").map(|(name, version)| (name, Some(version), None))?,
    };
    // `x[extra]`: what the extra brings has lines of its own.
    let name = name.split('[').next().unwrap_or(name).trim();
    let mut sha256: Vec<String> = sha256.map(str::to_owned).collect();
    sha256.sort();
    let own = |text: Option<&str>| text.map(|text| text.trim().to_owned());
    Some(LockedPackage {
        version: own(version),
        from: own(from),
        marker: own(marker),
        sha256,
        ..LockedPackage::named(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_compiled_file_are_read() {
        let text = "\
six==1.17.0 \\\n    --hash=sha256:bb \\\n    --hash=sha256:aa\n\
colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:cc\n\
# a comment\n--index-url https://host/simple\n\
Tap_X[s3] @ git+https://host/x@0123#subdirectory=taps/x\n";
        let found = packages(text);
        let names: Vec<_> = found.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["colorama", "six", "tap-x"]);
        assert_eq!(found[0].marker.as_deref(), Some("sys_platform == 'win32'"));
        assert_eq!((found[1].version.as_deref(), found[1].sha256.len()), (Some("1.17.0"), 2));
        assert_eq!(found[1].sha256, ["aa", "bb"]);
        assert_eq!(found[2].from.as_deref(), Some("git+https://host/x@0123#subdirectory=taps/x"));
    }
}
