//! From the server's errors to ours, and to the records that they are about.

use columns::StreamName;
use postgres::{ErrorKind, class, condition, constraint_or_column};
use target_api::{Status, TargetError, refusal};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// A wrong setting.
pub(crate) fn settings(message: impl Into<String>) -> TargetError {
    from_server(postgres::Error::settings(message))
}

/// The epoch is over because its connection is.
pub(crate) fn lost(place: &str, why: &str) -> TargetError {
    from_server(postgres::Error::lost(place, why))
}

/// What we ourselves did wrong.
pub(crate) fn bug(message: impl Into<String>) -> TargetError {
    from_server(postgres::Error::new(ErrorKind::Bug, message))
}

/// Whether the server refused a value: classes 22 (data), 23 (constraint), 54 (limit).
pub(crate) fn refuses_value(error: &Error) -> bool {
    error.code().is_some_and(|code| matches!(class(code), "22" | "23" | "54"))
}

/// Whether a record with this key is already there.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    error.code() == Some(&SqlState::UNIQUE_VIOLATION)
}

/// The error of a statement. `doing` says what it was for.
pub(crate) fn statement(place: &str, doing: &str, error: &Error) -> TargetError {
    from_server(postgres::Error::of_statement(place, doing, error))
}

/// The page of an error, and what to do about it here.
pub(crate) fn from_server(error: postgres::Error) -> TargetError {
    let (code, status) = match error.kind {
        ErrorKind::Settings => ("E0310", Status::Config),
        ErrorKind::Unreachable => ("E0311", Status::Temporary),
        ErrorKind::Login => ("E0312", Status::Config),
        ErrorKind::Untrusted => ("E0313", Status::Config),
        ErrorKind::Right => ("E0314", Status::Config),
        ErrorKind::Pooled => ("E0315", Status::Config),
        ErrorKind::Lost => ("E0316", Status::Temporary),
        ErrorKind::Passing => ("E0317", Status::Temporary),
        ErrorKind::Locked => ("E0318", Status::Busy),
        ErrorKind::Full => ("E0319", Status::Permanent),
        ErrorKind::Refused | ErrorKind::Bug => ("E0320", Status::Permanent),
    };
    let depends = error.sql_state.as_ref().is_some_and(|code| class(code) == "2B" || code.code() == "0A000");
    let hint = match error.kind {
        ErrorKind::Lost => {
            Some("nothing after the last commit was kept; the run goes on from there when it is tried again")
        }
        ErrorKind::Locked => {
            Some("another session holds a lock on it: see pg_stat_activity, or raise `lock_timeout`")
        }
        ErrorKind::Right => Some("the role lacks a right: see the page of this error for the GRANTs"),
        ErrorKind::Refused if depends => Some(
            "drop what depends on the column (a view, mostly), run again, and make it anew; nothing was changed",
        ),
        ErrorKind::Bug => Some("this is a fault of tapster: please report it"),
        _ => None,
    };
    let hint = error.hint.or_else(|| hint.map(str::to_owned));
    TargetError { hint, ..TargetError::new(code, status, error.message) }
}

/// One record that the server refuses, found by its place. `name` says which of the table's columns a name in the
/// server's context means, if any: nothing else of the context is kept.
pub(crate) fn record(
    stream: &StreamName,
    record: u64,
    table: &str,
    name: impl Fn(&str) -> Option<String>,
    error: &Error,
) -> TargetError {
    let why = error.as_db_error().map_or("the server refused it".to_owned(), |refusal| {
        let mut whose = constraint_or_column(refusal);
        if whose.is_empty() {
            let column = copied_column(refusal).and_then(name);
            whose = column.map(|column| format!(", column `{column}`")).unwrap_or_default();
        }
        format!("{}{whose} (SQLSTATE {})", condition(refusal.code()), refusal.code().code())
    });
    refusal::record(stream, record, &format!("Postgres refuses it for {table}: {why}"))
}

/// COPY names the column in its context: `COPY t, line 5, column c`.
fn copied_column(refusal: &DbError) -> Option<&str> {
    let line = refusal.where_()?.lines().rfind(|line| line.starts_with("COPY "))?;
    let (_, column) = line.rsplit_once(", column ")?;
    Some(column.split(": ").next().unwrap_or(column))
}
