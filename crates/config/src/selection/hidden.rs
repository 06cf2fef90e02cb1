//! A rule that later rules wholly hide is a mistake in their order.

use singer::Catalog;

use super::apply::Applying;
use crate::problem::Problem;
use crate::streams::{Rule, RuleSettings, StreamFault};

/// Finds the rules that change nothing, for every stream of the catalog that they match.
pub(super) fn check(applying: &mut Applying<'_>, catalog: &Catalog) {
    let rules = applying.rules.rules();
    for (at, rule) in rules.iter().enumerate() {
        let later = rules.get(at + 1..).unwrap_or_default();
        let matched = catalog.streams.iter().map(|stream| stream.tap_stream_id.as_str());
        let mut matched = matched.filter(|id| rule.pattern.matches(id)).peekable();
        if matched.peek().is_none() {
            continue;
        }
        let hiding: Option<Vec<&Rule>> = matched.map(|id| hiding(rule, later, id)).collect();
        if let Some(hiding) = hiding.as_ref().and_then(|hiding| hiding.last()) {
            let problem = Problem::new(StreamFault::Hidden, &rule.place);
            applying.problems.push(problem.and("overruled here", &hiding.place));
        }
    }
}

/// The later rule that leaves nothing of this one for a stream.
fn hiding<'a>(rule: &Rule, later: &'a [Rule], id: &str) -> Option<&'a Rule> {
    let matching: Vec<&Rule> = later.iter().filter(|later| later.pattern.matches(id)).collect();
    let last = matching.last()?;
    if rule.is_exclude != last.is_exclude {
        return Some(last);
    }
    let mine = said(&rule.settings);
    let is_overruled = |key: &&str| matching.iter().any(|later| said(&later.settings).contains(key));
    // What is added to and not replaced stays; a bare include or exclude may be said twice.
    let only_replaces = rule.settings.columns.is_empty() && rule.settings.metadata.is_empty();
    (only_replaces && !mine.is_empty() && mine.iter().all(is_overruled)).then_some(*last)
}

/// The settings that a rule says.
fn said(settings: &RuleSettings) -> Vec<&'static str> {
    let keys = [
        ("replication_method", settings.replication_method.is_some()),
        ("replication_key", settings.replication_key.is_some()),
        ("key_properties", settings.key_properties.is_some()),
        ("optional", settings.optional.is_some()),
        ("target_schema", settings.target_schema.is_some()),
        ("target_table", settings.target_table.is_some()),
        ("load_method", settings.load_method.is_some()),
        ("metadata_columns", settings.metadata_columns.is_some()),
    ];
    keys.into_iter().filter_map(|(key, is_said)| is_said.then_some(key)).collect()
}
