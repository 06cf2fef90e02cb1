//! A file of a BATCH message that cannot be loaded. No text of it holds a record's value.

use std::io;

use columns::{ColumnRefused, RecordError, SchemaRefused};
use singer::FramingError;
use thiserror::Error;

/// Why the file cannot be loaded.
#[derive(Debug, Error)]
pub enum FileError {
    /// The message names a format that nobody reads.
    #[error("the BATCH message gives it the format `{format}`, which is none of jsonl, parquet and arrow")]
    Format {
        /// As the tap wrote it.
        format: String,
    },
    /// The message names a compression that nobody undoes.
    #[error("the BATCH message gives it the compression `{compression}`, which is neither gzip nor none")]
    Compression {
        /// As the tap wrote it.
        compression: String,
    },
    /// It is packed in a way that nobody undoes.
    #[error("it is packed with {codec}, which is none of SNAPPY, GZIP and UNCOMPRESSED")]
    Codec {
        /// As parquet names it.
        codec: String,
    },
    /// Its buffers are packed.
    #[error("its buffers are packed with {codec}, and Arrow IPC is read unpacked alone")]
    Buffers {
        /// As Arrow names it.
        codec: &'static str,
    },
    /// It lies elsewhere than on this machine, or nowhere in particular.
    #[error("its address is neither file:///… nor an absolute path")]
    NotLocal,
    /// It lies where no such file may lie.
    #[error("it lies neither in the run's folder nor in a folder that `batch_roots` names")]
    Outside,
    /// It is one of tapster's own files in the run's folder.
    #[error("it is a file of tapster's own in the run's folder")]
    Reserved,
    /// It cannot be opened.
    #[error("it cannot be opened: {0}")]
    Open(io::Error),
    /// It is a folder, a pipe or the like.
    #[error("it is not a regular file")]
    NotRegular,
    /// Its content is not what the message says.
    #[error("it is not {expected}")]
    NotOfFormat {
        /// What it should be.
        expected: &'static str,
    },
    /// It breaks off or is damaged.
    #[error("it cannot be read as {format}: {reason}")]
    Damaged {
        /// What it should be.
        format: &'static str,
        /// What the reader says.
        reason: String,
    },
    /// A line is over the cap.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// A line is not UTF-8.
    #[error("line {line} of it is not UTF-8")]
    NotUtf8 {
        /// Number of the line, from 1.
        line: u64,
    },
    /// A line is not JSON.
    #[error("line {line} of it is not JSON at column {column}: {reason}")]
    NotRecord {
        /// Number of the line, from 1.
        line: u64,
        /// Byte column, from 1.
        column: usize,
        /// What the parser expected.
        reason: &'static str,
    },
    /// One batch of it is too large to be held.
    #[error("a batch of it takes {bytes} bytes, and at most {limit} are read at once")]
    LargeBatch {
        /// Its size.
        bytes: u64,
        /// The most.
        limit: u64,
    },
    /// A column does not fit the table, whatever its values.
    #[error("its columns are not those of the SCHEMA")]
    Column(#[source] ColumnRefused),
    /// The table cannot have the `_sdc_` columns that its records need.
    #[error("its records need another table")]
    Table(#[source] SchemaRefused),
    /// A record does not fit.
    #[error("record {record} of it cannot be loaded")]
    Record {
        /// Its number in the file, from 1.
        record: u64,
        /// Why.
        #[source]
        source: RecordError,
    },
}

impl FileError {
    /// Number of its page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Format { .. } | Self::Compression { .. } | Self::Codec { .. } | Self::Buffers { .. } => {
                "E0207"
            }
            Self::Outside | Self::Reserved => "E0240",
            Self::NotLocal => "E0241",
            Self::Open(_) | Self::NotRegular => "E0242",
            Self::NotOfFormat { .. } | Self::Damaged { .. } => "E0243",
            Self::Framing(_) | Self::NotUtf8 { .. } | Self::NotRecord { .. } => "E0244",
            Self::Column(_) => "E0245",
            Self::LargeBatch { .. } => "E0246",
            Self::Table(source) => source.code(),
            Self::Record { source, .. } => source.code(),
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Format { .. } => "set `encoding.format` of the tap's `batch_config` to jsonl or parquet".into(),
            Self::Compression { .. } => "set `encoding.compression` of the tap's `batch_config` to gzip or none".into(),
            Self::Codec { .. } => "let the tap write the file with snappy, parquet's usual one, or gzip".into(),
            Self::Buffers { .. } => "let the tap write it unpacked (pyarrow: `IpcWriteOptions(compression=None)`; Feather: `compression=\"uncompressed\"`), or as parquet with snappy where size matters".into(),
            Self::Outside => "name its folder in `batch_roots` of the tap block (a target by itself: of its config), or let the tap write below ${run:folder}".into(),
            Self::Reserved => "the tap must write files of its own in TAPSTER_RUN_FOLDER: tell its author".into(),
            Self::NotLocal => "set `storage.root` of the tap's `batch_config` to \"file://${run:folder}\", or take `batch_config` out so that it sends records".into(),
            Self::Open(_) | Self::NotRegular => "the file must be there, and readable for tapster, when its BATCH message comes, and until it is loaded".into(),
            Self::NotOfFormat { .. } | Self::Damaged { .. } => "a file must be whole before its BATCH message is written, and as `encoding` there says; run again, and if it happens again tell the tap's author".into(),
            Self::Framing(_) => "raise `limits.line_bytes` in the pipeline's file if the line is meant to be so long".into(),
            Self::NotUtf8 { .. } | Self::NotRecord { .. } => "each line must be one JSON object in UTF-8: tell the tap's author".into(),
            Self::Column(source) => format!("correct the type of `{}` in the tap's SCHEMA, or exclude the column", source.column),
            Self::LargeBatch { .. } => "let the tap write smaller batches, several to a file if it likes".into(),
            Self::Table(source) => return source.hint(),
            Self::Record { source, .. } => return source.hint(),
        })
    }
}
