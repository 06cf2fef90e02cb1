//! Steps in, tables out: the only place that calls a target while records flow.

use std::time::Duration;

use columns::StreamName;
use singer::{State, StateError};
use target_api::{Checkpoint, LoadMethod, StateChange, TableChange, Target, TargetError};
use thiserror::Error;
use tokio::sync::mpsc::Receiver;

use crate::LoadStep;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// The output ended whole. What came after the last checkpoint is accepted but not committed.
    AtEnd {
        /// Whether there is anything to commit.
        uncommitted: bool,
    },
    /// The steps ended early: what came after the last checkpoint is not to be committed.
    Stopped,
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

/// Applies steps in order until they end. After [`Loaded::AtEnd`] the caller commits what is left with
/// [`StateChange::Keep`], once it knows that the tap succeeded.
///
/// # Errors
/// The target's first error; nothing since the last checkpoint is then visible.
pub async fn load(
    steps: &mut Receiver<LoadStep>,
    target: &mut dyn Target,
    start: LoadStart,
    edit: &StateEdit,
    report: &(dyn Fn(LoadEvent) + Send + Sync),
) -> Result<Loaded, LoadFailure> {
    let LoadStart { state: mut committed_state, mut dirty, max_staged } = start;
    let mut staged = Staged { bytes: 0, limit: max_staged };
    while let Some(step) = steps.recv().await {
        match step {
            LoadStep::Table(table) => {
                let (stream, keyed) = (table.schema.stream.clone(), table.schema.is_keyed());
                let merged = keyed && table.load_method == LoadMethod::Upsert && target.capabilities().upsert;
                let change = target.open(&table).await?;
                dirty |= change.created || !change.statements.is_empty() || change.key.is_some();
                if let Some(key) = &change.key {
                    let place = &change.place;
                    tracing::warn!(%stream, %place, "the key by which records are merged changes {key}");
                }
                report(LoadEvent::TableOpened { stream, keyed, merged, change });
            }
            LoadStep::Batch { stream, batch, reading } => {
                let (records, bytes) = (batch.num_rows() as u64, batch.get_array_memory_size() as u64);
                staged.add(&stream, bytes)?;
                target.write(&stream, batch).await?;
                dirty = true;
                report(LoadEvent::BatchWritten { stream, records, bytes, reading });
            }
            LoadStep::ActivateVersion { stream, version } => {
                target.activate_version(&stream, version).await?;
                dirty = true;
            }
            LoadStep::Checkpoint(state) => {
                let state = edit(state)?;
                if !dirty && committed_state.as_ref() == Some(&state) {
                    continue;
                }
                let checkpoint = Checkpoint { state: StateChange::Set(state.as_str().into()) };
                let committed = target.commit(&checkpoint).await?;
                (dirty, committed_state, staged.bytes) = (false, Some(state.clone()), 0);
                report(LoadEvent::Checkpointed { state: Some(state), sequence: committed.sequence });
            }
            LoadStep::End => return Ok(Loaded::AtEnd { uncommitted: dirty }),
        }
    }
    Ok(Loaded::Stopped)
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
