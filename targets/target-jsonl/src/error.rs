//! The errors, each with its page. None holds a record's value.

use std::io::{Error, ErrorKind};
use std::path::Path;

use columns::StreamName;
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

/// A run that another one has overtaken.
pub(crate) fn fenced(pipeline: &str, place: &Path, run: Option<&str>) -> TargetError {
    let by = run.map(|run| format!(" (run {run})")).unwrap_or_default();
    let text = format!(
        "another run of pipeline `{pipeline}` has taken over at {}{by}: this run may not commit any more",
        place.display()
    );
    TargetError::new("E0386", Status::Busy, text)
        .with_hint("nothing of the refused commit was kept; let the other run finish, then start again")
}

/// A STATE that another tap wrote.
pub(crate) fn foreign_state(pipeline: &str, place: &Path, taps: (&str, &str)) -> TargetError {
    let (found, own) = taps;
    let text = format!(
        "the STATE of pipeline `{pipeline}` at {} was written by the tap `{found}`, not by `{own}`",
        place.display()
    );
    TargetError::new("E0387", Status::Config, text).with_hint(
        "`--full-refresh` gives it up and loads everything anew; `tapster state set` puts one that this tap understands",
    )
}

/// A file that somebody else has.
pub(crate) fn taken(path: &Path, by: &str) -> TargetError {
    let text =
        format!("{} belongs to {by}: two that write one file would undo each other's work", path.display());
    TargetError::new("E0388", Status::Config, text)
        .with_hint("give the stream another table with `target_table` or `target_schema`; after renaming a pipeline: `tapster state move OLD NEW`")
}

/// A file that is not as it was left.
pub(crate) fn gone(stream: &StreamName, what: &str) -> TargetError {
    let text =
        format!("the file of stream `{stream}` {what}, but the STATE says that its records were loaded");
    TargetError::new("E0389", Status::Config, text).with_hint(
        "`--full-refresh` for this stream loads it anew; or put the file (or the setting) back as it was",
    )
}

/// One record that cannot be written.
pub(crate) fn refused_record(stream: &StreamName, record: u64, why: &str) -> TargetError {
    let status = Status::Record { stream: stream.clone(), record };
    TargetError::new("E0390", status, format!("record {record} of stream `{stream}`: {why}"))
}

/// The epoch is over.
pub(crate) fn over() -> TargetError {
    TargetError::temporary("E0391", "the epoch ended with an earlier error").with_hint(
        "nothing after the last commit was kept; the run goes on from there when it is tried again",
    )
}

/// The new name of a pipeline is taken.
pub(crate) fn name_taken(pipeline: &str, place: &Path) -> TargetError {
    let text = format!(
        "pipeline `{pipeline}` already has a STATE or files at {}: it was not overwritten",
        place.display()
    );
    TargetError::new("E0392", Status::Config, text).with_hint("choose another name, or clear that STATE")
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
