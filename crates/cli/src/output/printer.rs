use std::io::{self, ErrorKind, Write};

use serde::Serialize;
use tracing::Level;

use super::words::{in_json, json_line, subject};

use crate::args::Global;
use crate::error::CliError;
use crate::progress::above;

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

    /// A word on the side: on stderr, not with `--quiet`.
    pub(crate) fn note(self, text: &str) {
        self.say(Level::INFO, text, String::new());
    }

    /// A warning: on stderr, not with `--quiet`; with `--json` the document has it.
    pub(crate) fn warn(self, text: &str) {
        let subject = subject().map(|name| format!("{name}: ")).unwrap_or_default();
        self.say(Level::WARN, text, format!("warning: {subject}"));
    }

    fn say(self, level: Level, text: &str, prefix: String) {
        if self.quiet || self.json {
            return;
        }
        let line = if in_json() { json_line(level, text, None) } else { prefix + text + "\n" };
        // There is nobody left to tell that stderr is gone.
        let _ = above(|| anstream::stderr().write_all(line.as_bytes()));
    }
}

/// Says one line on stderr.
pub(crate) fn print_words(text: &str) {
    // There is nobody left to tell that stderr is gone.
    let _ = writeln!(anstream::stderr(), "{text}");
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
