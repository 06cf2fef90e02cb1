//! Finds a program before it is started, so that what is missing is named as such: the program, its right to
//! run, or the interpreter in its first line.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::{ProgramCommand, ProgramFailure, RunError};

/// Whether a program can be started, as far as that is seen without starting it.
///
/// # Errors
/// It is not there, is not executable, or its interpreter is missing.
pub fn find_program(command: &ProgramCommand) -> Result<(), RunError> {
    Ok(find(command).map(drop)?)
}

/// As much of a first line as Linux reads.
const FIRST_LINE: u64 = 256;

/// The program as a path.
pub(crate) fn find(command: &ProgramCommand) -> Result<PathBuf, ProgramFailure> {
    let (side, program) = (command.side, command.argv.first().map(PathBuf::from).unwrap_or_default());
    let name = program.display().to_string();
    let folders = folders(command);
    let (candidates, searched) = if program.components().count() > 1 {
        // Without the `.` of `./tap.py`.
        (vec![command.folder.join(&program).components().collect()], None)
    } else {
        (folders.iter().map(|folder| folder.join(&program)).collect(), Some(folders.len()))
    };
    let files: Vec<PathBuf> = candidates.into_iter().filter(|path: &PathBuf| path.is_file()).collect();
    let Some(path) = files.iter().find(|path| may_run(path)).or(files.first()) else {
        return Err(ProgramFailure::NotFound { side, program: name, searched });
    };
    let refused = |(reason, hint)| ProgramFailure::NotStarted { side, program: name, reason, hint };
    if !may_run(path) {
        let reason = format!("{} is not executable", path.display());
        return Err(refused((reason, format!("chmod +x '{}'", path.display()))));
    }
    match missing_interpreter(path, command, &folders) {
        Some(missing) => Err(refused(missing)),
        None => Ok(path.clone()),
    }
}

/// The folders of the program's own PATH.
fn folders(command: &ProgramCommand) -> Vec<PathBuf> {
    let path = command.env.iter().find(|(key, _)| key == "PATH").map(|(_, value)| value.as_os_str());
    std::env::split_paths(path.unwrap_or(OsStr::new(""))).collect()
}

fn may_run(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

/// What is wrong with the interpreter that a script names, and what to do. The system itself would say no more than
/// that there is no such file, which the script is not.
fn missing_interpreter(
    script: &Path,
    command: &ProgramCommand,
    folders: &[PathBuf],
) -> Option<(String, String)> {
    let line = first_line(script)?;
    let mut words = line.strip_prefix("#!")?.split([' ', '\t']).filter(|word| !word.is_empty());
    let interpreter = words.next()?;
    if interpreter.ends_with('\r') || line.ends_with('\r') {
        let reason = "its first line ends as lines do on Windows, and the interpreter there is not found so";
        return Some((reason.to_owned(), "save it with line ends of Unix (LF)".to_owned()));
    }
    if !command.folder.join(interpreter).exists() {
        let reason = format!("the interpreter in its first line, {interpreter}, does not exist");
        let hint = "install it again; a virtual environment that was moved must be made anew";
        return Some((reason, hint.to_owned()));
    }
    // `#!/usr/bin/env python3`; what else env may be told is left to it.
    let is_env = Path::new(interpreter).file_name() == Some(OsStr::new("env"));
    let named = words.next().filter(|name| is_env && !name.contains(['-', '=', '/']))?;
    if folders.iter().any(|folder| may_run(&folder.join(named))) {
        return None;
    }
    let reason = format!(
        "the interpreter in its first line, {named}, is not in the {} folders of PATH",
        folders.len()
    );
    Some((reason, format!("install {named}, or the program with its own")))
}

/// The first line without its newline, as far as the system would read it.
fn first_line(path: &Path) -> Option<String> {
    let mut start = Vec::new();
    File::open(path).ok()?.take(FIRST_LINE).read_to_end(&mut start).ok()?;
    let line = start.split(|byte| *byte == b'\n').next()?;
    line.starts_with(b"#!").then(|| String::from_utf8_lossy(line).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use super::*;

    /// What is said of a script with this first line and mode, in a folder that is all of PATH and has an `sh`.
    fn judged(first_line: &str, mode: u32, name: &str) -> Result<PathBuf, (String, String)> {
        let folder = tempfile::tempdir().unwrap();
        for (file, text, mode) in [("tap.py", first_line, mode), ("sh", "", 0o755)] {
            let path = folder.path().join(file);
            fs::write(&path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let tap = ProgramCommand {
            side: crate::Side::Tap,
            argv: vec![name.into()],
            env: vec![("PATH".into(), folder.path().into())],
            folder: folder.path().to_owned(),
            config: crate::ProgramConfig::unkept(String::new()),
            batch_roots: Vec::new(),
            guard: PathBuf::new(),
            private: PathBuf::new(),
            log: PathBuf::new(),
            redact: Arc::new(str::to_owned),
        };
        find(&tap).map_err(|failure| {
            let error = crate::RunError::from(failure);
            assert_eq!((error.code(), error.exit_code()), ("E0407", 78));
            (error.to_string().replace(&folder.path().display().to_string(), "DIR"), error.hint().unwrap())
        })
    }

    #[test]
    fn an_interpreter_that_is_gone_is_named_with_what_to_do() {
        let (told, hint) = judged("#!/old/venv/bin/python -u\nprint()\n", 0o755, "./tap.py").unwrap_err();
        assert!(
            told.contains("`./tap.py`") && told.contains("first line, /old/venv/bin/python, does not exist")
        );
        assert!(hint.contains("install it again"), "{hint}");
        let (told, hint) = judged("#!/usr/bin/env python9\n", 0o755, "tap.py").unwrap_err();
        assert!(told.contains("python9, is not in the 1 folders of PATH"), "{told}");
        assert!(hint.contains("install python9"), "{hint}");
        let (told, hint) = judged("#!/bin/sh\r\n", 0o755, "tap.py").unwrap_err();
        assert!(told.contains("Windows") && hint.contains("LF"), "{told} {hint}");
    }

    #[test]
    fn a_file_that_is_not_executable_is_told_with_the_command_that_mends_it() {
        for name in ["./tap.py", "tap.py"] {
            let (told, hint) = judged("#!/bin/sh\n", 0o644, name).unwrap_err();
            assert!(told.ends_with("DIR/tap.py is not executable"), "{told}");
            assert!(hint.starts_with("chmod +x '/") && hint.ends_with("/tap.py'"), "{hint}");
        }
    }

    #[test]
    fn what_starts_is_left_alone() {
        for line in [
            "#!/bin/sh\n",
            "#! /bin/sh -e\n",
            "#!/usr/bin/env sh\n",
            "#!/usr/bin/env -S sh -e\n",
            "\x7fELF",
            "",
        ] {
            let path = judged(line, 0o755, "./tap.py").unwrap();
            assert!(path.ends_with("tap.py") && path.is_absolute(), "{line:?}: {}", path.display());
        }
    }
}
