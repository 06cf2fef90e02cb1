//! Whether a run goes on from the STATE that it is given.

use serde_json::Value;
use singer::Catalog;

use super::rules::RESUME;
use super::{TapRun, hearing::Stream};
use crate::Check;
use crate::ended::ending;
use crate::report::Findings;

/// Judges the second run, which was given the last STATE of the first.
pub(super) fn check(catalog: Option<&Catalog>, first: &TapRun, second: &TapRun) -> Check {
    if second.heard.to_the_end() && !second.is_whole() {
        let how = second
            .ended
            .exit
            .map_or_else(|| "did not end".to_owned(), |exit| format!("ended with {}", ending(exit)));
        return RESUME.failed(format!("given its last STATE it {how}"));
    }
    if second.hearing.lines == 0 && !second.heard.to_the_end() {
        return RESUME.failed(format!("given its last STATE it said nothing: {}", second.heard.reason()));
    }
    let bookmarks = bookmarks(first);
    let (mut findings, mut judged, mut sent) = (Findings::default(), 0, 0);
    for (name, before) in &first.hearing.streams {
        if !goes_on(catalog, first, name, before, &bookmarks) {
            continue;
        }
        judged += 1;
        let Some(after) = second.hearing.streams.get(name) else { continue };
        sent += after.records;
        let (covered, greatest) = &before.covered;
        if after.below > 0 {
            findings.add(format!("stream {name}: {} records lie before its bookmark", after.below));
        } else if greatest.is_none() && *covered > 1 && after.records >= *covered {
            findings.add(format!("stream {name}: all of its {covered} records came again"));
        }
    }
    if judged == 0 {
        return RESUME.skipped("no stream with records has a bookmark to go on from");
    }
    RESUME.judged(&findings, format!("from its last STATE it sent {sent} records, none before a bookmark"))
}

/// The entries of the last STATE by their id.
fn bookmarks(first: &TapRun) -> Value {
    let state = first.hearing.last_state().map(singer::State::as_str).unwrap_or_default();
    serde_json::from_str::<Value>(state).unwrap_or_default()["bookmarks"].take()
}

/// Whether the stream promises to go on: it has a bookmark that says where, and is no copy of everything each time.
fn goes_on(
    catalog: Option<&Catalog>,
    first: &TapRun,
    name: &str,
    stream: &Stream,
    bookmarks: &Value,
) -> bool {
    let entry = first.hearing.entry(name);
    let is_copied = entry
        .and_then(|entry| entry.effective_replication_method())
        .is_some_and(|method| method.eq_ignore_ascii_case("FULL_TABLE"));
    let ids = entry.map(|entry| entry.tap_stream_id.as_str()).into_iter().chain([name]);
    let mut said = ids.filter_map(|id| bookmarks.get(id));
    // A stream that is not sorted cannot go on before its end.
    let is_place = |bookmark: &Value| match bookmark {
        Value::Object(members) => !members.is_empty() && !members.contains_key("progress_markers"),
        other => !other.is_null(),
    };
    let has_one = said.next().is_some_and(is_place);
    !is_copied && stream.covered.0 > 0 && (has_one || catalog.is_none() && stream.covered.1.is_some())
}
