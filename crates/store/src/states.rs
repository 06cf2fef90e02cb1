use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{PipelineName, Result, RunId, Store, StoreError, StreamFigures, ledger, raw_json, time};

/// What changed a pipeline's STATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StateCause {
    /// A run committed it.
    Run,
    /// A person set it.
    Set,
    /// A person cleared it, wholly or for some streams.
    Clear,
    /// The pipeline was renamed.
    Move,
    /// A person brought it from another tool, project or tap.
    Import,
    /// A person went back to an earlier one.
    Rollback,
}

impl StateCause {
    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Set => "set",
            Self::Clear => "clear",
            Self::Move => "move",
            Self::Import => "import",
            Self::Rollback => "rollback",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Run, Self::Set, Self::Clear, Self::Move, Self::Import, Self::Rollback]
            .into_iter()
            .find(|cause| cause.as_str() == word)
    }
}

/// A STATE that the target has committed, to be kept as a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewState {
    /// The sequence number that the target gave this commit.
    pub sequence: i64,
    /// The run that committed it, or the id under which a state verb took the lock.
    pub run: Option<RunId>,
    /// The STATE's JSON text, byte for byte; `None` when the pipeline has none any more.
    pub state: Option<String>,
    /// What changed it.
    pub how: StateCause,
}

/// One line of a pipeline's history of STATEs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateEntry {
    /// Pipeline and environment.
    #[serde(flatten)]
    pub name: PipelineName,
    /// The sequence number in the target.
    pub sequence: i64,
    /// The run that committed it.
    pub run: Option<String>,
    /// The STATE's JSON text, byte for byte as committed.
    #[serde(serialize_with = "raw_json::serialize")]
    pub state: Option<String>,
    /// When the copy was made.
    pub time: DateTime<Utc>,
    /// What changed it.
    pub how: StateCause,
}

const COLUMNS: &str = "environment, pipeline, sequence, run, state, time, how, sha256";

impl Store {
    /// Appends a copy of a STATE to the pipeline's history; call it after the target's commit.
    pub fn put_state(&self, name: &PipelineName, new: &NewState) -> Result<()> {
        self.write(|ledger| insert(ledger, name, new).map_err(|error| self.sqlite_error(error)))
    }

    /// Appends the copy of a STATE that an open run committed, with the run's figures as of that commit: all in one
    /// write, so that a run that is killed later is told by its last commit. Without a STATE (the commit left it as
    /// it was) the figures alone.
    pub fn record_checkpoint(
        &self,
        name: &PipelineName,
        run: &RunId,
        state: Option<&NewState>,
        streams: &[StreamFigures],
    ) -> Result<()> {
        self.write(|ledger| {
            state
                .map_or(Ok(()), |state| {
                    insert(ledger, name, state)?;
                    ledger::note_state_after(ledger, run, state.state.as_deref())
                })
                .and_then(|()| ledger::replace_streams(ledger, run, streams))
                .map_err(|error| self.sqlite_error(error))
        })
    }

    /// The newest entry of the pipeline's history.
    pub fn latest_state(&self, name: &PipelineName) -> Result<Option<StateEntry>> {
        Ok(self.state_history(name, Some(1))?.pop())
    }

    /// The pipeline's history, newest first.
    pub fn state_history(&self, name: &PipelineName, limit: Option<u32>) -> Result<Vec<StateEntry>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM states WHERE environment = ?1 AND pipeline = ?2 ORDER BY id DESC LIMIT ?3"
        );
        let limit = limit.map_or(-1, i64::from);
        let rows = self.read(|ledger| {
            let parameters = params![name.environment, name.pipeline, limit];
            ledger.prepare(&sql)?.query_map(parameters, read_entry)?.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter().map(|row| self.verified(row)).collect()
    }

    /// The newest entry of every pipeline that has a history, by environment and name.
    pub fn list_states(&self) -> Result<Vec<StateEntry>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM states WHERE id IN \
             (SELECT max(id) FROM states GROUP BY environment, pipeline) ORDER BY environment, pipeline"
        );
        let rows = self.read(|ledger| {
            ledger.prepare(&sql)?.query_map([], read_entry)?.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter().map(|row| self.verified(row)).collect()
    }

    /// Refuses a new name under which a STATE is known: ask it before the target moves anything.
    pub fn check_new_name(&self, from: &PipelineName, to: &PipelineName) -> Result<()> {
        if self.read(|ledger| has_state(ledger, to))? {
            return Err(StoreError::NameTaken { from: from.clone(), to: to.clone() });
        }
        Ok(())
    }

    /// Gives a pipeline's runs and history of STATEs to its new name, and notes the move. What is kept under the new
    /// name gives way, also the history of a STATE that was cleared.
    /// Call it after the target has moved its STATE, under the locks of both names.
    pub fn rename_pipeline(&self, from: &PipelineName, to: &PipelineName, moved: &NewState) -> Result<()> {
        self.write(|ledger| {
            if has_state(ledger, to).map_err(|error| self.sqlite_error(error))? {
                return Err(StoreError::NameTaken { from: from.clone(), to: to.clone() });
            }
            rename(ledger, from, to)
                .and_then(|()| insert(ledger, to, moved))
                .map_err(|error| self.sqlite_error(error))
        })
    }

    /// A copy that rotted on the disk is never shown as if it were the STATE.
    fn verified(&self, (entry, sum): (StateEntry, Option<Vec<u8>>)) -> Result<StateEntry> {
        if checksum(entry.state.as_deref()) == sum {
            Ok(entry)
        } else {
            let StateEntry { name, sequence, .. } = entry;
            Err(self.damaged(format!("the copy of STATE {sequence} of {name} does not match its checksum")))
        }
    }
}

fn insert(ledger: &Transaction<'_>, name: &PipelineName, new: &NewState) -> rusqlite::Result<()> {
    ledger.execute(
        "INSERT INTO states (environment, pipeline, sequence, run, state, time, how, sha256) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            name.environment,
            name.pipeline,
            new.sequence,
            new.run.map(|run| run.to_string()),
            new.state,
            time::to_text(time::now()),
            new.how.as_str(),
            checksum(new.state.as_deref()),
        ],
    )?;
    Ok(())
}

/// Whether the newest entry of the history is a STATE, and not that it was cleared.
fn has_state(ledger: &Connection, name: &PipelineName) -> rusqlite::Result<bool> {
    let sql = "SELECT state IS NOT NULL FROM states \
               WHERE environment = ?1 AND pipeline = ?2 ORDER BY id DESC LIMIT 1";
    let newest = ledger.query_row(sql, params![name.environment, name.pipeline], |row| row.get(0));
    newest.optional().map(|has_state| has_state.unwrap_or(false))
}

fn rename(ledger: &Transaction<'_>, from: &PipelineName, to: &PipelineName) -> rusqlite::Result<()> {
    for table in ["states", "kept"] {
        ledger.execute(
            &format!("DELETE FROM {table} WHERE environment = ?1 AND pipeline = ?2"),
            params![to.environment, to.pipeline],
        )?;
    }
    for table in ["runs", "states", "kept"] {
        ledger.execute(
            &format!(
                "UPDATE {table} SET environment = ?3, pipeline = ?4 WHERE environment = ?1 AND pipeline = ?2"
            ),
            params![from.environment, from.pipeline, to.environment, to.pipeline],
        )?;
    }
    Ok(())
}

pub(crate) fn checksum(state: Option<&str>) -> Option<Vec<u8>> {
    state.map(|text| Sha256::digest(text.as_bytes()).to_vec())
}

fn read_entry(row: &Row<'_>) -> rusqlite::Result<(StateEntry, Option<Vec<u8>>)> {
    let how: String = row.get(6)?;
    let entry = StateEntry {
        name: PipelineName { environment: row.get(0)?, pipeline: row.get(1)? },
        sequence: row.get(2)?,
        run: row.get(3)?,
        state: row.get(4)?,
        time: time::from_text(5, &row.get::<_, String>(5)?)?,
        how: StateCause::parse(&how).ok_or(rusqlite::Error::IntegralValueOutOfRange(6, 0))?,
    };
    Ok((entry, row.get(7)?))
}

#[cfg(test)]
mod tests;
