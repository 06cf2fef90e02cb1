//! The first line: the names of the columns.

use std::collections::HashSet;

use crate::dialect::Dialect;
use crate::error::{FileError, Problem};
use crate::reader::{Record, RecordReader};
use crate::record::unquoted;

/// How many names an error lists.
const LISTED: usize = 12;

/// The columns of one file, named exactly as they are there.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) names: Vec<String>,
    /// A delimiter that its only column looks to hold.
    pub(crate) other_delimiter: Option<char>,
}

impl Header {
    /// Reads it from the start of a file, after the byte order mark, if any.
    pub(crate) fn read(reader: &mut RecordReader, file: &str, dialect: Dialect) -> Result<Self, FileError> {
        reader.skip_byte_order_mark()?;
        let Some(record) = reader.next()? else { return Err(FileError::new(file, Problem::Empty)) };
        let line = record.line;
        let fields = (0..record.fields.len()).filter_map(|index| record.field(index));
        let names: Vec<String> = fields
            .map(|(bytes, quoting)| String::from_utf8_lossy(&unquoted(bytes, quoting)).into_owned())
            .collect();
        if let Some(nameless) = names.iter().position(String::is_empty) {
            return Err(FileError::at(file, line, Problem::NamelessColumn(nameless + 1)));
        }
        let mut seen = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(FileError::at(file, line, Problem::ColumnTwice(twice.clone())));
        }
        let other_delimiter = match names.as_slice() {
            [only] => [',', ';', '\t', '|']
                .into_iter()
                .find(|&mark| only.contains(mark) && mark != char::from(dialect.delimiter)),
            _ => None,
        };
        Ok(Self { names, other_delimiter })
    }

    /// Refuses a record that has more or fewer fields.
    pub(crate) fn check(&self, record: &Record<'_>, file: &str) -> Result<(), FileError> {
        let (found, expected) = (record.fields.len(), self.names.len());
        if found == expected {
            return Ok(());
        }
        let other_delimiter = self.other_delimiter;
        Err(FileError::at(file, record.line, Problem::Ragged { found, expected, other_delimiter }))
    }

    /// Refuses a file without a key column.
    pub(crate) fn require(&self, keys: &[String], file: &str) -> Result<(), FileError> {
        match keys.iter().find(|key| !self.names.contains(key)) {
            None => Ok(()),
            Some(key) => {
                let problem = Problem::KeyMissing { column: key.clone(), header: listed(&self.names) };
                Err(FileError::at(file, 1, problem))
            }
        }
    }
}

/// Names for an error text, not more than a line of them.
pub(crate) fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    let rest = names.len().saturating_sub(LISTED);
    if rest > 0 { format!("{} and {rest} more", shown.join(", ")) } else { shown.join(", ") }
}
