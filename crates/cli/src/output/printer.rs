use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use crate::args::Global;
use crate::error::CliError;

/// Writes results to stdout and words on the side to stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
}

impl Printer {
    pub(crate) fn new(global: &Global) -> Self {
        Self { json: global.json, quiet: global.quiet }
    }

    /// Whether results are to be one JSON document.
    pub(crate) fn json(self) -> bool {
        self.json
    }

    /// The result: the document with `--json`, else the text.
    pub(crate) fn result(
        self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        if self.json { print_json(document) } else { print_bytes(text().as_bytes()) }
    }

    /// A word on the side, for people: on stderr, not with `--quiet`.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet && !self.json {
            // There is nobody left to tell that stderr is gone.
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }
}

/// Prints bytes as they are; colours are taken out where they are not wanted.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = anstream::stdout();
    reader_gone(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Prints one document, indented, and a line feed.
pub(crate) fn print_json(document: &impl Serialize) -> Result<(), CliError> {
    let mut text = serde_json::to_vec_pretty(document).map_err(|error| CliError::Output(error.into()))?;
    text.push(b'\n');
    let mut stdout = io::stdout();
    reader_gone(stdout.write_all(&text).and_then(|()| stdout.flush()))
}

/// `tapster … | head` is no error.
fn reader_gone(outcome: io::Result<()>) -> Result<(), CliError> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(CliError::Output),
    }
}
