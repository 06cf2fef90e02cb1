//! What a run holds between its calls: the open file, the fence, the tables, and the epoch that is not committed.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use columns::StreamName;
use duckdb::Connection;
use target_api::{
    ActualColumn, ColumnType, FullRefresh, Result, RunIdentity, StoredState, Table, TargetError,
};

use crate::config::Config;
use crate::connection::{self, Database};
use crate::ddl::TablePlan;
use crate::stage::Staging;
use crate::tables::{self, OwnedTable, Place};
use crate::{commit, error, state};

/// The synchronous half of the target. It lives on a thread of its own.
pub(crate) struct Session {
    pub config: Config,
    pub prober: Option<PathBuf>,
    pub database: Option<Database>,
    pub run: Option<Run>,
    pub tables: HashMap<StreamName, OpenTable>,
    pub epoch: Epoch,
    pub stagings_made: u64,
    /// After an error in an epoch nothing more may be committed in it.
    pub failed: bool,
}

/// A run that holds the fence.
pub(crate) struct Run {
    pub identity: RunIdentity,
    pub fence: i64,
    pub sequence: i64,
    /// Whether the run goes on from a STATE.
    pub has_state: bool,
    /// Tables to empty in the first commit; none after it.
    pub to_empty: Vec<(String, Place)>,
    pub owned: Vec<OwnedTable>,
}

/// A stream's table, as it will be once the epoch is committed.
#[derive(Debug, Clone)]
pub(crate) struct OpenTable {
    pub wanted: Table,
    pub place: Place,
    /// Column names, in the order of the stream's columns.
    pub names: Vec<String>,
    pub actual: Vec<ActualColumn>,
    /// Columns by which records are replaced; empty when all are appended.
    pub merge_key: Vec<String>,
    /// Records written by this run.
    pub records: u64,
    /// Index of the epoch's step that takes the next batch.
    pub step: Option<usize>,
}

impl OpenTable {
    pub(crate) fn actual_type(&self, name: &str) -> Option<&ColumnType> {
        self.actual.iter().find(|actual| actual.name == name)?.column_type.as_ref()
    }

    /// The column that holds a property.
    pub(crate) fn column_of(&self, property: &str) -> Option<&str> {
        let columns = self.wanted.schema.columns.iter().zip(&self.names);
        columns.filter(|(column, _)| column.name == property).map(|(_, name)| name.as_str()).next()
    }

    /// Gives a column another type; returns the statement for the commit.
    pub(crate) fn retype(&mut self, name: &str, to: &ColumnType) -> Option<String> {
        let mut plan = TablePlan {
            names: Vec::new(),
            actual: std::mem::take(&mut self.actual),
            created: false,
            statements: Vec::new(),
        };
        let statement = plan.retype(&self.place, name, to);
        self.actual = plan.actual;
        statement
    }
}

/// All that the next commit makes durable.
#[derive(Debug, Default)]
pub(crate) struct Epoch {
    /// Changes of tables; they run before any step, since DuckDB refuses to alter what it has deleted from.
    pub statements: Vec<String>,
    /// What happens to records, in order.
    pub steps: Vec<Step>,
    /// Tables whose entry is new or other.
    pub owned: BTreeMap<String, OwnedTable>,
}

/// One thing that happens to a table's records.
#[derive(Debug)]
pub(crate) enum Step {
    /// Staged records are merged.
    Merge(Staging),
    /// Records of other versions go.
    KeepVersion(StreamName, i64),
    /// The records there must differ in the stream's new key.
    UniqueKey(StreamName),
}

impl Session {
    pub(crate) fn new(config: Config, prober: Option<PathBuf>) -> Self {
        Self {
            config,
            prober,
            database: None,
            run: None,
            tables: HashMap::new(),
            epoch: Epoch::default(),
            stagings_made: 0,
            failed: false,
        }
    }

    pub(crate) fn check(&mut self) -> Result<()> {
        if self.database.is_some() {
            return Ok(());
        }
        connection::check(&self.config, self.prober.as_deref())
    }

    pub(crate) fn resume(&mut self, identity: &RunIdentity) -> Result<Option<String>> {
        self.discard()?;
        self.run = None;
        let database = match self.database.take() {
            Some(database) => database,
            None => Database::open(&self.config, self.prober.as_deref())?,
        };
        let connection = &database.connection;
        let row = commit::in_transaction(connection, || {
            state::ensure(connection)?;
            tables::ensure(connection)?;
            state::take_fence(connection, identity)
        })?;
        let owned = tables::read(connection)?;
        let to_empty = owned
            .iter()
            .filter(|table| table.is_of(identity) && identity.full_refresh.covers(&table.stream))
            .map(|table| (table.stream.clone(), table.place.clone()))
            .collect();
        self.run = Some(Run {
            identity: identity.clone(),
            fence: row.fence,
            sequence: row.sequence,
            has_state: row.state.is_some(),
            to_empty,
            owned,
        });
        self.database = Some(database);
        Ok(row.state)
    }

    pub(crate) fn stored_state(&mut self, identity: &RunIdentity) -> Result<Option<StoredState>> {
        let row = match &self.database {
            Some(database) => state::read(&database.connection, identity)?,
            None => match connection::open_to_read(&self.config, self.prober.as_deref())? {
                Some(connection) => state::read(&connection, identity)?,
                None => None,
            },
        };
        Ok(row.map(StoredState::from))
    }

    pub(crate) fn activate_version(&mut self, stream: &StreamName, version: i64) -> Result<()> {
        self.alive()?;
        let Some(table) = self.tables.get_mut(stream) else {
            tracing::warn!("version {version} of stream `{stream}` came before its schema: it is ignored");
            return Ok(());
        };
        // What comes later is merged after the removal.
        table.step = None;
        self.epoch.steps.push(Step::KeepVersion(stream.clone(), version));
        Ok(())
    }

    pub(crate) fn rename_pipeline(&mut self, new: &str) -> Result<()> {
        self.alive()?;
        let (connection, run) = self.held()?;
        commit::in_transaction(connection, || {
            state::hold(connection, &run.identity, run.fence, run.sequence)?;
            if run.owned.iter().any(|t| t.environment == run.identity.environment && t.pipeline == new) {
                let message = format!("pipeline `{new}` has tables of its own in this file");
                return Err(TargetError::new(error::RENAME, target_api::Status::Config, message)
                    .with_hint("choose a name that no pipeline has had here"));
            }
            state::rename(connection, &run.identity, new)?;
            tables::rename(connection, &run.identity, new)
        })?;
        if let Some(run) = &mut self.run {
            let old = run.identity.clone();
            run.owned.iter_mut().filter(|t| t.is_of(&old)).for_each(|t| new.clone_into(&mut t.pipeline));
            new.clone_into(&mut run.identity.pipeline);
        }
        Ok(())
    }

    /// The connection and the run that holds the fence.
    pub(crate) fn held(&self) -> Result<(&Connection, &Run)> {
        match (&self.database, &self.run) {
            (Some(database), Some(run)) => Ok((&database.connection, run)),
            _ => Err(error::order("the target was used before `resume` took the fence")),
        }
    }

    /// Refuses to go on in an epoch that an error ended.
    pub(crate) fn alive(&self) -> Result<()> {
        if self.failed {
            return Err(error::order("an earlier error ended this run's epoch: it must start anew"));
        }
        self.held().map(drop)
    }

    /// Ends the epoch with nothing of it kept.
    pub(crate) fn discard(&mut self) -> Result<()> {
        let epoch = std::mem::take(&mut self.epoch);
        self.failed = false;
        self.tables.clear();
        let Some(database) = &self.database else { return Ok(()) };
        discard_staged(&database.connection, &epoch.steps)
    }

    /// Whether a stream's table will be emptied before anything is loaded into it.
    pub(crate) fn will_empty(&self, stream: &str, place: &Place) -> bool {
        self.run.as_ref().is_some_and(|run| run.to_empty.iter().any(|(s, p)| s == stream && p == place))
    }

    /// Whether a stream goes on from where a former run ended.
    pub(crate) fn goes_on(&self, stream: &str) -> bool {
        self.run.as_ref().is_some_and(|run| {
            run.has_state
                && (run.identity.full_refresh == FullRefresh::No || !run.identity.full_refresh.covers(stream))
        })
    }
}

/// Drops the staging tables of some steps.
pub(crate) fn discard_staged(connection: &Connection, steps: &[Step]) -> Result<()> {
    for step in steps {
        if let Step::Merge(staging) = step {
            staging.discard(connection)?;
        }
    }
    Ok(())
}
