//! The contract.

use async_trait::async_trait;
use columns::StreamName;
use columns::arrow_array::RecordBatch;

use crate::{
    Capabilities, Checkpoint, Committed, Result, RunIdentity, StoredState, Table, TableChange, TargetError,
    Version,
};

/// Loads tables into one warehouse. Implement this to add a target.
///
/// Calls come one at a time and no future of it is dropped midway. The order is `check`? `resume`
/// (`open` | `write` | `activate_version`)* `commit` … : what lies between two commits is an epoch. An epoch dies
/// with its connection: a target never reconnects inside one, it returns [`Status::Temporary`](crate::Status::Temporary)
/// and the runner starts the tap again from the committed STATE with a new target.
#[async_trait]
pub trait Target: Send {
    /// What it can do and hold.
    fn capabilities(&self) -> Capabilities;

    /// Verifies credentials and rights before the tap starts. Takes nothing, changes nothing.
    async fn check(&mut self) -> Result<()>;

    /// Takes the fence of this pipeline and reads its STATE in one locking statement; from now on older runs
    /// cannot commit. Refuses a STATE that another tap wrote, unless all starts over.
    async fn resume(&mut self, run: &RunIdentity) -> Result<Option<String>>;

    /// Makes the table able to hold this, and learns its actual types. May come again at any time, also between
    /// batches of the same stream; doing it twice changes nothing.
    async fn open(&mut self, table: &Table) -> Result<TableChange>;

    /// Accepts a batch of an open table; nothing of it is visible yet.
    async fn write(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()>;

    /// Removes, within the next commit and after all that was written before, the stream's records of older
    /// versions and of none; newer ones stay. A table that holds none of `version` is not emptied, unless the stream
    /// was truncated: a warning is logged instead.
    async fn activate_version(&mut self, stream: &StreamName, version: Version) -> Result<()>;

    /// Says that no more messages come. Tells whether anything waits for a commit because of that; it is committed if
    /// the tap ended well.
    async fn end(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// Makes all that was accepted durable and visible, with the STATE, or nothing of it.
    async fn commit(&mut self, checkpoint: &Checkpoint) -> Result<Committed>;

    /// The state row as it stands. Takes nothing, changes nothing.
    async fn stored_state(&mut self, run: &RunIdentity) -> Result<Option<StoredState>>;

    /// What [`open`](Self::open) would do. Changes nothing.
    async fn plan(&mut self, table: &Table) -> Result<TableChange> {
        Ok(TableChange { place: table.name.to_string(), ..TableChange::default() })
    }

    /// Gives state and tables of this run's pipeline to the pipeline `new`, under the fence that `resume` took. Refused
    /// where `new` has a STATE; tables that it owns without one stay, and are nobody's.
    async fn rename_pipeline(&mut self, new: &str) -> Result<()> {
        let _ = new;
        Err(TargetError::permanent(
            "E0309",
            "this target keeps no state of its own, so nothing can be moved in it",
        ))
    }
}
