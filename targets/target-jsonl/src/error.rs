//! The errors, each with its page. None holds a record's value.

use std::io::{Error, ErrorKind};
use std::path::Path;

use target_api::{Status, TargetError};

/// A wrong setting.
pub(crate) fn settings(message: impl Into<String>) -> TargetError {
    TargetError::new("E0380", Status::Config, message)
}

/// What the system refused. `doing` says what it was for.
pub(crate) fn file(doing: &str, path: &Path, error: Error) -> TargetError {
    let text = format!("{doing} {} failed: {error}", path.display());
    let (code, status, hint) = match error.kind() {
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::AlreadyExists => {
            ("E0381", Status::Config, "`path` must be a folder that this user may write to")
        }
        ErrorKind::NotFound => {
            ("E0383", Status::Permanent, "was the folder moved or removed during the run?")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            ("E0384", Status::Permanent, "free space; nothing after the last commit was kept")
        }
        _ => {
            ("E0383", Status::Temporary, "nothing after the last commit was kept; the run goes on from there")
        }
    };
    TargetError::new(code, status, text).with_hint(hint).caused_by(error)
}

/// `path` cannot be used as the folder.
pub(crate) fn folder(message: impl Into<String>) -> TargetError {
    TargetError::new("E0381", Status::Config, message)
        .with_hint("`path` must be a folder that this user may write to")
}

/// The state file is not what tapster wrote.
pub(crate) fn damaged(path: &Path, what: &str) -> TargetError {
    let text = format!("{} is not what tapster wrote: {what}", path.display());
    TargetError::permanent("E0382", text).with_hint(
        "put it back from a copy; without one, move it and the data files away and run again: all is loaded anew",
    )
}

/// Another run is in the middle of a commit, or hangs there.
pub(crate) fn locked(path: &Path, seconds: u64) -> TargetError {
    let text = format!("another process has held {} for {seconds} seconds", path.display());
    TargetError::new("E0385", Status::Busy, text)
        .with_hint("it is held for the time of a commit only: see which process that is")
}

/// The epoch is over.
pub(crate) fn over() -> TargetError {
    TargetError::temporary("E0391", "the epoch ended with an earlier error").with_hint(
        "nothing after the last commit was kept; the run goes on from there when it is tried again",
    )
}

/// A file that was there before, and to which no line can be added.
pub(crate) fn unended(path: &Path) -> TargetError {
    let text = format!(
        "{} is not tapster's, and its last line has no end: no record can be appended",
        path.display()
    );
    TargetError::permanent("E0393", text).with_hint("end its last line, or move it away")
}

/// What we ourselves did wrong.
pub(crate) fn bug(message: impl Into<String>) -> TargetError {
    TargetError::permanent("E0399", message).with_hint("this is a fault of tapster: please report it")
}
