//! The STATE, beside the data and in the same transaction: `_tapster_state`.

use duckdb::{Connection, OptionalExt as _, params};
use target_api::{FullRefresh, Result, RunIdentity, StateChange, StoredState, refusal};

use crate::error;

/// Where every pipeline's STATE is, whatever schema its tables are in. Without schema, which could as well be the
/// name of the file: `main`, the first in the search path, has it.
const TABLE: &str = "_tapster_state";

const WHERE: &str = "environment = ? AND pipeline = ? AND shard = ?";

/// A row of the state table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateRow {
    pub state: Option<String>,
    pub sequence: i64,
    pub fence: i64,
    pub tap: String,
    pub run: String,
}

impl From<StateRow> for StoredState {
    fn from(row: StateRow) -> Self {
        Self { state: row.state, sequence: row.sequence, tap: row.tap, run: row.run }
    }
}

/// Makes the state table. It has no index: DuckDB checks one too early where a row is replaced in a transaction.
pub(crate) fn ensure(connection: &Connection) -> Result<()> {
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {TABLE} (environment VARCHAR NOT NULL, pipeline VARCHAR NOT NULL, \
         shard VARCHAR NOT NULL, tap VARCHAR NOT NULL, state VARCHAR, sequence BIGINT NOT NULL, \
         fence BIGINT NOT NULL, run VARCHAR NOT NULL, time TIMESTAMP WITH TIME ZONE NOT NULL)"
    );
    connection.execute_batch(&sql).map_err(|e| error::failed("make its state table", &e))
}

/// Reads the row of a pipeline; `None` when there is none, or no table.
pub(crate) fn read(connection: &Connection, run: &RunIdentity) -> Result<Option<StateRow>> {
    if !is_there(connection)? {
        return Ok(None);
    }
    let sql = format!("SELECT state, sequence, fence, tap, run FROM {TABLE} WHERE {WHERE}");
    connection
        .query_row(&sql, params![run.environment, run.pipeline, run.shard], |row| {
            Ok(StateRow {
                state: row.get(0)?,
                sequence: row.get(1)?,
                fence: row.get(2)?,
                tap: row.get(3)?,
                run: row.get(4)?,
            })
        })
        .optional()
        .map_err(|e| error::failed("read its state table", &e))
}

fn is_there(connection: &Connection) -> Result<bool> {
    let sql = "SELECT count(*) > 0 FROM duckdb_tables() WHERE database_name = current_database() \
               AND schema_name = 'main' AND table_name = '_tapster_state'";
    connection.query_row(sql, [], |row| row.get(0)).map_err(|e| error::failed("look for its state table", &e))
}

/// Takes the fence, within the caller's transaction, and returns the row as it is from then on. Refuses the STATE
/// of another tap unless everything starts over.
pub(crate) fn take_fence(connection: &Connection, run: &RunIdentity) -> Result<StateRow> {
    let fails = |e: duckdb::Error| error::failed("take the fence of the pipeline", &e);
    let Some(row) = read(connection, run)? else {
        let sql = format!("INSERT INTO {TABLE} VALUES (?, ?, ?, ?, NULL, 0, 1, ?, now())");
        let values = params![run.environment, run.pipeline, run.shard, run.tap, run.run];
        connection.execute(&sql, values).map_err(fails)?;
        let (tap, run) = (run.tap.clone(), run.run.clone());
        return Ok(StateRow { state: None, sequence: 0, fence: 1, tap, run });
    };
    let foreign = row.state.is_some() && row.tap != run.tap;
    if foreign && !run.replaces_foreign_state() {
        return Err(refusal::foreign_state(&run.pipeline, file(connection), &row.tap, &run.tap));
    }
    let sql = format!("UPDATE {TABLE} SET fence = fence + 1, run = ? WHERE {WHERE}");
    connection.execute(&sql, params![run.run, run.environment, run.pipeline, run.shard]).map_err(fails)?;
    // A STATE that is given up stays in the row until the first commit, and nobody sees it.
    let state = row.state.filter(|_| run.full_refresh != FullRefresh::All);
    Ok(StateRow { state, fence: row.fence + 1, run: run.run.clone(), ..row })
}

/// Makes sure that this run still holds the fence and knows the last commit.
pub(crate) fn hold(connection: &Connection, run: &RunIdentity, fence: i64, sequence: i64) -> Result<()> {
    if !run.keeps_state {
        return Ok(());
    }
    match read(connection, run)? {
        Some(row) if (row.fence, row.sequence) == (fence, sequence) => Ok(()),
        Some(row) => Err(refusal::fenced(&run.pipeline, file(connection), Some(&row.run))),
        None => Err(refusal::fenced(&run.pipeline, file(connection), None)),
    }
}

/// The file, for people.
pub(crate) fn file(connection: &Connection) -> String {
    connection.path().map_or_else(|| "a file in memory".to_owned(), |path| path.display().to_string())
}

/// Writes a commit's outcome. Exactly one row must be this run's.
pub(crate) fn write(
    connection: &Connection,
    run: &RunIdentity,
    fence: i64,
    sequence: i64,
    change: &StateChange,
) -> Result<()> {
    if !run.keeps_state {
        return Ok(());
    }
    let (state, tap): (&str, &str) = match change {
        StateChange::Keep => ("state", "CASE WHEN state IS NULL THEN ? ELSE tap END"),
        StateChange::Set(_) | StateChange::Clear => ("?", "?"),
    };
    let sql = format!(
        "UPDATE {TABLE} SET state = {state}, tap = {tap}, sequence = sequence + 1, run = ?, time = now() \
         WHERE {WHERE} AND fence = ? AND sequence = ?"
    );
    let key = params![run.tap, run.run, run.environment, run.pipeline, run.shard, fence, sequence];
    let changed = match change {
        StateChange::Keep => connection.execute(&sql, key),
        StateChange::Set(text) => {
            let values =
                params![&**text, run.tap, run.run, run.environment, run.pipeline, run.shard, fence, sequence];
            connection.execute(&sql, values)
        }
        StateChange::Clear => {
            let none: Option<&str> = None;
            let values =
                params![none, run.tap, run.run, run.environment, run.pipeline, run.shard, fence, sequence];
            connection.execute(&sql, values)
        }
    };
    match changed.map_err(|e| error::failed("write the STATE", &e))? {
        1 => Ok(()),
        _ => Err(refusal::fenced(&run.pipeline, file(connection), None)),
    }
}

/// Gives the row to another pipeline, within the caller's transaction.
pub(crate) fn rename(connection: &Connection, run: &RunIdentity, new: &str) -> Result<()> {
    let fails = |e: duckdb::Error| error::failed("rename the pipeline", &e);
    let target = RunIdentity { pipeline: new.to_owned(), ..run.clone() };
    if read(connection, &target)?.is_some_and(|row| row.state.is_some()) {
        return Err(refusal::name_taken(new, file(connection)));
    }
    let delete = format!("DELETE FROM {TABLE} WHERE {WHERE}");
    connection.execute(&delete, params![run.environment, new, run.shard]).map_err(fails)?;
    let update = format!("UPDATE {TABLE} SET pipeline = ? WHERE {WHERE}");
    connection
        .execute(&update, params![new, run.environment, run.pipeline, run.shard])
        .map(drop)
        .map_err(fails)
}
