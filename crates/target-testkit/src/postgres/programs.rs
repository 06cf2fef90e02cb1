//! Finding the server's programs, and starting them as somebody whom they accept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where initdb and its kin lie: on PATH, or where Debian puts them, the newest version first.
pub(super) fn folder() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file());
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.retain(|folder| folder.join("initdb").is_file());
    versions.sort_by_key(|folder| version_number(folder));
    on_path.or_else(|| versions.pop()).unwrap_or_else(|| {
        panic!("PostgreSQL's server programs are missing: install them (Debian: apt-get install postgresql)")
    })
}

fn version_number(folder: &Path) -> u32 {
    let name = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}

/// The user and group that the server runs as. It refuses root, which becomes `postgres`; anybody else stays.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerUser(Option<(u32, u32)>);

impl ServerUser {
    pub(super) fn find() -> Self {
        if id(&["-u"]) != Some(0) {
            return Self(None);
        }
        let ids = id(&["-u", "postgres"]).zip(id(&["-g", "postgres"]));
        assert!(
            ids.is_some(),
            "PostgreSQL refuses to run as root and there is no user `postgres`: install the server's package"
        );
        Self(ids)
    }

    /// Gives a folder to that user.
    pub(super) fn own(self, folder: &Path) {
        if let Self(Some((user, group))) = self {
            std::os::unix::fs::chown(folder, Some(user), Some(group)).expect("chown of the cluster's folder");
        }
    }

    /// The words that start a program as that user.
    pub(super) fn words(self, program: &Path) -> Vec<String> {
        let program = program.display().to_string();
        let Self(Some((user, group))) = self else { return vec![program] };
        let [user, group] = [format!("--reuid={user}"), format!("--regid={group}")];
        vec!["setpriv".to_owned(), user, group, "--clear-groups".to_owned(), program]
    }

    /// A program as that user, to which arguments can be added.
    pub(super) fn program(self, program: &Path) -> Command {
        let words = self.words(program);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).current_dir("/").env("LC_ALL", "C");
        command
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Runs to the end; a failure is shown with all that the program said.
pub(super) fn finish(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
}
