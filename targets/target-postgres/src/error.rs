//! From the server's errors to ours. A server's words are kept only where they cannot hold a record's value;
//! DETAIL, CONTEXT and HINT never are.

use std::error::Error as _;

use columns::StreamName;
use target_api::{Status, TargetError, refusal};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// A wrong setting.
pub(crate) fn settings(message: impl Into<String>) -> TargetError {
    TargetError::new("E0310", Status::Config, message)
}

/// The epoch is over because its connection is.
pub(crate) fn lost(place: &str, why: &str) -> TargetError {
    TargetError::temporary("E0316", format!("the connection to {place} was lost: {why}")).with_hint(
        "nothing after the last commit was kept; the run goes on from there when it is tried again",
    )
}

/// What we ourselves did wrong.
pub(crate) fn bug(message: impl Into<String>) -> TargetError {
    TargetError::permanent("E0320", message).with_hint("this is a fault of tapster: please report it")
}

/// Whether the server refused a value: classes 22 (data), 23 (constraint), 54 (limit).
pub(crate) fn refuses_value(error: &Error) -> bool {
    error.code().is_some_and(|code| matches!(class(code), "22" | "23" | "54"))
}

/// Whether a record with this key is already there.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    error.code() == Some(&SqlState::UNIQUE_VIOLATION)
}

fn class(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}

/// The error of a statement. `doing` says what it was for.
pub(crate) fn statement(place: &str, doing: &str, error: &Error) -> TargetError {
    match error.as_db_error() {
        Some(refusal) => refused(place, doing, refusal),
        None if error.is_closed() => lost(place, &format!("while {doing}")),
        None => match error.source() {
            // Only these come from the network; the rest is a shape that the client did not expect.
            Some(cause) if cause.is::<std::io::Error>() => lost(place, &format!("while {doing}: {cause}")),
            _ => bug(format!("{doing} at {place} failed: {error}")),
        },
    }
}

fn refused(place: &str, doing: &str, refusal: &DbError) -> TargetError {
    let code = refusal.code();
    let said = words(refusal);
    let text = format!("{doing} at {place} failed: {said} (SQLSTATE {})", code.code());
    let error = |number, status| TargetError::new(number, status, text.clone());
    match (class(code), code.code()) {
        (_, "55P03") => error("E0318", Status::Busy)
            .with_hint("another session holds a lock on it: see pg_stat_activity, or raise `lock_timeout`"),
        ("08", _)
        | (
            _,
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "40001" | "40P01" | "53300" | "42P06" | "42P07",
        ) => error("E0317", Status::Temporary),
        ("28", _) | (_, "3D000") => error("E0312", Status::Config)
            .with_hint("check `user`, `password`, `database`, and the server's pg_hba.conf"),
        (_, "42501") => error("E0314", Status::Config)
            .with_hint("the role lacks a right: see the page of this error for the GRANTs"),
        ("2B", _) | (_, "0A000") => error("E0320", Status::Permanent).with_hint(
            "drop what depends on the column (a view, mostly), run again, and make it anew; nothing was changed",
        ),
        ("53", _) => error("E0319", Status::Permanent).with_hint("free space or memory at the server"),
        _ => error("E0320", Status::Permanent),
    }
}

/// The server's words where they name only tables, columns and sessions; our own where they may quote a value.
fn words(refusal: &DbError) -> String {
    let code = refusal.code();
    match class(code) {
        "08" | "0A" | "25" | "28" | "2B" | "3D" | "3F" | "40" | "42" | "53" | "55" | "57" | "58" => {
            refusal.message().to_owned()
        }
        _ => condition(code).to_owned() + &whose(refusal),
    }
}

/// Which constraint or column, when the server says it in a field of its own.
fn whose(refusal: &DbError) -> String {
    match (refusal.constraint(), refusal.column()) {
        (Some(constraint), _) => format!(", constraint `{constraint}`"),
        (None, Some(column)) => format!(", column `{column}`"),
        (None, None) => String::new(),
    }
}

/// A SQLSTATE in words.
fn condition(code: &SqlState) -> &'static str {
    match code.code() {
        "22001" => "the value is too long",
        "22003" => "the number is out of range",
        "22007" | "22008" => "the day or time is out of range",
        "22021" => "the text has a character that the server cannot hold",
        "22P02" => "the value does not have the form of its type",
        "22P03" => "the value's binary form is wrong",
        "22P05" => "the text has a character that the database's encoding lacks",
        "23502" => "the value is null where null is not allowed",
        "23503" => "a record that it refers to is missing",
        "23505" => "another record has the same value in a unique column",
        "23514" => "a check constraint says no",
        "23P01" => "an exclusion constraint says no",
        "54000" => "the value is larger than an index or a type allows",
        "P0001" => "a trigger of the table raised an error",
        other => match other.get(..2).unwrap_or_default() {
            "22" => "the value is not valid",
            "23" => "a constraint says no",
            "54" => "a limit of the server was passed",
            _ => "the server refused it",
        },
    }
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
        let mut whose = whose(refusal);
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
