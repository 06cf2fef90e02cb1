//! The closing words of a run: a table, where the data is, what to type next.

use config::Pipeline;
use runner::RunSummary;
use serde::Serialize;
use store::{RunId, StreamFigures};

use crate::args::Global;
use crate::error::CliError;
use crate::failure::Failure;
use crate::output::{Align, Printer, Table, count, duration};
use crate::progress::figures;

/// The document of `run --json`.
#[derive(Serialize)]
struct Document<'a> {
    run: String,
    pipeline: &'a str,
    status: &'static str,
    exit_code: u8,
    seconds: f64,
    streams: Vec<StreamFigures>,
    places: Vec<(String, String)>,
    sequence: Option<i64>,
    error: Option<Failure>,
}

/// Tells the result on stdout. With `--json` a failure is part of the one document.
pub(super) fn tell(
    global: &Global,
    pipeline: &Pipeline,
    run: RunId,
    summary: &RunSummary,
) -> Result<(), CliError> {
    if global.json && summary.error.is_some() {
        // The error is the one document.
        return Ok(());
    }
    let streams = figures(summary);
    let places: Vec<_> = summary.streams.iter().map(|s| (s.stream.clone(), s.place.clone())).collect();
    let document = Document {
        run: run.to_string(),
        pipeline: &pipeline.name,
        status: if summary.error.is_none() { "succeeded" } else { "failed" },
        exit_code: summary.exit_code(),
        seconds: summary.elapsed.as_secs_f64(),
        streams: streams.clone(),
        places,
        sequence: summary.sequence,
        error: None,
    };
    Printer::new(global).result(&document, || text(pipeline, summary, &streams))
}

fn text(pipeline: &Pipeline, summary: &RunSummary, streams: &[StreamFigures]) -> String {
    let mut text = String::new();
    if !streams.is_empty() {
        text.push_str(&table(streams));
        text.push('\n');
    }
    let written: u64 = streams.iter().map(|stream| stream.records_written).sum();
    let took = duration(summary.elapsed.as_secs_f64());
    if summary.error.is_some() {
        text.push_str(&format!(
            "{} records are committed and safe; the run failed after {took}.\n",
            count(written)
        ));
        return text;
    }
    let what =
        if written == 0 { "Nothing was new".to_owned() } else { format!("{} records", count(written)) };
    text.push_str(&format!("{what}, in {took}.\n"));
    let mut places: Vec<&str> = summary.streams.iter().map(|stream| stream.place.as_str()).collect();
    places.sort_unstable();
    if let (Some(first), true) = (places.first(), written > 0) {
        let more =
            if places.len() > 1 { format!(" and {} more tables", places.len() - 1) } else { String::new() };
        text.push_str(&format!("The data is in {first}{more}.\n"));
    }
    text.push_str(&format!("\nnext: tapster run {0}          what has changed since\n", pipeline.name));
    text.push_str(&format!("      tapster state get {0}    the bookmarks it goes on from\n", pipeline.name));
    text
}

fn table(streams: &[StreamFigures]) -> String {
    let mut table = Table::new(&[
        ("stream", Align::Left),
        ("read", Align::Right),
        ("written", Align::Right),
        ("rejected", Align::Right),
        ("time", Align::Right),
        ("bookmark", Align::Left),
    ]);
    for stream in streams {
        table.line([
            stream.stream.clone(),
            count(stream.records_read),
            count(stream.records_written),
            count(stream.records_rejected),
            duration(stream.seconds),
            change(stream.bookmark_before.as_deref(), stream.bookmark_after.as_deref()),
        ]);
    }
    table.render(0)
}

/// `before → after`, each short enough to be read.
fn change(before: Option<&str>, after: Option<&str>) -> String {
    match (before, after) {
        (None, None) => "none".to_owned(),
        (before, after) if before == after => format!("{}, unchanged", short(after.unwrap_or_default())),
        (before, after) => {
            format!(
                "{} → {}",
                before.map_or_else(|| "none".to_owned(), short),
                after.map_or_else(|| "none".to_owned(), short)
            )
        }
    }
}

/// The replication key's value where there is one; otherwise the bookmark's plain values with their names.
fn short(bookmark: &str) -> String {
    const LONGEST: usize = 32;
    let Ok(value) = singer::Json::parse(bookmark) else { return String::new() };
    let text = match value.get("replication_key_value") {
        Some(key) => key.as_str().map_or_else(|| key.to_string(), str::to_owned),
        None => plain(&value),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

fn plain(value: &singer::Json) -> String {
    let Some(members) = value.as_object() else { return value.to_string() };
    let parts = members.iter().map(|(name, value)| match value {
        singer::Json::Object(_) => plain(value),
        value => format!("{name} {value}"),
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{change, short};

    #[test]
    fn bookmarks_are_short_and_say_what_moved() {
        assert_eq!(short(r#"{"replication_key":"at","replication_key_value":"2026-01-01"}"#), "2026-01-01");
        assert_eq!(short(r#"{"files":{"a.csv":{"bytes":386,"lines":17}}}"#), "bytes 386, lines 17");
        assert_eq!(change(None, Some("7")), "none → 7");
        assert_eq!(change(Some("7"), Some("7")), "7, unchanged");
    }
}
