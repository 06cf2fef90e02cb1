//! The closing words of a run: a table, where the data is, what to type next.

use std::path::Path;

use config::Pipeline;
use runner::{Bottleneck, RunError, RunSummary, TimeSpent};
use serde::Serialize;
use singer::CatalogChange;
use store::{RunId, StreamFigures};

use super::drift;
use crate::args::Global;
use crate::error::CliError;
use crate::output::{Align, Printer, Table, bookmark_change, count, duration, records, time_spent};
use crate::progress::figures;

/// The document of `run --json`. A failed run's is its error.
#[derive(Serialize)]
struct Document<'a> {
    run: String,
    pipeline: &'a str,
    environment: &'a str,
    status: &'static str,
    exit_code: u8,
    seconds: f64,
    streams: Vec<StreamFigures>,
    /// The file or database that the tables are in.
    location: Option<&'a str>,
    sequence: Option<i64>,
    warnings: &'a [String],
    /// What has changed at the source since the last run.
    drift: &'a [CatalogChange],
    time_spent: TimeSpent,
    bottleneck: Bottleneck,
}

/// What the closing words are about, besides the run itself.
pub(super) struct About<'a> {
    pub(super) pipeline: &'a Pipeline,
    /// The project folder: the files in it are named as seen from there.
    pub(super) root: &'a Path,
    pub(super) run: RunId,
    pub(super) location: Option<&'a str>,
    /// The target, where it is a program of its own: what it has loaded is known only when it succeeds.
    pub(super) relay: Option<&'a str>,
    pub(super) warnings: &'a [String],
    /// What has changed at the source since the last run.
    pub(super) drift: &'a [CatalogChange],
    /// Whether a report of the time ends them.
    pub(super) bench: bool,
}

/// Tells the result on stdout. With `--json` a failure is the one document, and is told by who ends the process.
pub(super) fn tell(global: &Global, about: &About, summary: &RunSummary) -> Result<(), CliError> {
    if global.json && summary.error.is_some() {
        return Ok(());
    }
    let streams = figures(summary);
    let document = Document {
        run: about.run.to_string(),
        pipeline: &about.pipeline.name,
        environment: &about.pipeline.environment,
        status: "succeeded",
        exit_code: summary.exit_code(),
        seconds: summary.elapsed.as_secs_f64(),
        streams: streams.clone(),
        location: about.location,
        sequence: summary.sequence,
        warnings: about.warnings,
        drift: about.drift,
        time_spent: summary.time_spent,
        bottleneck: summary.time_spent.bottleneck(),
    };
    Printer::new(global).result(&document, || {
        let mut text = text(global, about, summary, &streams);
        if about.bench {
            text.extend(["\n", &time_spent(summary, &about.pipeline.name, about.relay)]);
        }
        text
    })
}

fn text(global: &Global, about: &About, summary: &RunSummary, streams: &[StreamFigures]) -> String {
    let mut text = String::new();
    // The report has a table of its own.
    if !streams.is_empty() && !about.bench {
        text.push_str(&table(streams));
        text.push('\n');
    }
    text.push_str(&drift::told(about.drift));
    let name = &about.pipeline.name;
    let written: u64 = streams.iter().map(|stream| stream.records_written).sum();
    let records = records(written);
    let took = duration(summary.elapsed.as_secs_f64());
    if let Some(error) = &summary.error {
        let ended = if matches!(error, RunError::Cancelled(_)) { "was stopped" } else { "failed" };
        if let Some(target) = about.relay {
            let last = summary.sequence.map_or_else(
                || "no STATE of this run is kept".to_owned(),
                |sequence| format!("the last STATE of {target} is kept as sequence {sequence}"),
            );
            text.push_str(&format!(
                "{name}: {last}; what it has loaded after that is not known; the run {ended} after {took}.\n"
            ));
            return text;
        }
        let are = if written == 1 { "is" } else { "are" };
        text.push_str(&format!(
            "{name}: {records} {are} committed and safe; the run {ended} after {took}.\n"
        ));
        return text;
    }
    let what = if written == 0 { "nothing was new".to_owned() } else { records };
    text.push_str(&format!("{name}: {what}, in {took}.\n"));
    let root = format!("{}/", about.root.display());
    let short = |place: &'_ str| place.strip_prefix(&root).unwrap_or(place).to_owned();
    let places = summary.streams.iter().map(|stream| short(&stream.place)).collect();
    if let (Some(place), true) = (place(places, about.location), written > 0) {
        text.push_str(&format!("The data is in {place}.\n"));
    }
    if !global.beside_others && !about.bench {
        let environment = global.environment_flag();
        text.push_str(&format!("\nnext: tapster run {name}{environment}          what has changed since\n"));
        text.push_str(&format!(
            "      tapster state get {name}{environment}    the bookmarks it goes on from\n"
        ));
    }
    text
}

/// `warehouse.duckdb: main.airlines and 4 more tables`.
fn place(mut places: Vec<String>, location: Option<&str>) -> Option<String> {
    // A target that is a program of its own does not say.
    places.retain(|place| !place.is_empty());
    places.sort_unstable();
    places.dedup();
    let more = match places.len().saturating_sub(1) {
        0 => String::new(),
        1 => " and 1 more table".to_owned(),
        more => format!(" and {more} more tables"),
    };
    let first = places.first()?;
    Some(location.map_or_else(|| format!("{first}{more}"), |location| format!("{location}: {first}{more}")))
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
            bookmark_change(stream.bookmark_before.as_deref(), stream.bookmark_after.as_deref()),
        ]);
    }
    table.render(0)
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn the_place_of_the_data_names_the_file_and_counts_the_tables() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let told = place(names(&["main.b", "main.a", "main.a"]), Some("warehouse.duckdb"));
        assert_eq!(told.as_deref(), Some("warehouse.duckdb: main.a and 1 more table"));
        assert_eq!(place(names(&["out/a.jsonl"]), None).as_deref(), Some("out/a.jsonl"));
        assert_eq!(place(Vec::new(), Some("x")), None);
    }
}
