//! What a run holds between its calls: the open file, the fence, the tables, and the epoch that is not committed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use columns::StreamName;
use duckdb::Connection;
use target_api::{
    ActualColumn, ColumnType, GivenNames, LoadMethod, Result, RunIdentity, StoredState, Table, Version,
};

use crate::change::Change;
use crate::connection::{self, Database, Opening};
use crate::stage::Staging;
use crate::state::{self, StateRow};
use crate::tables::{self, OwnedTable, Place};
use crate::{commit, error};

/// The synchronous half of the target. It lives on a thread of its own.
pub(crate) struct Session {
    pub opening: Opening,
    /// The run that was last asked about, for plans.
    pub asked: Option<RunIdentity>,
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
    /// Tables to empty in the next commit: those that start over, in the first one, and those that are overwritten.
    pub to_empty: Vec<(String, Place)>,
    /// Streams that were or will be emptied because they are overwritten.
    pub overwritten: BTreeSet<StreamName>,
    pub owned: Vec<OwnedTable>,
    /// Whether the first commit is made.
    pub started_over: bool,
}

impl Run {
    /// What a run finds in the file.
    pub(crate) fn look(
        connection: &Connection,
        identity: &RunIdentity,
        row: Option<&StateRow>,
    ) -> Result<Self> {
        let owned = tables::read(connection)?;
        let to_empty = owned
            .iter()
            .filter(|table| {
                table.is_of(identity) && identity.full_refresh.covers(&table.stream) && !table.shared
            })
            .map(|table| (table.stream.clone(), table.place.clone()))
            .collect();
        Ok(Self {
            identity: identity.clone(),
            fence: row.map_or(0, |row| row.fence),
            sequence: row.map_or(0, |row| row.sequence),
            has_state: row.is_some_and(|row| row.state.is_some()),
            to_empty,
            overwritten: BTreeSet::new(),
            owned,
            started_over: false,
        })
    }

    /// The entry of a stream of this run's pipeline.
    pub(crate) fn owned(&self, stream: &str) -> Option<&OwnedTable> {
        self.owned.iter().find(|table| table.is_of(&self.identity) && table.stream == stream)
    }

    /// The column names given to a table's properties, by this pipeline and by those that share the table.
    pub(crate) fn given(&self, table: &Table, place: &Place) -> GivenNames {
        let others = tables::sharing(&self.owned, &self.identity, table, place);
        let own = self.owned(table.schema.stream.as_str());
        let mut given = GivenNames::default();
        others.into_iter().chain(own).for_each(|owned| given.merge(&owned.columns));
        given
    }

    /// Whether tapster made the table, for this pipeline or for one that shares it.
    pub(crate) fn made(&self, table: &Table, place: &Place) -> bool {
        let own = self.owned(table.schema.stream.as_str()).filter(|owned| owned.place == *place);
        let others = tables::sharing(&self.owned, &self.identity, table, place);
        own.or(others.first().copied()).is_some_and(|owned| owned.made)
    }

    /// Whether a stream's table will be emptied before anything is loaded into it.
    pub(crate) fn will_empty(&self, table: &Table, place: &Place) -> bool {
        let stream = table.schema.stream.as_str();
        self.overwrites(table) || self.to_empty.iter().any(|(s, p)| s == stream && p == place)
    }

    /// Whether a table is overwritten, and was not emptied for it yet.
    pub(crate) fn overwrites(&self, table: &Table) -> bool {
        table.load_method == LoadMethod::Overwrite && !self.overwritten.contains(&table.schema.stream)
    }

    /// Whether a stream goes on from where a former run ended.
    pub(crate) fn goes_on(&self, stream: &str) -> bool {
        self.has_state && (self.started_over || !self.identity.full_refresh.covers(stream))
    }
}

/// A stream's table, as it will be once the epoch is committed.
#[derive(Debug, Clone)]
pub(crate) struct OpenTable {
    pub wanted: Table,
    pub place: Place,
    /// Column names, in the order of the stream's columns.
    pub names: Vec<String>,
    pub actual: Vec<ActualColumn>,
    /// Whether tapster made the table.
    pub made: bool,
    /// Columns that hold values of the stream's properties from before their type changed, with the properties' places.
    pub retired: Vec<(usize, String)>,
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
}

/// All that the next commit makes durable.
#[derive(Debug, Default)]
pub(crate) struct Epoch {
    /// Changes of tables; they run before any step, since DuckDB refuses to alter what it has deleted from.
    pub changes: Vec<Change>,
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
    KeepVersion(StreamName, Version),
    /// The records there must differ in the stream's new key.
    UniqueKey { stream: StreamName, old: Option<Vec<String>>, new: Vec<String> },
}

impl Session {
    pub(crate) fn new(opening: Opening) -> Self {
        Self {
            opening,
            asked: None,
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
        connection::check(&self.opening)
    }

    pub(crate) fn resume(&mut self, identity: &RunIdentity) -> Result<Option<String>> {
        self.discard()?;
        self.run = None;
        let database = match self.database.take() {
            Some(database) => database,
            None => Database::open(&self.opening)?,
        };
        let connection = &database.connection;
        let row = commit::in_transaction(connection, || {
            tables::ensure(connection)?;
            if !identity.keeps_state {
                return Ok(None);
            }
            state::ensure(connection)?;
            state::take_fence(connection, identity).map(Some)
        })?;
        self.run = Some(Run::look(connection, identity, row.as_ref())?);
        self.database = Some(database);
        Ok(row.and_then(|row| row.state))
    }

    pub(crate) fn stored_state(&mut self, identity: &RunIdentity) -> Result<Option<StoredState>> {
        self.asked = Some(identity.clone());
        let row = match &self.database {
            Some(database) => state::read(&database.connection, identity)?,
            None => match connection::open_to_read(&self.opening)? {
                Some(connection) => state::read(&connection, identity)?,
                None => None,
            },
        };
        Ok(row.map(StoredState::from))
    }

    pub(crate) fn activate_version(&mut self, stream: &StreamName, version: Version) -> Result<()> {
        self.alive()?;
        let Some(table) = self.tables.get_mut(stream) else {
            let version = version.number;
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
            state::rename(connection, &run.identity, new)?;
            tables::rename(connection, &run.identity, new)
        })?;
        if let Some(run) = &mut self.run {
            let old = run.identity.clone();
            run.owned.retain(|t| t.environment != old.environment || t.pipeline != new);
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
