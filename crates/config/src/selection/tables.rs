//! Two streams of one pipeline never share a table: each would undo the other's work.

use std::collections::BTreeMap;

use crate::place::Place;
use crate::problem::{ConfigError, Problem};
use crate::streams::{StreamFault, StreamRules, schema_and_table};

/// A table's schema, where it has one, and its own name.
type Name = (Option<String>, String);

/// The pairs of these streams that load into one table, with both places where the files say so.
pub(super) fn check<'a>(rules: &StreamRules, streams: impl Iterator<Item = &'a str>) -> Vec<Problem> {
    let mut first: BTreeMap<Name, (&str, Option<Place>)> = BTreeMap::new();
    let mut problems = Vec::new();
    for id in streams {
        let (schema, table) = schema_and_table(id);
        let settings = rules.stream(id).settings;
        let schema = settings.target_schema.or_else(|| schema.map(str::to_owned));
        let key = (schema.clone(), settings.target_table.unwrap_or(table));
        let place = place(rules, id);
        let Some((other, there)) = first.get(&key) else {
            first.insert(key, (id, place));
            continue;
        };
        let table = schema.map_or_else(|| key.1.clone(), |schema| format!("{schema}.{}", key.1));
        let fault = StreamFault::OneTable { streams: [(*other).to_owned(), id.to_owned()], table };
        problems.push(match (place, there) {
            (Some(place), Some(there)) if place != *there => {
                Problem::new(fault, &place).and("the other", there)
            }
            (Some(place), _) => Problem::new(fault, &place),
            (None, Some(there)) => Problem::new(fault, there),
            (None, None) => Problem::nowhere(fault),
        });
    }
    problems
}

/// Where the files name the stream's table, else the rule that selects it.
fn place(rules: &StreamRules, id: &str) -> Option<Place> {
    let merged = rules.merged(id);
    let named = merged.target_table.or(merged.target_schema).map(|template| template.place);
    named.or_else(|| rules.stream(id).rule)
}

impl StreamRules {
    /// Refuses two streams that the files name one by one and load into one table, whatever the tap offers.
    ///
    /// # Errors
    /// Each such pair.
    pub fn check_tables(&self) -> Result<(), ConfigError> {
        let mut names: Vec<String> = Vec::new();
        for name in self.rules().iter().flat_map(|rule| rule.pattern.names()) {
            let decision = self.stream(&name);
            let is_loaded = decision.selected == crate::streams::Selected::Yes && !decision.settings.optional;
            if is_loaded && !names.contains(&name) {
                names.push(name);
            }
        }
        ConfigError::unless_none(check(self, names.iter().map(String::as_str)))
    }
}
