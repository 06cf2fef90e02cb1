//! Which columns of a loaded stream are loaded.

use singer::CatalogStream;

use super::offered;
use crate::problem::Problem;
use crate::streams::{RuleSettings, StreamFault, column_rule};

/// Writes the selection of every column that a rule is about, and gives those that are left out. Keys stay when a
/// wildcard would take them; to name one is an error.
pub(super) fn write(
    stream: &mut CatalogStream,
    merged: &RuleSettings,
    problems: &mut Vec<Problem>,
) -> Vec<Vec<String>> {
    let mut keys = stream.key();
    keys.extend(stream.effective_replication_key().map(str::to_owned));
    let mut excluded: Vec<Vec<String>> = Vec::new();
    for path in offered::columns(stream) {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        if excluded.iter().any(|above| path.starts_with(above)) {
            // With what holds it, so that every kind of tap leaves it out.
            stream.set_selected(&names, false);
            continue;
        }
        let Some(rule) = column_rule(&merged.columns, &names) else { continue };
        let is_key = matches!(names.as_slice(), [one] if keys.iter().any(|key| key == one));
        if !rule.is_exclude || is_key {
            stream.set_selected(&names, true);
            if rule.is_exclude && rule.pattern.paths().any(|named| named == path) {
                let (column, stream) = (offered::dotted(&path), stream.tap_stream_id.clone());
                problems.push(Problem::new(StreamFault::KeyExcluded { stream, column }, &rule.place));
            }
            continue;
        }
        stream.set_selected(&names, false);
        excluded.push(path);
    }
    excluded
}
