//! How a record is loaded twice: a tap says it again after a success, and the stream has no key.

use config::{Pipeline, Program};
use runner::RunSummary;
use singer::TapFlags;

/// A warning after the first load of streams without a key, from a tap that is not ours (our own repeat nothing) or
/// into a target that is not.
pub(super) fn warning(pipeline: &Pipeline, summary: &RunSummary) -> Option<String> {
    if !matches!(pipeline.target.program, Program::Named(_)) {
        return of_relay(&pipeline.name, summary);
    }
    if matches!(pipeline.tap.program, Program::Named(_)) {
        return None;
    }
    let new = summary.streams.iter().filter(|stream| stream.created && !stream.keyed);
    let new: Vec<&str> =
        new.filter(|stream| stream.records_written > 0).map(|stream| stream.stream.as_str()).collect();
    (!new.is_empty()).then(|| {
        format!(
            "no key in {}: what the tap says again in a later run (many repeat the record of their bookmark) is then \
             there twice; give `key_properties` if the records have a key",
            new.join(", ")
        )
    })
}

/// A target that is a program of its own cannot tell a crash from the end, and what it loaded after its last STATE is
/// sent again. Told at the first run, and where it has happened.
fn of_relay(pipeline: &str, summary: &RunSummary) -> Option<String> {
    let told = summary.state_before.is_none() || summary.error.is_some();
    let keyless = summary.streams.iter().filter(|stream| !stream.keyed && stream.records_read > 0);
    let keyless: Vec<&str> = keyless.map(|stream| stream.stream.as_str()).collect();
    (told && !keyless.is_empty()).then(|| {
        format!(
            "no key in {}: after a failed run of {pipeline}, what the target has loaded since the last STATE that it \
             printed is there twice",
            keyless.join(", ")
        )
    })
}

/// A tap that is given no STATE, although it says some.
pub(super) fn starts_over(tap: &str, flags: &TapFlags, summary: &RunSummary) -> Option<String> {
    (!flags.state && summary.state_after.is_some()).then(|| {
        format!(
            "the help of {tap} names no --state, so it is not given the STATE: every run starts from the beginning, and \
             what streams without a key hold is then there once more"
        )
    })
}

/// `--full-refresh` into a target that is a program of its own.
pub(super) fn not_emptied(target: &str) -> String {
    format!(
        "the tap starts over, but only {target} can empty its tables: what streams without a key hold is there twice"
    )
}
