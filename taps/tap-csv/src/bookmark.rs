//! What a stream's bookmark remembers of its files.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use singer::Json;

/// The bookmark of one stream.
///
/// INCREMENTAL: the place in each file. `FULL_TABLE`: the version; with places only while it is not through, to go
/// on with the same version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamBookmark {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<i64>,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub(crate) files: IndexMap<String, Place>,
    /// What the SCHEMA said last of each property whose type was known. A delivery in which a column is empty says
    /// nothing of its type, and must not change it.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub(crate) types: IndexMap<String, Json>,
}

/// How far a file was read, with what is needed to see that this part of it is still the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Bytes read, uncompressed.
    pub(crate) bytes: u64,
    /// Line ends read.
    pub(crate) lines: u64,
    /// CRC-32 of the bytes read.
    pub(crate) crc32: u32,
    /// The file's own size when it was read to its end. With the same size and time it is not opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    /// When it was last written, in nanoseconds since 1970; left out when that was just before it was read, since
    /// the clock of files is too coarse to see that it was written again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<u64>,
}
