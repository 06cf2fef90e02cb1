//! What can be wrong with a file, said with its place and what to do.

use std::fmt;
use std::io;

use tap_sdk::TapError;
use thiserror::Error;

/// A file that cannot be read whole.
#[derive(Debug)]
pub(crate) struct FileError {
    /// The path as it was given or found.
    pub(crate) file: String,
    /// The line, from 1, when it is about one.
    pub(crate) line: Option<u64>,
    /// What is wrong there.
    pub(crate) problem: Problem,
}

/// What is wrong. No text holds a value of a record.
#[derive(Debug, Error)]
pub(crate) enum Problem {
    #[error("cannot be read: {0}")]
    Read(io::Error),
    #[error("is not whole: the gzip data end in the middle or are damaged ({0})")]
    Gzip(io::Error),
    #[error("there is no such file")]
    Missing,
    #[error("no file matches the pattern")]
    NoMatch,
    #[error("the pattern cannot be read: {0}")]
    Pattern(String),
    #[error("is a folder")]
    Folder,
    #[error("is empty: it has no header")]
    Empty,
    #[error("column {0} of the header has no name")]
    NamelessColumn(usize),
    #[error("the header names the column `{0}` twice")]
    ColumnTwice(String),
    #[error("the key column `{column}` is not in the header, which has {header}")]
    KeyMissing { column: String, header: String },
    #[error(
        "the column `{column}` of the config is in no header of the stream `{stream}`, which has {header}"
    )]
    ColumnMissing { column: String, stream: String, header: String },
    #[error("the record has {found} {}, the header has {expected}", if *found == 1 { "field" } else { "fields" })]
    Ragged { found: usize, expected: usize, other_delimiter: Option<char> },
    #[error("a quote stands inside a field that does not begin with one")]
    QuoteInside,
    #[error("something stands between a closing quote and the end of the field")]
    AfterQuote,
    #[error("a quote opens here and is never closed")]
    QuoteUnclosed,
    #[error("a carriage return stands alone, without a line feed")]
    BareReturn,
    #[error("the record is longer than {0} bytes")]
    TooLong(usize),
    #[error("field {0} is not UTF-8")]
    NotUtf8(usize),
    #[error("column `{column}` holds {found}, where {expected} is due")]
    Unfit { column: String, expected: &'static str, found: Found, declared: bool },
    #[error("the key column `{0}` is null")]
    NullKey(String),
    #[error("column `{0}` holds a value, and had none when its type was looked for")]
    Untyped(String),
    #[error(
        "has changed in the part that was read before ({bytes} bytes, {lines} lines), and the stream `{stream}` has no key to tell old records from new ones"
    )]
    Rewritten { stream: String, bytes: u64, lines: u64 },
}

/// What a field looks like, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Integer,
    Number,
    Boolean,
    Date,
    Timestamp,
    Text(usize),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer => f.write_str("an integer"),
            Self::Number => f.write_str("a number"),
            Self::Boolean => f.write_str("a boolean"),
            Self::Date => f.write_str("a date"),
            Self::Timestamp => f.write_str("a timestamp"),
            Self::Text(1) => f.write_str("text of 1 byte"),
            Self::Text(bytes) => write!(f, "text of {bytes} bytes"),
        }
    }
}

impl FileError {
    pub(crate) fn new(file: &str, problem: Problem) -> Self {
        Self { file: file.to_owned(), line: None, problem }
    }

    pub(crate) fn at(file: &str, line: u64, problem: Problem) -> Self {
        Self { file: file.to_owned(), line: Some(line), problem }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.file, self.problem),
            None => write!(f, "{}: {}", self.file, self.problem),
        }
    }
}

impl Problem {
    /// What to do about it.
    fn hint(&self) -> String {
        match self {
            Self::Read(_) => "see that this user may read it".to_owned(),
            Self::Gzip(_) => "fetch or write the file again".to_owned(),
            Self::Missing | Self::NoMatch | Self::Pattern(_) => {
                "`path` is relative to the folder that the tap runs in; *, ? and [a-z] match names, ** folders".to_owned()
            }
            Self::Folder => "name the files in it: FOLDER/*.csv".to_owned(),
            Self::Empty => "the first line must name the columns".to_owned(),
            Self::NamelessColumn(_) | Self::ColumnTwice(_) => {
                "give every column its own name in the first line".to_owned()
            }
            Self::KeyMissing { .. } | Self::ColumnMissing { .. } => {
                "names must be exactly those of the header, capitals and spaces too".to_owned()
            }
            Self::Ragged { other_delimiter: Some(other), .. } => {
                format!("the header looks delimited by {other:?}: set `delimiter`")
            }
            Self::Ragged { found, expected, .. } if found > expected => {
                "put quotes around fields that hold the delimiter".to_owned()
            }
            Self::Ragged { .. } => "complete the line or remove it; a file that is still being written is whole later".to_owned(),
            Self::QuoteInside | Self::AfterQuote | Self::QuoteUnclosed => {
                "put quotes around the whole field and double those inside, or set `quote: null` when the file has no quoted fields".to_owned()
            }
            Self::BareReturn => "end lines with a line feed (tr '\\r' '\\n'), or put quotes around the field".to_owned(),
            Self::TooLong(_) => "look for a quote that is never closed, or raise `max_record_bytes`".to_owned(),
            Self::NotUtf8(_) => "convert the file: iconv -f WINDOWS-1252 -t UTF-8, or -f UTF-16".to_owned(),
            Self::Unfit { column, declared: true, .. } => {
                format!("change `columns: {{{column}: …}}`, or name this text in `null_values` if it means null")
            }
            Self::Unfit { column, .. } => format!(
                "declare it, `columns: {{{column}: text}}`, or name this text in `null_values` if it means null; the type was found in a sample, or before this was written"
            ),
            Self::Untyped(_) => "run again, or discover again: the files have changed since".to_owned(),
            Self::NullKey(_) => "choose key columns that are never null, or give none".to_owned(),
            Self::Rewritten { .. } => {
                "give the stream `key_properties`, or run once with --full-refresh to read everything anew".to_owned()
            }
        }
    }
}

impl From<FileError> for TapError {
    fn from(error: FileError) -> Self {
        Self::failed(error.to_string()).with_hint(error.problem.hint())
    }
}
