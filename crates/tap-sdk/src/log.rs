//! Lines for people, on stderr: `INFO …`, `WARNING …`, `ERROR …`, `CRITICAL …`, as Singer taps write them.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};

/// How much is said. Set by the environment variable `TAP_NAME_LOGLEVEL` (`TAP_CSV_LOGLEVEL=debug`).
static THRESHOLD: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What helps to find a fault in the tap itself.
    Debug,
    /// What the tap is doing.
    Info,
    /// What a person should look at, though the sync goes on.
    Warning,
    /// What went wrong, though the tap may go on.
    Error,
    /// Why the tap ends early.
    Critical,
}

/// What helps to find a fault in the tap itself.
pub fn debug(text: &str) {
    write(Level::Debug, text);
}

/// What the tap is doing.
pub fn info(text: &str) {
    write(Level::Info, text);
}

/// What a person should look at, though the sync goes on.
pub fn warning(text: &str) {
    write(Level::Warning, text);
}

/// Why the tap ends early.
pub(crate) fn critical(text: &str) {
    write(Level::Critical, text);
}

/// Takes the level from the environment; an unknown word changes nothing. [`crate::main`] does it by itself.
pub fn set_up(program: &str) {
    let variable = format!("{}_LOGLEVEL", program.replace('-', "_").to_ascii_uppercase());
    let level = match std::env::var(variable).unwrap_or_default().to_ascii_lowercase().as_str() {
        "debug" => Level::Debug,
        "warning" => Level::Warning,
        "error" => Level::Error,
        "critical" => Level::Critical,
        _ => Level::Info,
    };
    THRESHOLD.store(level as u8, Ordering::Relaxed);
}

/// A line of the level, or as many as the text has; none that is below what is to be said.
pub fn write(level: Level, text: &str) {
    if (level as u8) < THRESHOLD.load(Ordering::Relaxed) {
        return;
    }
    let name = match level {
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warning => "WARNING",
        Level::Error => "ERROR",
        Level::Critical => "CRITICAL",
    };
    let mut lines = String::new();
    for line in text.lines() {
        let _ = writeln!(lines, "{name} {line}");
    }
    // A closed stderr is no reason to stop.
    let _ = std::io::stderr().write_all(lines.as_bytes());
}
