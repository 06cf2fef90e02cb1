//! The one way in which a record is loaded twice: a tap says it again after a success, and the stream has no key.

use config::{Pipeline, Program};
use runner::RunSummary;

use crate::progress::figures;
use crate::wiring::Offer;

/// A warning after the first load of streams without a key from a tap that is not ours. Our own repeat nothing.
pub(super) fn warning(pipeline: &Pipeline, offer: &Offer, summary: &RunSummary) -> Option<String> {
    if matches!(pipeline.tap.program, Program::Named(_)) {
        return None;
    }
    let keyless = offer.keyless(pipeline);
    let new: Vec<String> = figures(summary)
        .into_iter()
        .filter(|stream| stream.records_written > 0 && stream.bookmark_before.is_none())
        .map(|stream| stream.stream)
        .filter(|stream| keyless.contains(stream))
        .collect();
    (!new.is_empty()).then(|| {
        format!(
            "no key in {}: what the tap says again in a later run (many repeat the record of their bookmark) is then \
             there twice; give `key_properties` if the records have a key",
            new.join(", ")
        )
    })
}
