//! A tap's output that cannot be loaded. No text of it holds a record's value.

use columns::{RecordError, SchemaRefused};
use singer::{FramingError, MessageError};
use thiserror::Error;

use crate::batch_files::FileError;

/// Why the decoder stopped.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// A line is over the cap.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// A line is not UTF-8.
    #[error("line {line} of the tap's output is not UTF-8: byte 0x{byte:02x} at column {column}")]
    NotUtf8 {
        /// Number of the line, from 1.
        line: u64,
        /// Byte column, from 1.
        column: usize,
        /// The first byte that does not fit.
        byte: u8,
    },
    /// A line is no Singer message.
    #[error("line {line} of the tap's output {}: {excerpt}", verdict(source))]
    Message {
        /// Number of the line, from 1.
        line: u64,
        /// Its framing, escaped.
        excerpt: String,
        /// What is wrong with it.
        #[source]
        source: MessageError,
    },
    /// The output ended inside a line.
    #[error("the tap's output ended inside a message, at line {line} after {records} records: {excerpt}")]
    Truncated {
        /// Number of the line, from 1.
        line: u64,
        /// Records that came before it.
        records: u64,
        /// Its framing, escaped.
        excerpt: String,
    },
    /// A record without a SCHEMA before it.
    #[error("line {line}: a record of stream {stream} came before any SCHEMA of it")]
    NoSchema {
        /// Number of the line.
        line: u64,
        /// The stream.
        stream: String,
    },
    /// The pipeline does not select the stream.
    #[error("line {line}: the tap sent a record of stream {stream}, which the pipeline does not select")]
    NotSelected {
        /// Number of the line.
        line: u64,
        /// The stream.
        stream: String,
        /// What to do, as the pipeline's rules have it.
        hint: String,
    },
    /// A file of records that cannot be loaded.
    #[error("line {line}: the file {file} of stream {stream} cannot be loaded")]
    File {
        /// Number of the line of its BATCH message.
        line: u64,
        /// The stream.
        stream: String,
        /// Where it lies.
        file: String,
        /// Why.
        #[source]
        source: FileError,
    },
    /// Files of records, whose columns cannot be left out on the way.
    #[error(
        "line {line}: the tap sent files of stream {stream} (BATCH), from which no column can be left out"
    )]
    FilesNotRelayed {
        /// Number of the line.
        line: u64,
        /// The stream.
        stream: String,
    },
    /// A stream without key where one is required.
    #[error("line {line}: the SCHEMA of stream {stream} names no key, and a key is required")]
    KeyRequired {
        /// Number of the line.
        line: u64,
        /// The stream.
        stream: String,
    },
    /// A SCHEMA that gives no table.
    #[error("line {line}: the SCHEMA of stream {stream} gives no table")]
    Schema {
        /// Number of the line.
        line: u64,
        /// The stream.
        stream: String,
        /// Why.
        #[source]
        source: SchemaRefused,
    },
    /// A record that does not fit.
    #[error("line {line}: a record of stream {stream} cannot be loaded")]
    Record {
        /// Number of the line.
        line: u64,
        /// The stream.
        stream: String,
        /// Why.
        #[source]
        source: RecordError,
    },
}

fn verdict(source: &MessageError) -> &'static str {
    match source {
        MessageError::StateTooLong { .. } => "holds too long a STATE",
        _ => "is not a Singer message",
    }
}

impl DecodeError {
    /// The error of a last line without a newline: where it breaks off, the tap was cut off.
    pub(crate) fn of_last_line(self, records: u64) -> Self {
        match self {
            Self::Message { source: MessageError::NotJson { truncated: true, .. }, line, excerpt } => {
                Self::Truncated { line, records, excerpt }
            }
            other => other,
        }
    }

    /// Number of its page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Framing(_) => "E0201",
            Self::NotUtf8 { .. } => "E0202",
            Self::Message { source: MessageError::StateTooLong { .. }, .. } => "E0208",
            Self::Message { .. } => "E0203",
            Self::Truncated { .. } => "E0204",
            Self::NoSchema { .. } => "E0205",
            Self::NotSelected { .. } => "E0206",
            Self::KeyRequired { .. } => "E0209",
            Self::FilesNotRelayed { .. } => "E0424",
            Self::Schema { source, .. } => source.code(),
            Self::Record { source, .. } => source.code(),
            Self::File { source, .. } => source.code(),
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Framing(_) => "raise `limits.line_bytes` in the pipeline's file if the line is meant to be so long".into(),
            Self::NotUtf8 { .. } => "make the tap write UTF-8 (for Python: PYTHONIOENCODING=utf-8), or repair the data it reads".into(),
            Self::Message { source: MessageError::NotJson { .. } | MessageError::NotObject, .. } => {
                "a tap's standard output is for messages alone: send its log lines and prints to standard error".into()
            }
            Self::Message { source: MessageError::StateTooLong { .. }, .. } => {
                "a STATE is what the tap needs to go on, not data: configure it to remember less, or tell its author; earlier checkpoints are kept".into()
            }
            Self::Message { .. } => "the tap breaks the Singer specification here: tell its author".into(),
            Self::Truncated { .. } => "the tap was cut off; its own last lines may say why. Run again: it goes on from the last checkpoint".into(),
            Self::NoSchema { .. } => "the tap must send the stream's SCHEMA first: tell its author".into(),
            Self::NotSelected { hint, .. } => hint.clone(),
            Self::FilesNotRelayed { .. } => "switch batch files off in the tap's config (`batch_config`), so that it sends records, or load all columns of the stream".into(),
            Self::KeyRequired { .. } => "name its key in the tap's catalog (`table-key-properties`), or take `primary_key_required` out of the settings".into(),
            Self::Schema { source, .. } => return source.hint(),
            Self::Record { source, .. } => return source.hint(),
            Self::File { source, .. } => return source.hint(),
        })
    }
}
