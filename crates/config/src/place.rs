use std::fmt;
use std::sync::Arc;

/// A file of the project as it was read.
#[derive(PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// As people are told: relative to the project folder where it lies in it.
    pub(crate) name: String,
    /// The whole text.
    pub(crate) text: String,
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its text may hold a password.
        write!(formatter, "SourceFile({})", self.name)
    }
}

/// Where in a file something stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    pub(crate) file: Arc<SourceFile>,
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// How many characters it takes, at least 1.
    pub(crate) width: usize,
}

impl Place {
    /// The file, relative to the project folder.
    pub fn file(&self) -> &str {
        &self.file.name
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// `file:line`, for listings.
    pub fn file_and_line(&self) -> String {
        format!("{}:{}", self.file.name, self.line)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file.name, self.line, self.column)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
