//! What an error of the server means. A server's words are kept only where they cannot hold a record's value;
//! DETAIL, CONTEXT and HINT never are.

use std::error::Error as _;

use thiserror::Error as ThisError;
use tokio_postgres::error::{DbError, SqlState};

/// Result of talking to a server.
pub type Result<T> = std::result::Result<T, Error>;

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A setting is wrong.
    Settings,
    /// Nobody answers there.
    Unreachable,
    /// The server does not let us in.
    Login,
    /// The server did not prove who it is, or does not encrypt.
    Untrusted,
    /// There is a proxy that changes the session with each transaction.
    Pooled,
    /// The role lacks a right.
    Right,
    /// The connection broke.
    Lost,
    /// It would go well a little later: a deadlock, a server that is being started.
    Passing,
    /// Another session holds a lock.
    Locked,
    /// Disk or memory of the server are used up.
    Full,
    /// The server says no, for another reason.
    Refused,
    /// What we ourselves did wrong.
    Bug,
}

/// What went wrong with a server. Never holds a record's value or a secret.
#[derive(Debug, Clone, ThisError)]
#[error("{message}")]
pub struct Error {
    /// What follows from it.
    pub kind: ErrorKind,
    /// What failed, where, and what was found.
    pub message: String,
    /// What to do, where that is the same for everybody.
    pub hint: Option<String>,
    /// The server's own code, when it answered.
    pub sql_state: Option<SqlState>,
}

impl Error {
    /// An error without a hint.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, sql_state: None }
    }

    /// A wrong setting.
    pub fn settings(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Settings, message)
    }

    /// The connection to `place` is gone; `why` says what was being done.
    #[must_use]
    pub fn lost(place: &str, why: &str) -> Self {
        Self::new(ErrorKind::Lost, format!("the connection to {place} was lost: {why}"))
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error of a statement at `place`; `doing` says what the statement was for.
    #[must_use]
    pub fn of_statement(place: &str, doing: &str, error: &tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refusal) => refused(place, doing, refusal),
            None if error.is_closed() => Self::lost(place, &format!("while {doing}")),
            None => match error.source() {
                // Only these come from the network; the rest is a shape that the client did not expect.
                Some(cause) if cause.is::<std::io::Error>() => {
                    Self::lost(place, &format!("while {doing}: {cause}"))
                }
                _ => Self::new(ErrorKind::Bug, format!("{doing} at {place} failed: {error}")),
            },
        }
    }
}

fn refused(place: &str, doing: &str, refusal: &DbError) -> Error {
    let code = refusal.code();
    let said = words(refusal);
    let text = format!("{doing} at {place} failed: {said} (SQLSTATE {})", code.code());
    let kind = match (class(code), code.code()) {
        (_, "55P03") => ErrorKind::Locked,
        ("08", _)
        | (
            _,
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "40001" | "40P01" | "53300" | "42P06" | "42P07",
        ) => ErrorKind::Passing,
        ("28", _) | (_, "3D000") => ErrorKind::Login,
        (_, "42501") => ErrorKind::Right,
        ("53", _) => ErrorKind::Full,
        _ => ErrorKind::Refused,
    };
    let error = Error { sql_state: Some(code.clone()), ..Error::new(kind, text) };
    match kind {
        ErrorKind::Login => {
            error.with_hint("check `user`, `password`, `database`, and the server's pg_hba.conf")
        }
        ErrorKind::Full if code.code() == "53400" => error.with_hint(
            "it is a limit of the server's settings, of slots `max_replication_slots`: raise it, or drop what nobody needs",
        ),
        ErrorKind::Full => error.with_hint("free space or memory at the server"),
        _ => error,
    }
}

/// The class of a SQLSTATE: its first two letters.
#[must_use]
pub fn class(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}

/// The server's words where they name only tables, columns and sessions; our own where they may quote a value.
fn words(refusal: &DbError) -> String {
    let code = refusal.code();
    match class(code) {
        "08" | "0A" | "25" | "28" | "2B" | "3D" | "3F" | "40" | "42" | "53" | "55" | "57" | "58" => {
            refusal.message().to_owned()
        }
        _ => condition(code).to_owned() + &constraint_or_column(refusal),
    }
}

/// Which constraint or column, when the server says it in a field of its own.
#[must_use]
pub fn constraint_or_column(refusal: &DbError) -> String {
    match (refusal.constraint(), refusal.column()) {
        (Some(constraint), _) => format!(", constraint `{constraint}`"),
        (None, Some(column)) => format!(", column `{column}`"),
        (None, None) => String::new(),
    }
}

/// A SQLSTATE in words.
#[must_use]
pub fn condition(code: &SqlState) -> &'static str {
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
        "P0001" => "a function or a trigger raised an error",
        other => match other.get(..2).unwrap_or_default() {
            "22" => "the value is not valid",
            "23" => "a constraint says no",
            "54" => "a limit of the server was passed",
            _ => "the server refused it",
        },
    }
}
