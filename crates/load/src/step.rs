//! All that crosses the channel between the decode thread and the load task.

use std::path::PathBuf;
use std::time::Duration;

use columns::StreamName;
use columns::arrow_array::RecordBatch;
use singer::State;
use target_api::{Table, Version};

/// One thing for the load task to do, in order.
#[derive(Debug, Clone)]
pub enum LoadStep {
    /// The stream's table must be able to hold this from now on.
    Table(Box<Table>),
    /// Records of an open table.
    Batch {
        /// The stream.
        stream: StreamName,
        /// Its records, in the order of their lines.
        batch: RecordBatch,
        /// How long the stream's messages were read since its last batch: as long as no other's came.
        reading: Duration,
    },
    /// Records of other versions go.
    ActivateVersion {
        /// The stream.
        stream: StreamName,
        /// The version that stays.
        version: Version,
    },
    /// All records of this file are in the batches before: it is deleted.
    FileAccepted(PathBuf),
    /// All steps since the last checkpoint hold exactly the records between its STATE and this one.
    Checkpoint(State),
    /// The tap's output ended whole. What came since the last checkpoint is committed if the tap exits 0, and with it
    /// this STATE: the tap's last one, if something later went out before it could become a checkpoint.
    End(Option<State>),
}
