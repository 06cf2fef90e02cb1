use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

/// The program, in a folder, with an environment in which nothing of this machine counts.
pub(crate) fn tapster(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tapster"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .unwrap()
}

/// Exit code, stdout and stderr as one text for a snapshot; the folder's own path is hidden.
pub(crate) fn told(folder: &Path, args: &[&str]) -> String {
    let output = tapster(folder, args);
    let mut text = format!("exit code {}\n", output.status.code().unwrap());
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let words = String::from_utf8(bytes.clone()).unwrap();
        if !words.is_empty() {
            write!(text, "----- {name}\n{words}").unwrap();
        }
    }
    text.replace(&*folder.canonicalize().unwrap().to_string_lossy(), "[folder]")
}

/// The same in a new, empty folder.
pub(crate) fn told_anywhere(args: &[&str]) -> String {
    told(tempfile::tempdir().unwrap().path(), args)
}

/// stdout as one JSON document; fails when anything else is there.
pub(crate) fn document(folder: &Path, args: &[&str]) -> serde_json::Value {
    serde_json::from_slice(&tapster(folder, args).stdout).unwrap()
}
