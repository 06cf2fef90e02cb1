//! The one transaction that makes an epoch durable, STATE and all, or nothing of it.

use duckdb::Connection;
use target_api::{Checkpoint, Committed, FullRefresh, Result, StateChange, TargetError};

use crate::failpoint::failpoint;
use crate::session::{Epoch, OpenTable, Run, Session, Step, discard_staged};
use crate::{ddl, error, merge, state, tables};

impl Session {
    pub(crate) fn commit(&mut self, checkpoint: &Checkpoint) -> Result<Committed> {
        self.alive()?;
        let epoch = std::mem::take(&mut self.epoch);
        self.tables.values_mut().for_each(|table| table.step = None);
        tracing::debug!(target: "tapster::phase", phase = "merge", steps = epoch.steps.len());
        let committed = self.commit_epoch(&epoch, checkpoint);
        // Whatever became of it, what was staged is done with.
        let discarded = self.held().and_then(|(connection, _)| discard_staged(connection, &epoch.steps));
        self.failed |= committed.is_err() || discarded.is_err();
        let committed = committed?;
        if let Some(run) = &mut self.run {
            run.sequence = committed.sequence;
            run.to_empty.clear();
            run.started_over = true;
            run.has_state |= run.identity.keeps_state && matches!(checkpoint.state, StateChange::Set(_));
        }
        failpoint("duckdb::after_commit", &self.held()?.1.identity.pipeline)?;
        Ok(committed)
    }

    fn commit_epoch(&self, epoch: &Epoch, checkpoint: &Checkpoint) -> Result<Committed> {
        let (connection, run) = self.held()?;
        let mut at = None;
        let done = in_transaction(connection, || {
            state::hold(connection, &run.identity, run.fence, run.sequence)?;
            failpoint("duckdb::before_merge", &run.identity.pipeline)?;
            self.change_tables(connection, epoch)?;
            for step in &epoch.steps {
                at = Some(step);
                self.take(connection, step)?;
            }
            at = None;
            failpoint("duckdb::after_merge", &run.identity.pipeline)?;
            for owned in epoch.owned.values() {
                tables::write(connection, owned)?;
            }
            failpoint("duckdb::before_state", &run.identity.pipeline)?;
            let change = state_change(run, &checkpoint.state);
            state::write(connection, &run.identity, run.fence, run.sequence, change)?;
            tracing::debug!(target: "tapster::phase", phase = "commit_sent", sequence = run.sequence + 1);
            failpoint("duckdb::before_commit", &run.identity.pipeline)?;
            Ok(())
        });
        if let Err(cause) = done {
            return Err(self.explained(connection, at, cause));
        }
        let sequence = run.sequence + 1;
        tracing::debug!(target: "tapster::phase", phase = "committed", sequence);
        Ok(Committed { sequence })
    }

    /// All changes of tables, then what starts over is emptied.
    fn change_tables(&self, connection: &Connection, epoch: &Epoch) -> Result<()> {
        for change in &epoch.changes {
            change.make(connection)?;
        }
        let (_, run) = self.held()?;
        for (stream, place) in &run.to_empty {
            let moved =
                run.owned.iter().any(|t| t.is_of(&run.identity) && t.stream == *stream && t.place != *place);
            if moved || ddl::inspect(connection, place)?.is_none() {
                continue;
            }
            let what = format!("empty {}", place.written());
            let sql = format!("DELETE FROM {}", place.sql());
            connection.execute_batch(&sql).map_err(|e| error::failed(&what, &e))?;
        }
        Ok(())
    }

    fn take(&self, connection: &Connection, step: &Step) -> Result<()> {
        match step {
            Step::Merge(staging) => merge::merge(connection, staging, self.table(staging.stream.as_str())?),
            Step::KeepVersion(stream, version) => {
                merge::keep_version(connection, self.table(stream.as_str())?, *version)
            }
            Step::UniqueKey { stream, old, new } => {
                let place = &self.table(stream.as_str())?.place;
                merge::refuse_repeated_key(connection, stream, place, (old.as_deref(), new))
            }
        }
    }

    fn table(&self, stream: &str) -> Result<&OpenTable> {
        let unknown = || error::order(format!("stream `{stream}` has no open table"));
        self.tables.get(stream).ok_or_else(unknown)
    }

    /// The record that made a merge fail, where there is one; it is looked for after the rollback.
    fn explained(&self, connection: &Connection, at: Option<&Step>, cause: TargetError) -> TargetError {
        let Some(Step::Merge(staging)) = at else { return cause };
        let Ok(table) = self.table(staging.stream.as_str()) else { return cause };
        merge::refused_record(connection, staging, table).unwrap_or(cause)
    }
}

/// When all starts over, a STATE from before is given up with the first commit, whatever that one says.
fn state_change<'a>(run: &Run, change: &'a StateChange) -> &'a StateChange {
    match change {
        StateChange::Keep if run.identity.full_refresh == FullRefresh::All && !run.started_over => {
            &StateChange::Clear
        }
        change => change,
    }
}

/// Runs work in a transaction: all of it is durable when this returns `Ok`, and nothing when it does not.
pub(crate) fn in_transaction<T>(connection: &Connection, work: impl FnOnce() -> Result<T>) -> Result<T> {
    connection.execute_batch("BEGIN TRANSACTION").map_err(|e| error::failed("begin a transaction", &e))?;
    let done = work().and_then(|value| {
        connection.execute_batch("COMMIT").map_err(|e| error::failed("commit", &e))?;
        Ok(value)
    });
    if done.is_err() {
        // It fails when the commit itself has failed: then there is nothing left to roll back.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

#[cfg(test)]
mod tests;
