//! What a sync remembers of a stream.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::log_based::{HandOver, Lsn, Shape, ours};

/// The bookmark of a stream. What the known taps write beside it is passed over.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Bookmark {
    /// The table version of the last `FULL_TABLE` sync, or the current one of a `LOG_BASED` stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<i64>,
    /// How far it has come, where it is not through and can be gone on with. There is none either in the middle of a
    /// table that cannot: the next sync starts over in both cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<Progress>,
    /// The column that an `INCREMENTAL` sync went by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replication_key: Option<String>,
    /// The greatest value of it that is out, as its record had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replication_key_value: Option<Box<RawValue>>,
    /// Where there is no such value yet: whether the rows without one are out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) nulls_are_out: bool,
    /// `LOG_BASED`: the changes of all transactions that were committed before this place are out. There is none
    /// before the rows that were there first are.
    #[serde(default, deserialize_with = "ours", skip_serializing_if = "Option::is_none")]
    pub(crate) lsn: Option<Lsn>,
    /// Which transactions those rows had in them already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) snapshot: Option<HandOver>,
    /// What the table looked like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shape: Option<Shape>,
}

/// How far a table was read.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Transactions below this one had ended when the reading began: what they wrote is out, up to `pages`.
    pub(crate) first_snapshot: i64,
    /// The file of the table, or of the partition that is being read: another one holds other pages. None is 0.
    pub(crate) relfilenode: u32,
    /// What tells the columns and conditions of one reading from those of another.
    pub(crate) statement: u32,
    /// So many pages are out.
    pub(crate) pages: u32,
    /// The files of the partitions that are out whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) partitions: Vec<u32>,
}

impl Bookmark {
    /// Lets another bookmark say where the changes begin that this one knows of.
    pub(crate) fn follow_in(&self, other: &mut Self) {
        other.lsn = self.lsn;
        other.snapshot.clone_from(&self.snapshot);
        other.shape.clone_from(&self.shape);
    }

    /// The value of the replication key as SQL takes it in quotes.
    pub(crate) fn replication_text(&self) -> Option<String> {
        let raw = self.replication_key_value.as_deref()?.get();
        match serde_json::from_str(raw) {
            Ok(serde_json::Value::String(text)) => Some(text),
            Ok(serde_json::Value::Number(_)) => Some(raw.trim().to_owned()),
            _ => None,
        }
    }
}
