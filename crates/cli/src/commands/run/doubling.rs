//! The one way in which a record is loaded twice: a tap says it again after a success, and the stream has no key.

use config::{Pipeline, Program};
use runner::RunSummary;

/// A warning after the first load of streams without a key from a tap that is not ours. Our own repeat nothing.
pub(super) fn warning(pipeline: &Pipeline, summary: &RunSummary) -> Option<String> {
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
