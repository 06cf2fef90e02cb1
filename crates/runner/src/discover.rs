//! What a tap offers.

use std::time::Duration;

use singer::{Catalog, Message, SkipRecords, TapFlags};

use crate::capture::{Captured, Question, capture};
use crate::{ProgramCommand, RunError, Shutdown, TapFailure};

/// What came of discovery.
#[derive(Debug)]
pub enum Discovered {
    /// The tap's catalog.
    Catalog(Catalog),
    /// The program has no discovery: it began to send messages.
    Nothing,
}

/// Longest time for a program to print its help.
const HELP: Duration = Duration::from_mins(1);

/// Runs the tap's discovery, which may take this long. Takes nothing and changes nothing at the tap's side.
///
/// # Errors
/// When the tap does not start, exits with an error, takes longer, or prints no catalog. What it said is in its log.
pub async fn discover(
    command: &ProgramCommand,
    longest: Duration,
    shutdown: &mut Shutdown,
) -> Result<Discovered, RunError> {
    let enough = begins_with_message;
    let question = Question { flag: "--discover", with_config: true, catalog: None, longest, enough };
    let Captured { stdout, exit } = capture(command, question, shutdown).await?;
    if begins_with_message(&stdout) {
        return Ok(Discovered::Nothing);
    }
    if let Some(failure) = exit.and_then(|exit| exit.failure(None)) {
        return Err(failure.into());
    }
    let catalog = Catalog::from_discovery(&stdout);
    catalog.map(Discovered::Catalog).map_err(|error| TapFailure::NoCatalog(error.to_string()).into())
}

/// Asks the tap, by `--check`, whether it reaches what it reads from, and what this catalog (JSON text) selects of it;
/// that may take this long. No word of Singer: a program that does not know it fails.
///
/// # Errors
/// When the tap does not start, exits with an error, or takes longer. What it said is in its log.
pub async fn check(
    command: &ProgramCommand,
    catalog: Option<&str>,
    longest: Duration,
    shutdown: &mut Shutdown,
) -> Result<(), RunError> {
    let question = Question { flag: "--check", with_config: true, catalog, longest, enough: |_| false };
    let exit = capture(command, question, shutdown).await?.exit;
    exit.and_then(|exit| exit.failure(None)).map_or(Ok(()), |failure| Err(failure.into()))
}

/// By which flags this program takes its files, as its `--help` says. A program that knows no `--help` may begin to
/// extract: it gets no config to do that with, and is ended at its first message.
///
/// # Errors
/// When the program does not start.
pub async fn tap_flags(command: &ProgramCommand, shutdown: &mut Shutdown) -> Result<TapFlags, RunError> {
    let enough = |bytes: &[u8]| bytes.len() > 1 << 20 || begins_with_message(bytes);
    let question = Question { flag: "--help", with_config: false, catalog: None, longest: HELP, enough };
    let Captured { stdout, .. } = capture(command, question, shutdown).await?;
    Ok(TapFlags::from_help(&String::from_utf8_lossy(&stdout)))
}

/// Whether the first whole line is a Singer message rather than a catalog.
fn begins_with_message(stdout: &[u8]) -> bool {
    let stdout = stdout.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stdout);
    let Some(line) = stdout.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty()) else {
        return false;
    };
    let whole = line.len() < stdout.len();
    let Ok(text) = std::str::from_utf8(line) else { return false };
    whole
        && matches!(singer::parse(text, &mut SkipRecords), Ok(message) if !matches!(message, Message::Unknown { .. }))
}

#[cfg(test)]
mod tests {
    use super::begins_with_message;

    #[test]
    fn messages_are_told_from_catalogs() {
        assert!(begins_with_message(b"\n{\"type\":\"STATE\",\"value\":{}}\n{\"ty"));
        assert!(begins_with_message(b"\xef\xbb\xbf{\"type\":\"STATE\",\"value\":{}}\n"));
        assert!(!begins_with_message(b"{\"streams\": []}\n"));
        assert!(!begins_with_message(b"{\n  \"streams\": []\n}\n"));
        assert!(!begins_with_message(b"{\"type\":\"STATE\",\"val"));
    }
}
