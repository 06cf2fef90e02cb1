//! From the server's errors to the tap's.

use postgres::{Error, ErrorKind};
use tap_sdk::TapError;

use crate::log_based::{HELD, READING};

/// What an error of the server means for a sync.
pub(crate) fn from_server(error: Error) -> TapError {
    let is = |code: &str| error.sql_state.as_ref().is_some_and(|state| state.code() == code);
    if is("42704") && error.message.starts_with(READING) {
        // The log is read with the catalog as it was then.
        return TapError::config(error.message).with_hint(
            "the publication is newer than what the slot keeps, or the slot is gone: run once with --full-refresh of the streams that are LOG_BASED",
        );
    }
    if is("55006") {
        return TapError::temporary(error.message).with_hint(HELD);
    }
    let timed_out = is("57014");
    let own_hint = match error.kind {
        ErrorKind::Lost => Some("the sync goes on from its last STATE when it is tried again"),
        ErrorKind::Locked => Some("another session holds a lock on it: see pg_stat_activity"),
        ErrorKind::Right if error.message.contains("replication") => {
            Some("ALTER ROLE … REPLICATION, or GRANT the role that your provider has for it")
        }
        ErrorKind::Right => Some("GRANT USAGE ON SCHEMA and GRANT SELECT ON TABLE to the role"),
        ErrorKind::Refused if timed_out => {
            Some("raise `statement_timeout`, or see in pg_stat_activity who ended the statement")
        }
        ErrorKind::Bug => Some("this is a fault of tap-postgres: please report it"),
        _ => None,
    };
    let hint = error.hint.or_else(|| own_hint.map(str::to_owned));
    let tap_error = match error.kind {
        ErrorKind::Settings
        | ErrorKind::Login
        | ErrorKind::Untrusted
        | ErrorKind::Pooled
        | ErrorKind::Right => TapError::config(error.message),
        ErrorKind::Unreachable | ErrorKind::Lost | ErrorKind::Passing | ErrorKind::Locked => {
            TapError::temporary(error.message)
        }
        ErrorKind::Full | ErrorKind::Refused | ErrorKind::Bug => TapError::failed(error.message),
    };
    match hint {
        Some(hint) => tap_error.with_hint(hint),
        None => tap_error,
    }
}
