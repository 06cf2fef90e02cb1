//! Which columns of a loaded stream are loaded, and what decides it.

use singer::CatalogStream;

use super::{ColumnDecision, DecidedBy, offered};
use crate::problem::Problem;
use crate::streams::{RuleSettings, StreamFault, column_rule};

/// Writes the selection of every column that a rule is about, and says what decides about those that are left out or
/// stay whatever is said. Keys stay when a wildcard would take them; to name one is an error.
pub(super) fn write(
    stream: &mut CatalogStream,
    merged: &RuleSettings,
    problems: &mut Vec<Problem>,
) -> Vec<ColumnDecision> {
    let mut keys = stream.key();
    keys.extend(stream.effective_replication_key().map(str::to_owned));
    let mut decisions: Vec<ColumnDecision> = Vec::new();
    for path in stream.property_paths() {
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        let holder = decisions.iter().find(|above| !above.is_loaded && path.starts_with(&above.path));
        if let Some(ColumnDecision { path: holder, by, .. }) = holder {
            if matches!(by, DecidedBy::Rule(_)) {
                // With what holds it, so that every kind of tap leaves it out.
                stream.set_selected(&names, false);
            }
            let by = DecidedBy::Holder(holder.clone());
            decisions.push(ColumnDecision { path, is_loaded: false, by });
            continue;
        }
        let rule = column_rule(&merged.columns, &names);
        let is_key = matches!(names.as_slice(), [one] if keys.iter().any(|key| key == one));
        let exclude = rule.filter(|rule| rule.is_exclude);
        if rule.is_some() {
            stream.set_selected(&names, exclude.is_none() || is_key);
        }
        if let Some(rule) = exclude.filter(|rule| is_key && rule.pattern.paths().any(|named| named == path)) {
            let (column, stream) = (offered::dotted(&path), stream.tap_stream_id.clone());
            problems.push(Problem::new(StreamFault::KeyExcluded { stream, column }, &rule.place));
        }
        let decided = match exclude {
            _ if stream.is_unsupported(&names) => Some((false, DecidedBy::Unsupported)),
            Some(rule) if is_key => Some((true, DecidedBy::Key(rule.place.clone()))),
            Some(rule) => Some((false, DecidedBy::Rule(rule.place.clone()))),
            None if !stream.is_property_selected(&names) => Some((false, DecidedBy::Catalog)),
            None if stream.is_automatic(&names) => Some((true, DecidedBy::Automatic)),
            None => None,
        };
        decisions.extend(decided.map(|(is_loaded, by)| ColumnDecision { path, is_loaded, by }));
    }
    decisions
}
