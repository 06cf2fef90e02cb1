//! Help and discovery.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use singer::{Catalog, CatalogError, Message, SkipRecords, TapFlags};

use super::rules::DISCOVERY;
use crate::ended::ending;
use crate::process::ask;
use crate::program::config_arguments;
use crate::{Check, ConformanceError, Limits, Program};

/// Longest time for a program to print its help.
const HELP: Duration = Duration::from_mins(1);
/// Longest help, in bytes.
const HELP_BYTES: usize = 1 << 20;

/// The catalog that discovery gave.
pub(super) struct Discovered(pub(super) Option<Catalog>);

/// The flags by which the program takes its files, as its help says. It gets no config for that: one that knows no
/// `--help` may begin to extract.
pub(super) async fn tap_flags(program: &Program, limits: Limits) -> Result<TapFlags, ConformanceError> {
    let enough = |bytes: &[u8]| bytes.len() > HELP_BYTES || begins_with_message(bytes);
    let (help, _) = ask(program, &["--help".into()], limits.timeout.min(HELP), enough).await?;
    Ok(TapFlags::from_help(&String::from_utf8_lossy(&help)))
}

/// Asks for the catalog, and judges the answer.
pub(super) async fn discover(
    program: &Program,
    folder: &Path,
    limits: Limits,
    checks: &mut Vec<Check>,
) -> Result<Discovered, ConformanceError> {
    let mut arguments: Vec<OsString> = config_arguments(program, folder)?;
    arguments.push("--discover".into());
    let (stdout, exit) = ask(program, &arguments, limits.timeout, begins_with_message).await?;
    let (catalog, check) = if begins_with_message(&stdout) {
        (None, DISCOVERY.skipped("it has no discovery: it answers --discover with messages"))
    } else {
        match exit {
            None => (None, DISCOVERY.failed(format!("it did not end within {:?}", limits.timeout))),
            Some(exit) if !exit.success() => {
                (None, DISCOVERY.failed(format!("it ended with {}", ending(exit))))
            }
            Some(_) => judged(&stdout),
        }
    };
    checks.push(check);
    Ok(Discovered(catalog))
}

fn judged(stdout: &[u8]) -> (Option<Catalog>, Check) {
    let catalog = match Catalog::from_discovery(stdout) {
        Ok(catalog) => catalog,
        Err(CatalogError::NotJson(error)) => {
            let place = format!("not JSON at line {}, column {}", error.line(), error.column());
            return (None, DISCOVERY.failed(place));
        }
        Err(error) => return (None, DISCOVERY.failed(error.to_string())),
    };
    let is_alone = serde_json::from_slice::<serde::de::IgnoredAny>(stdout).is_ok();
    let check = match (is_alone, catalog.streams.len()) {
        (false, _) => DISCOVERY.failed("stdout holds more than the catalog: logs belong on stderr"),
        (true, 0) => DISCOVERY.failed("the catalog has no stream"),
        (true, streams) => DISCOVERY.ok(format!("one catalog, streams: {streams}")),
    };
    (Some(catalog), check)
}

/// Whether the first whole line is a message rather than a catalog.
fn begins_with_message(stdout: &[u8]) -> bool {
    let Some(line) = stdout.split_inclusive(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty())
    else {
        return false;
    };
    let text = std::str::from_utf8(line).unwrap_or_default();
    let is_known = |message| !matches!(message, Message::Unknown { .. });
    text.ends_with('\n') && singer::parse(text.trim_end(), &mut SkipRecords).is_ok_and(is_known)
}
