//! Steps in, tables out: the only place that calls a target while records flow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use columns::{StreamName, memory_size};
use singer::{State, StateError};
use target_api::{
    Checkpoint, LoadMethod, StateChange, Table, TableChange, TableName, Target, TargetError, refusal,
};
use thiserror::Error;
use tokio::sync::mpsc::Receiver;

use crate::time_spent::timed;
use crate::{LoadStep, LoadTime};

/// What a load tells while it goes on.
#[derive(Debug, Clone)]
pub enum LoadEvent {
    /// A table is able to hold what comes.
    TableOpened {
        /// The stream.
        stream: StreamName,
        /// Whether its records are told apart by a key.
        keyed: bool,
        /// Whether they replace those of the same key.
        merged: bool,
        /// What had to be done.
        change: TableChange,
    },
    /// A batch is accepted, not yet visible.
    BatchWritten {
        /// The stream.
        stream: StreamName,
        /// Its records.
        records: u64,
        /// Its bytes in memory.
        bytes: u64,
        /// How long its messages were read.
        reading: Duration,
    },
    /// Everything written so far is durable.
    Checkpointed {
        /// The STATE that is kept with it; `None` when the STATE stayed as it was.
        state: Option<State>,
        /// Number of the commit.
        sequence: i64,
    },
}

/// How a load ended that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loaded {
    /// The output ended whole. What came after the last commit is accepted but not committed.
    AtEnd(Option<Rest>),
    /// The steps ended early: what came after the last checkpoint is not to be committed.
    Stopped,
}

/// What is committed once the tap has succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// The STATE that comes with it: the last one, where it waited for the end; else the STATE stays as it is.
    pub state: Option<State>,
    /// Streams whose tables are overwritten and that came, or went on, after the last STATE of a tap that says some:
    /// where nobody knows how the tap ended, it may have broken off there.
    pub uncovered: Vec<StreamName>,
}

impl Rest {
    /// Commits it.
    ///
    /// # Errors
    /// The target's; nothing of it is then visible.
    pub async fn commit(self, target: &mut dyn Target) -> Result<LoadEvent, TargetError> {
        let change =
            self.state.as_ref().map_or(StateChange::Keep, |state| StateChange::Set(state.as_str().into()));
        let committed = target.commit(&Checkpoint { state: change }).await?;
        Ok(LoadEvent::Checkpointed { state: self.state, sequence: committed.sequence })
    }
}

/// Why a load failed.
#[derive(Debug, Error)]
pub enum LoadFailure {
    /// The target's error.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Too much waits for a STATE.
    #[error(
        "the tap has sent {bytes} bytes, the last of stream {stream}, without a STATE: more than {limit} may not wait"
    )]
    Staged {
        /// What waits, in bytes.
        bytes: u64,
        /// The limit that it broke.
        limit: u64,
        /// The stream that broke it.
        stream: StreamName,
    },
    /// The tap's STATE cannot be completed with the bookmarks of the streams that did not run.
    #[error("the tap's STATE cannot be kept: {0}")]
    State(#[from] StateError),
}

/// What a STATE becomes before it is committed.
pub type StateEdit = dyn Fn(State) -> Result<State, StateError> + Send + Sync;

/// Where a load goes on from.
#[derive(Debug, Clone)]
pub struct LoadStart {
    /// The committed STATE: a checkpoint that says the same and has no records is none.
    pub state: Option<State>,
    /// Whether there is something to commit from the start: a full refresh.
    pub dirty: bool,
    /// Most bytes, in memory's measure, that may wait for a STATE; a warning comes at half of it.
    pub max_staged: u64,
}

/// Applies steps in order until they end. After [`Loaded::AtEnd`] the caller commits the rest, once it knows that the
/// tap succeeded. Where its time goes is added to `time`, also when it fails.
///
/// From the first table on that is overwritten all commits wait for that end: the records that replace a table are
/// whole only then, and one STATE covers all streams.
///
/// # Errors
/// The target's first error; nothing since the last checkpoint is then visible.
pub async fn load(
    steps: &mut Receiver<LoadStep>,
    target: &mut dyn Target,
    start: LoadStart,
    edit: &StateEdit,
    report: &(dyn Fn(LoadEvent) + Send + Sync),
    time: &mut LoadTime,
) -> Result<Loaded, LoadFailure> {
    let LoadStart { state: mut committed_state, mut dirty, max_staged } = start;
    let mut staged = Staged { bytes: 0, limit: max_staged };
    let mut held = Held::default();
    while let Some(step) = timed(&mut time.waiting, steps.recv()).await {
        match step {
            LoadStep::Table(table) => {
                let (stream, keyed) = (table.schema.stream.clone(), table.schema.is_keyed());
                let merged = table.merges() && target.capabilities().upsert;
                dirty |= held.open(&table);
                let change = timed(&mut time.opening, target.open(&table)).await?;
                dirty |= change.created || !change.statements.is_empty() || change.key.is_some();
                if let Some(key) = &change.key {
                    let place = &change.place;
                    tracing::warn!(%stream, %place, "the key by which records are merged changes {key}");
                }
                report(LoadEvent::TableOpened { stream, keyed, merged, change });
            }
            LoadStep::Batch { stream, batch, reading } => {
                let (records, bytes) = (batch.num_rows() as u64, memory_size(&batch) as u64);
                staged.add(&stream, bytes)?;
                held.add(&stream, records);
                timed(&mut time.writing, target.write(&stream, batch)).await?;
                dirty = true;
                report(LoadEvent::BatchWritten { stream, records, bytes, reading });
            }
            LoadStep::ActivateVersion { stream, version } => {
                held.refuse_version(&stream)?;
                timed(&mut time.writing, target.activate_version(&stream, version)).await?;
                dirty = true;
            }
            LoadStep::FileAccepted(file) => {
                // The run's folder goes in any case; a tap that waits for this would wait for ever.
                if let Err(error) = std::fs::remove_file(&file) {
                    tracing::warn!(file = %file.display(), %error, "a loaded file cannot be deleted");
                }
            }
            LoadStep::Checkpoint(state) => {
                let state = edit(state)?;
                if !dirty && committed_state.as_ref() == Some(&state) {
                    continue;
                }
                if held.waits() {
                    held.state = Some(state);
                    held.uncovered.clear();
                    continue;
                }
                let checkpoint = Checkpoint { state: StateChange::Set(state.as_str().into()) };
                let committed = timed(&mut time.committing, target.commit(&checkpoint)).await?;
                (dirty, committed_state, staged.bytes) = (false, Some(state.clone()), 0);
                report(LoadEvent::Checkpointed { state: Some(state), sequence: committed.sequence });
            }
            LoadStep::End(last) => {
                dirty |= timed(&mut time.writing, target.end()).await?;
                held.tell_emptied();
                if let Some(last) = last {
                    held.state = Some(edit(last)?);
                }
                let is_left = dirty || held.state.is_some();
                if held.state.is_none() && committed_state.is_none() {
                    held.uncovered.clear();
                }
                let uncovered = held.uncovered.into_iter().collect();
                return Ok(Loaded::AtEnd(is_left.then_some(Rest { state: held.state, uncovered })));
            }
        }
    }
    Ok(Loaded::Stopped)
}

/// What the tables of the run ask of its commits: what waits for the end because tables are overwritten.
#[derive(Default)]
struct Held {
    /// Records of each stream that overwrites its table.
    streams: BTreeMap<StreamName, u64>,
    /// The last STATE.
    state: Option<State>,
    /// Those of the streams that have sent something since.
    uncovered: BTreeSet<StreamName>,
    /// Tables that other pipelines load into, too.
    shared: BTreeMap<StreamName, TableName>,
}

impl Held {
    /// Whether the table is to be overwritten, which there is then to commit.
    fn open(&mut self, table: &Table) -> bool {
        if table.shared {
            self.shared.insert(table.schema.stream.clone(), table.name.clone());
        }
        let overwrites = table.load_method == LoadMethod::Overwrite;
        if overwrites {
            self.streams.entry(table.schema.stream.clone()).or_default();
            self.uncovered.insert(table.schema.stream.clone());
        }
        overwrites
    }

    fn add(&mut self, stream: &StreamName, records: u64) {
        if let Some(count) = self.streams.get_mut(stream) {
            *count += records;
            self.uncovered.insert(stream.clone());
        }
    }

    fn waits(&self) -> bool {
        !self.streams.is_empty()
    }

    /// A version stands for all records of its table, and others have records of none in a shared one.
    fn refuse_version(&self, stream: &StreamName) -> Result<(), TargetError> {
        self.shared.get(stream).map_or(Ok(()), |name| Err(refusal::shared("ACTIVATE_VERSION", name)))
    }

    fn tell_emptied(&self) {
        for (stream, _) in self.streams.iter().filter(|(_, records)| **records == 0) {
            tracing::warn!(%stream, "the tap sent no records of a stream that is overwritten: its table is emptied");
        }
    }
}

/// What is written since the last commit.
struct Staged {
    bytes: u64,
    limit: u64,
}

impl Staged {
    fn add(&mut self, stream: &StreamName, bytes: u64) -> Result<(), LoadFailure> {
        let before = self.bytes;
        self.bytes += bytes;
        if self.bytes > self.limit {
            return Err(LoadFailure::Staged { bytes: self.bytes, limit: self.limit, stream: stream.clone() });
        }
        if before <= self.limit / 2 && self.bytes > self.limit / 2 {
            tracing::warn!(
                bytes = self.bytes,
                limit = self.limit,
                "half of what may wait for a STATE has been sent"
            );
        }
        Ok(())
    }
}
