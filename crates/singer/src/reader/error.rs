//! What is wrong with a text, without any of the text.

use std::fmt;

/// A text that is not the JSON it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadError {
    /// Bytes before the place.
    pub(crate) at: usize,
    pub(crate) fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text ends inside a value.
    Truncated,
    /// It breaks JSON's grammar.
    Syntax,
}

impl ReadError {
    /// Byte column of the place, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.at + 1
    }

    /// What is wrong there, without any of the text.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self.fault {
            Fault::Truncated => "the text ends inside a value",
            Fault::Syntax => "the text breaks JSON's grammar",
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for ReadError {}
