//! A write-ahead log that a killed program left is replayed when the file is opened, and DuckDB may abort the whole
//! process over a broken one. So a child process opens it first.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use duckdb::{AccessMode, Connection};
use target_api::TargetError;

use crate::config::Config;
use crate::connection::{log_paths, other_holder};
use crate::error;
use crate::lock::Patience;

/// The word after the program's name that makes it a probe; the file's path follows.
pub const PROBE_WORD: &str = "__probe-duckdb";

/// The probe's whole work: opens the file read-only, which replays its log in memory and changes nothing.
/// Returns the program's exit code and what to write to its standard error.
#[must_use]
pub fn probe_main(path: &Path) -> (u8, String) {
    let opened = duckdb::Config::default()
        .access_mode(AccessMode::ReadOnly)
        .and_then(|config| config.enable_autoload_extension(false))
        .and_then(|config| Connection::open_with_flags(path, config))
        .and_then(|connection| connection.execute_batch("SELECT count(*) FROM duckdb_tables()"));
    match opened {
        Ok(()) => (0, String::new()),
        Err(cause) => (1, error::said(&cause)),
    }
}

/// Makes sure that the file's log, where there is one, can be replayed. Without a prober it is taken on trust.
pub(crate) fn sound_log(
    path: &Path,
    prober: Option<&Path>,
    config: &Config,
    patience: &mut Patience,
) -> Result<(), TargetError> {
    let Some(prober) = prober.filter(|_| !log_paths(path).is_empty()) else { return Ok(()) };
    loop {
        let child = Command::new(prober).arg(PROBE_WORD).arg(path).stdin(Stdio::null()).output();
        let output = child.map_err(|cause| {
            let message = format!("{} could not be started to look at {}", prober.display(), path.display());
            TargetError::permanent(error::OPEN, message).caused_by(cause)
        })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let Some(holder) = other_holder(&said) else {
            let said = said.trim().lines().next().unwrap_or_default();
            return Err(broken(&config.path, &format!("{said} ({})", output.status)));
        };
        patience.wait(path, &holder)?;
    }
}

/// The error for a log that cannot be replayed, with the way out.
pub(crate) fn broken(path: &Path, said: &str) -> TargetError {
    let logs = log_paths(path);
    let both = |verb: &str, suffix: &str, paths: &[&Path]| {
        let commands = paths.iter().map(|path| format!("{verb} '{0}' '{0}{suffix}'", path.display()));
        commands.collect::<Vec<_>>().join("; ")
    };
    let logs: Vec<&Path> = logs.iter().map(PathBuf::as_path).collect();
    let copies = both("cp", ".copy", &[&[path], logs.as_slice()].concat());
    let message = format!(
        "{} was left by a program that was killed, and its write-ahead log beside it cannot be replayed; both are as they were: {said}",
        path.display()
    );
    TargetError::permanent(error::BROKEN_LOG, message).with_hint(format!(
        "keep copies ({copies}), then put the log away ({}) and run again: everything up to DuckDB's last checkpoint \
         is in the file, with the STATE that belongs to it, so the tap sends again what came later",
        both("mv", ".broken", &logs)
    ))
}
