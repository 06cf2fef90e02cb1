//! The ledger's tables. A format is never changed once released: a new one is appended, and files are
//! moved forward step by step.

use rusqlite::{Connection, TransactionBehavior};

/// `application_id` of a ledger: "taps" in ASCII, so that another program's file is not taken for ours.
pub(crate) const APPLICATION_ID: i64 = 0x7461_7073;

const STEPS: &[&str] = &[RUNS_AND_STATES, STATES_FROM_ELSEWHERE, KEPT, KEPT_STATES];

const RUNS_AND_STATES: &str = "
CREATE TABLE runs (
    id           TEXT NOT NULL PRIMARY KEY,
    environment  TEXT NOT NULL,
    pipeline     TEXT NOT NULL,
    tap          TEXT NOT NULL,
    target       TEXT NOT NULL,
    pid          INTEGER NOT NULL,
    host         TEXT NOT NULL,
    started      TEXT NOT NULL,
    ended        TEXT,
    status       TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'cancelled', 'lost')),
    exit_code    INTEGER,
    error_code   TEXT,
    error_text   TEXT,
    error_hint   TEXT,
    tap_said     TEXT,
    log          TEXT NOT NULL,
    state_before TEXT,
    state_after  TEXT
) STRICT;
CREATE INDEX runs_of_pipeline ON runs (pipeline, environment, id);
CREATE INDEX runs_open ON runs (status) WHERE status = 'running';

CREATE TABLE run_streams (
    run              TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position         INTEGER NOT NULL,
    stream           TEXT NOT NULL,
    place            TEXT NOT NULL,
    records_read     INTEGER NOT NULL,
    records_written  INTEGER NOT NULL,
    records_rejected INTEGER NOT NULL,
    bytes            INTEGER NOT NULL,
    seconds          REAL NOT NULL,
    bookmark_before  TEXT,
    bookmark_after   TEXT,
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE states (
    id          INTEGER PRIMARY KEY,
    environment TEXT NOT NULL,
    pipeline    TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    run         TEXT,
    state       TEXT,
    sha256      BLOB,
    time        TEXT NOT NULL,
    how         TEXT NOT NULL CHECK (how IN ('run', 'set', 'clear', 'move'))
) STRICT;
CREATE INDEX states_of_pipeline ON states (environment, pipeline, id);
";

/// A table's CHECK cannot be changed: it is made anew.
const STATES_FROM_ELSEWHERE: &str = "
ALTER TABLE run_streams ADD COLUMN merged INTEGER NOT NULL DEFAULT 0;
CREATE TABLE new_states (
    id          INTEGER PRIMARY KEY,
    environment TEXT NOT NULL,
    pipeline    TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    run         TEXT,
    state       TEXT,
    sha256      BLOB,
    time        TEXT NOT NULL,
    how         TEXT NOT NULL CHECK (how IN ('run', 'set', 'clear', 'move', 'import', 'rollback'))
) STRICT;
INSERT INTO new_states SELECT * FROM states;
DROP TABLE states;
ALTER TABLE new_states RENAME TO states;
CREATE INDEX states_of_pipeline ON states (environment, pipeline, id);
";

const KEPT: &str = "
CREATE TABLE kept (
    environment TEXT NOT NULL,
    pipeline    TEXT NOT NULL,
    what        TEXT NOT NULL,
    text        TEXT NOT NULL,
    time        TEXT NOT NULL,
    PRIMARY KEY (environment, pipeline, what)
) STRICT, WITHOUT ROWID;
";

/// For targets that keep no STATE of their own.
const KEPT_STATES: &str = "
ALTER TABLE runs ADD COLUMN target_said TEXT;
CREATE TABLE kept_states (
    environment TEXT NOT NULL,
    pipeline    TEXT NOT NULL,
    target      TEXT NOT NULL,
    tap         TEXT NOT NULL,
    state       TEXT,
    sha256      BLOB,
    sequence    INTEGER NOT NULL,
    run         TEXT NOT NULL,
    time        TEXT NOT NULL,
    PRIMARY KEY (environment, pipeline, target)
) STRICT, WITHOUT ROWID;
";

/// The newest format that this program knows.
pub(crate) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The format of the open file.
pub(crate) fn format_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings the file forward to the newest format, all steps in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = usize::try_from(format_of(&transaction)?).unwrap_or(0);
    for step in STEPS.iter().skip(found) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", newest())?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}
