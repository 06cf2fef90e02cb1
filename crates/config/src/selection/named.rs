//! What is named must be there: a renamed stream or column must not slip past its rule.

use std::collections::BTreeSet;

use singer::{Catalog, CatalogStream};

use super::apply::Applying;
use super::{Warning, offered};
use crate::problem::{Problem, did_you_mean};
use crate::streams::{ColumnRule, Rule, StreamFault};

/// Streams and columns that are named one by one and not offered; patterns that match nothing are warned of.
pub(super) fn check(applying: &mut Applying<'_>, catalog: &Catalog) {
    let rules = applying.rules;
    for rule in rules.rules() {
        let matched: Vec<_> =
            catalog.streams.iter().filter(|stream| rule.pattern.matches(&stream.tap_stream_id)).collect();
        check_streams(applying, rule, catalog);
        if rule.pattern.has_wildcard() && matched.is_empty() {
            let message = format!("`{}` matches no stream of the tap", rule.pattern);
            applying.report.warnings.push(Warning { message, place: rule.place.clone() });
        }
        for column in &rule.settings.columns {
            check_columns(applying, rule, column, &matched);
        }
    }
    let all: Vec<_> = catalog.streams.iter().collect();
    for column in &rules.defaults().columns {
        warn_of_column(applying, column, &all);
    }
}

fn check_streams(applying: &mut Applying<'_>, rule: &Rule, catalog: &Catalog) {
    for name in rule.pattern.names().collect::<BTreeSet<_>>() {
        if catalog.stream(&name).is_some() || applying.rules.stream(&name).settings.optional {
            continue;
        }
        let meant = did_you_mean(&name, catalog.streams.iter().map(|stream| stream.tap_stream_id.as_str()));
        let fault = StreamFault::NotOffered { stream: name.clone(), meant: meant.map(str::to_owned) };
        applying.problems.push(Problem::new(fault, &rule.place));
    }
}

/// Under a stream that is named, a column that is named must be there; elsewhere it must be somewhere.
fn check_columns(applying: &mut Applying<'_>, rule: &Rule, column: &ColumnRule, matched: &[&CatalogStream]) {
    let named: BTreeSet<String> = rule.pattern.names().collect();
    for stream in matched.iter().filter(|stream| named.contains(&stream.tap_stream_id)) {
        let columns = stream.property_paths();
        if columns.is_empty() || applying.rules.stream(&stream.tap_stream_id).settings.optional {
            continue;
        }
        for path in column.pattern.paths().filter(|path| !columns.contains(path)) {
            let path = offered::dotted(&path);
            let known: Vec<String> = columns.iter().map(|path| offered::dotted(path)).collect();
            let meant = did_you_mean(&path, known.iter().map(String::as_str)).map(str::to_owned);
            let fault = StreamFault::NoColumn { stream: stream.tap_stream_id.clone(), column: path, meant };
            applying.problems.push(Problem::new(fault, &column.place));
        }
    }
    if named.is_empty() || column.pattern.has_wildcard() {
        warn_of_column(applying, column, matched);
    }
}

fn warn_of_column(applying: &mut Applying<'_>, column: &ColumnRule, streams: &[&CatalogStream]) {
    let is_somewhere = streams.iter().any(|stream| {
        let columns = stream.property_paths();
        let is_meant = |path: &Vec<String>| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            column.pattern.matches_path(&path)
        };
        // What the tap does not say may be there.
        columns.is_empty() || columns.iter().any(is_meant)
    });
    if !is_somewhere && !streams.is_empty() {
        let message = format!("`{}` matches no column of the streams that this is about", column.pattern);
        applying.report.warnings.push(Warning { message, place: column.place.clone() });
    }
}
