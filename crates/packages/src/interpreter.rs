//! Which Python lies under an environment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{PackagesError, Result};

/// Prints its version and where it really is: behind a shim there may be another, or none.
const WHO: &str = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)";

/// A Python that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpreter {
    /// `3.11`.
    pub(crate) version: String,
    pub(crate) path: PathBuf,
}

impl Interpreter {
    /// That of a version: on PATH, else what uv or pyenv have.
    pub(crate) fn of(version: &str, uv: Option<&Path>) -> Result<Self> {
        let names = [format!("python{version}"), "python3".to_owned(), "python".to_owned()];
        let on_path = names.iter().flat_map(|name| on_path(name));
        let mut all = on_path.chain(uv.and_then(|uv| known_to_uv(uv, version))).chain(of_pyenv());
        let found = all.find_map(|path| Self::ask(&path).filter(|found| found.version == version));
        found.ok_or_else(|| PackagesError::NoInterpreter { wanted: version.to_owned(), found: versions() })
    }

    /// The one that `python3` is.
    pub(crate) fn any(uv: Option<&Path>) -> Result<Self> {
        let on_path = ["python3", "python"].into_iter().flat_map(on_path);
        let mut all = on_path.chain(uv.and_then(|uv| known_to_uv(uv, "3"))).chain(of_pyenv());
        let found = all.find_map(|path| Self::ask(&path).filter(|found| found.version.starts_with("3.")));
        found.ok_or_else(|| PackagesError::NoInstaller { reason: "there is no python3 on PATH".to_owned() })
    }

    fn ask(path: &Path) -> Option<Self> {
        let output = Command::new(path).args(["-I", "-c", WHO]).stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
        let mut lines = text.lines();
        Some(Self { version: lines.next()?.to_owned(), path: lines.next()?.into() })
    }
}

/// Every file of this name in PATH's folders.
pub(crate) fn on_path(name: &str) -> impl Iterator<Item = PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let files = std::env::split_paths(&folders).map(|folder| folder.join(name)).collect::<Vec<_>>();
    files.into_iter().filter(|path| path.is_file())
}

fn known_to_uv(uv: &Path, version: &str) -> Option<PathBuf> {
    let words = ["python", "find", "--no-project", "--no-python-downloads", version];
    let output = Command::new(uv).args(words).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim().into())
}

/// pyenv's shims answer for one version only; the others lie here.
fn of_pyenv() -> impl Iterator<Item = PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| std::env::home_dir().map(|home| home.join(".pyenv"))).unwrap_or_default();
    let mut folders: Vec<_> = std::fs::read_dir(root.join("versions"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/python3"))
        .collect();
    folders.sort();
    folders.into_iter().filter(|path| path.is_file())
}

/// The versions there are, for an error.
fn versions() -> Vec<String> {
    let numbered = (6..30).map(|minor| format!("python3.{minor}"));
    let names = numbered.chain(["python3".to_owned()]);
    let all = names.flat_map(|name| on_path(&name).collect::<Vec<_>>()).chain(of_pyenv());
    let versions: BTreeSet<Vec<u32>> = all
        .filter_map(|path| Interpreter::ask(&path))
        .map(|found| found.version.split('.').filter_map(|part| part.parse().ok()).collect())
        .collect();
    let text = |parts: Vec<u32>| parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
    versions.into_iter().map(text).collect()
}
