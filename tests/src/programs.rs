//! The programs under test, built when the first test asks for them.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

/// tapster, with failpoints, and beside it the taps and targets of this workspace. They are a copy that no later build touches.
/// `TAPSTER_PROGRAMS` names a folder that has them already.
pub fn tapster() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| ready_or_built("TAPSTER_PROGRAMS", &["--features", "cli/failpoints"]))
}

/// A target of this workspace as a program of its own: `target-postgres`.
pub fn target(name: &str) -> PathBuf {
    tapster().with_file_name(name)
}

/// A release build without failpoints: for what is measured. `TAPSTER_RELEASE_PROGRAMS` names a folder that has it.
pub fn tapster_release() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| ready_or_built("TAPSTER_RELEASE_PROGRAMS", &["--release"]))
}

fn ready_or_built(variable: &str, flags: &[&str]) -> PathBuf {
    let ready = std::env::var_os(variable).map(PathBuf::from);
    ready.map_or_else(|| set_apart(&build(flags)), |folder| folder.join("tapster"))
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a member").to_owned()
}

/// A file of this crate.
pub fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Builds, and gives the paths of the programs.
fn build(flags: &[&str]) -> Vec<PathBuf> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "--bins"]);
    for package in
        ["cli", "tap-csv", "tap-postgres", "tap-airbyte", "target-duckdb", "target-postgres", "target-jsonl"]
    {
        command.args(["--package", package]);
    }
    command.args(["--message-format", "json-render-diagnostics"]);
    // The variables of the build that runs this test would make cargo build everything anew.
    command.args(flags).current_dir(workspace()).stderr(Stdio::piped()).env_remove("RUSTFLAGS");
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_a_package(name.to_string_lossy().as_ref()))
    {
        command.env_remove(name);
    }
    let output = command.output().expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo build of tapster: {}\n{said}", output.status);
    let messages = output.stdout.split(|&byte| byte == b'\n');
    let messages = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    messages.filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?))).collect()
}

fn is_of_a_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}

/// Links the programs into a folder that is named by them, so that a build in the meantime cannot exchange them.
fn set_apart(built: &[PathBuf]) -> PathBuf {
    let inode = |path: &PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.ino());
    let name = built.iter().map(|path| inode(path).to_string()).collect::<Vec<_>>().join("-");
    let target = built.first().and_then(|path| path.parent()?.parent()).expect("cargo names the programs");
    let parent = target.join("end-to-end");
    let folder = parent.join(name);
    fs::create_dir_all(&folder).expect("a folder for the programs");
    for program in built {
        let copy = folder.join(program.file_name().expect("a file"));
        if let Err(error) = fs::hard_link(program, &copy) {
            assert!(copy.exists(), "linking {}: {error}", copy.display());
        }
    }
    sweep(&parent, &folder);
    folder.join("tapster")
}

/// Removes the programs of yesterday.
fn sweep(parent: &Path, current: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let age = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|time| time.elapsed().ok());
        if entry.path() != current && age.is_some_and(|age| age > Duration::from_hours(24)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
