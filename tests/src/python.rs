//! Python environments with other people's programs, made once under `target/`.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher as _};
use std::path::PathBuf;
use std::process::Command;

use crate::programs::workspace;

/// The path of a program of these requirements, installed from `PyPI` when it is not there yet. Requirements have blanks
/// between them; the first has the program, and an environment of its own with the others.
pub fn program(requirement: &str, program: &str) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    requirement.hash(&mut hasher);
    let parent =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let parent = parent.join("python");
    fs::create_dir_all(&parent).expect("target/python");
    let name = requirement.split(['=', '<', '>', '[', ' ']).next().unwrap_or(requirement);
    let folder = parent.join(format!("{name}-{:08x}", hasher.finish() & 0xffff_ffff));
    // One at a time: several tests, each a process, may want the same.
    let lock = File::create(folder.with_extension("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    let (installed, path) = (folder.join("installed"), folder.join("bin").join(program));
    if !installed.exists() {
        install(requirement, &folder);
        fs::write(installed, requirement).expect("a mark");
    }
    assert!(path.exists(), "{requirement} has no program {program}");
    path
}

fn install(requirement: &str, folder: &PathBuf) {
    let _ = fs::remove_dir_all(folder);
    let run = |command: &mut Command| {
        let output =
            command.output().expect("python3: install it (Debian: apt-get install python3 python3-venv)");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "installing {requirement} needs python3-venv and PyPI: {said}");
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(folder));
    let pip = ["install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(folder.join("bin/pip")).args(pip).args(requirement.split(' ')));
}

/// Lets a command install packages as we would: with the settings of pip and uv on this machine, its proxies and
/// certificates, and its cache.
pub fn may_install(command: &mut Command) {
    let is_theirs = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["PIP_", "UV_"].iter().any(|start| name.starts_with(start))
            || ["_PROXY", "_CA_BUNDLE"].iter().any(|end| name.ends_with(end))
            || name.starts_with("SSL_CERT_")
            || name == "HOME"
    };
    command.envs(std::env::vars_os().filter(|(name, _)| is_theirs(&name.to_string_lossy())));
}
