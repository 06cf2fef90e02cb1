//! `pip`: there wherever Python is. One small environment for each version of Python holds it, and the packages'
//! own environments do without.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::installer::{Work, run, text_file};
use crate::interpreter::Interpreter;
use crate::locked::LockedPackage;
use crate::{PackagesError, Result};

/// The first that reports what it would install, and installs into another environment.
const OLDEST: (u32, u32) = (22, 3);

/// pip in an environment of its own.
pub(crate) struct Pip {
    python: PathBuf,
}

impl Pip {
    /// Makes it when it is not there yet.
    pub(crate) fn prepare(work: &Work, python: &Interpreter) -> Result<Self> {
        let folder = work.folder.join(format!("pip-{}", python.version));
        let (pip, ready) = (Self { python: folder.join("bin/python") }, folder.join("ready"));
        let guard_path = work.folder.join(format!("pip-{}.lock", python.version));
        let guard = File::create(&guard_path).map_err(PackagesError::file("write", &guard_path))?;
        guard.lock().map_err(PackagesError::file("lock", &guard_path))?;
        if ready.exists() && pip.python.exists() {
            return Ok(pip);
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(PackagesError::file("remove", &folder))?;
        }
        let work = Work { guard: &guard, ..*work };
        let mut create = Command::new(&python.path);
        create.args(["-I", "-m", "venv"]).arg(&folder);
        run("pip", &work, &mut create).map_err(|error| no_venv(error, python))?;
        if pip.version(&work)? < OLDEST {
            run("pip", &work, pip.command().args(["install", "--upgrade", "pip"]))?;
        }
        fs::write(&ready, "").map_err(PackagesError::file("write", &ready))?;
        Ok(pip)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-I", "-m", "pip"]);
        command
    }

    /// `pip 23.2.1 from …`.
    fn version(&self, work: &Work) -> Result<(u32, u32)> {
        let printed = run("pip", work, self.command().arg("--version"))?;
        let text = printed.stdout.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let mut parts = text.split('.').map(|part| part.parse().unwrap_or_default());
        Ok((parts.next().unwrap_or_default(), parts.next().unwrap_or_default()))
    }

    /// What the requirements come to on this machine.
    pub(crate) fn resolve(
        &self,
        work: &Work,
        requirements: &[String],
        constraints: &Path,
    ) -> Result<Vec<LockedPackage>> {
        let report = text_file(work.folder, "")?;
        let mut command = self.command();
        command.args([
            "install",
            "--dry-run",
            "--ignore-installed",
            "--use-pep517",
            "--no-color",
            "--report",
        ]);
        command.arg(report.path()).arg("--constraint").arg(constraints).args(requirements);
        run("pip", work, &mut command)?;
        let failed = || PackagesError::file("read", report.path());
        let bytes = fs::read(report.path()).map_err(failed())?;
        packages(&bytes).map_err(|error| failed()(std::io::Error::other(error)))
    }

    /// Installs into an environment; what follows. Built anew where it must be, in isolation, so that what happens
    /// to be in this one does not matter.
    pub(crate) fn install(&self, environment: &Path) -> Command {
        let mut command = self.command();
        command.arg("--python").arg(environment.join("bin/python"));
        command.args(["install", "--use-pep517", "--no-color"]);
        command
    }
}

/// Debian has a Python whose venv cannot hold a pip.
fn no_venv(error: PackagesError, python: &Interpreter) -> PackagesError {
    match error {
        PackagesError::Installer { said, .. } => {
            let what = said
                .0
                .into_iter()
                .find(|line| line.contains("ensurepip") || line.contains("No module named"));
            let what = what.unwrap_or_else(|| "its venv module fails".to_owned());
            PackagesError::NoInstaller { reason: format!("{}: {}", python.path.display(), what.trim()) }
        }
        other => other,
    }
}

#[derive(Deserialize)]
struct Report {
    install: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    download_info: Download,
    is_direct: bool,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Download {
    url: String,
    archive_info: Option<Archive>,
    vcs_info: Option<Commit>,
    subdirectory: Option<String>,
}

#[derive(Deserialize)]
struct Archive {
    /// `sha256=…`; what older ones have instead of `hashes`.
    hash: Option<String>,
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Commit {
    commit_id: String,
}

/// The packages of pip's report of what it would install (its installation report, version 1), by name.
fn packages(report: &[u8]) -> serde_json::Result<Vec<LockedPackage>> {
    let report: Report = serde_json::from_slice(report)?;
    let mut packages: Vec<_> = report.install.into_iter().map(package).collect();
    packages.sort();
    Ok(packages)
}

fn package(item: Item) -> LockedPackage {
    let Item { metadata, download_info: download, is_direct } = item;
    let subdirectory = download.subdirectory.map(|path| format!("#subdirectory={path}")).unwrap_or_default();
    let from = match &download.vcs_info {
        Some(commit) => Some(format!("git+{}@{}{subdirectory}", download.url, commit.commit_id)),
        None => is_direct.then(|| format!("{}{subdirectory}", download.url)),
    };
    let hash = download.archive_info.and_then(|archive| {
        let older = archive.hash.and_then(|text| text.strip_prefix("sha256=").map(str::to_owned));
        archive.hashes.get("sha256").cloned().or(older)
    });
    LockedPackage {
        version: Some(metadata.version),
        from,
        sha256: hash.into_iter().collect(),
        ..LockedPackage::named(&metadata.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let report = br#"{"version": "1", "install": [
            {"metadata": {"name": "Six", "version": "1.17"}, "is_direct": false, "requested": false,
             "download_info": {"url": "https://host/six.whl", "archive_info": {"hash": "sha256=ab"}}},
            {"metadata": {"name": "tap_x", "version": "2"}, "is_direct": true, "requested": true,
             "download_info": {"url": "https://host/x", "subdirectory": "taps/x",
                "vcs_info": {"vcs": "git", "commit_id": "0123", "requested_revision": "main"}}},
            {"metadata": {"name": "b", "version": "3"}, "is_direct": true,
             "download_info": {"url": "https://host/b.whl", "archive_info": {"hashes": {"sha256": "cd"}}}}]}"#;
        let found = packages(report).unwrap();
        let text = |name: &str| Some(name.to_owned());
        assert_eq!(
            found,
            [
                LockedPackage {
                    version: text("3"),
                    from: text("https://host/b.whl"),
                    sha256: vec!["cd".into()],
                    ..LockedPackage::named("b")
                },
                LockedPackage {
                    version: text("1.17"),
                    sha256: vec!["ab".into()],
                    ..LockedPackage::named("six")
                },
                LockedPackage {
                    version: text("2"),
                    from: text("git+https://host/x@0123#subdirectory=taps/x"),
                    ..LockedPackage::named("tap-x")
                },
            ]
        );
    }
}
