//! `discover`: what the tap offers and which rule decides about it.

use config::{ColumnDecision, DecidedBy, Selected, SelectedStream};
use serde::Serialize;
use singer::CatalogStream;
use store::{PipelineName, Store};

use crate::args::{Discover, Global};
use crate::commands::run::pattern;
use crate::commands::{in_runtime, project, scratch};
use crate::failure::Outcome;
use crate::output::{Align, DIM, Printer, Table};
use crate::wiring::{Ask, Catalogs, Offer, TapUse, Wired};

/// One line a stream, and one a column that is left out or stays whatever is said; with `--json` the catalog itself.
pub(crate) fn run(global: &Global, args: &Discover) -> Outcome {
    let (project, name) = project::open_one(global, &args.pipeline)?;
    let pipeline = project.pipeline(&name)?;
    let scratch = scratch(&project)?;
    let wired =
        Wired::new(&project, &pipeline, scratch.path().join("tap.log"), TapUse::Alone(Printer::new(global)))?;
    let select = args.select.iter().map(|text| pattern(text)).collect::<Result<Vec<_>, _>>()?;
    // It asks anew, and what it hears is what the next run goes by.
    let store = pipeline.tap.discovery_cache.map(|_| Store::open(project.root())).transpose()?;
    let key = PipelineName::new(pipeline.environment.clone(), &pipeline.name);
    let kept = store.as_ref().map(|store| Catalogs { store, name: &key });
    let ask = Ask { select: &select, exclude: &[], kept, anew: true };
    let offer = in_runtime(async |signals| Offer::ask(&project, &pipeline, &wired.tap, ask, signals).await)
        .map_err(|failure| failure.redacted(&pipeline.secrets))?;
    let printer = Printer::new(global);
    for warning in &offer.report.warnings {
        printer.warn(&warning.to_string());
    }
    let Some(catalog) = &offer.catalog else {
        printer.result(&serde_json::json!({ "streams": [] }), || {
            "This program has no discovery: it is run without a catalog.\n".into()
        })?;
        return Ok(0);
    };
    printer.result(&Raw(catalog.to_json()), || {
        let columns = [
            ("stream", Align::Left),
            ("selected", Align::Left),
            ("by", Align::Left),
            ("method", Align::Left),
            ("key", Align::Left),
            ("columns", Align::Right),
        ];
        let mut table = Table::new(&columns);
        for stream in &catalog.streams {
            let decision = pipeline.rules.stream(&stream.tap_stream_id);
            let by = match (decision.selected, decision.rule) {
                (Selected::CatalogDecides, _) => "the catalog".to_owned(),
                (_, Some(place)) => place.to_string(),
                (_, None) => "no rule".to_owned(),
            };
            let style = if stream.is_selected() { anstyle::Style::new() } else { DIM };
            let report = offer.report.selected.iter().find(|one| one.tap_stream_id == stream.tap_stream_id);
            table.styled_line(line(stream, by, report).map(|cell| (cell, style)));
        }
        let next = format!("{name}{}", global.environment_flag());
        let columns = decided_columns(&offer.report.selected);
        format!("{}{columns}\nnext: tapster check {next}, then tapster run {next}\n", table.render(0))
    })?;
    Ok(0)
}

fn line(stream: &CatalogStream, by: String, report: Option<&SelectedStream>) -> [String; 6] {
    let properties: Vec<&str> = stream.property_names().collect();
    let left_out = report.into_iter().flat_map(|stream| &stream.columns);
    let left_out = left_out.filter(|column| !column.is_loaded && column.path.len() == 1).count();
    let chosen = report.map_or(0, |_| properties.len() - left_out);
    [
        stream.tap_stream_id.clone(),
        if stream.is_selected() { "yes" } else { "no" }.to_owned(),
        by,
        stream.effective_replication_method().unwrap_or_default().to_owned(),
        stream.key().join(", "),
        if chosen == properties.len() {
            chosen.to_string()
        } else {
            format!("{chosen} of {}", properties.len())
        },
    ]
}

/// The columns of the selected streams about which something else decides than that all are loaded.
fn decided_columns(streams: &[SelectedStream]) -> String {
    let columns =
        [("stream", Align::Left), ("column", Align::Left), ("loaded", Align::Left), ("by", Align::Left)];
    let mut table = Table::new(&columns);
    let decided = streams.iter().flat_map(|stream| stream.columns.iter().map(move |column| (stream, column)));
    let mut any = false;
    for (stream, ColumnDecision { path, is_loaded, by }) in decided {
        any = true;
        let by = match by {
            DecidedBy::Rule(place) => place.to_string(),
            DecidedBy::Holder(holder) => format!("{} is left out", holder.join(".")),
            DecidedBy::Unsupported => "the tap: inclusion unsupported".to_owned(),
            DecidedBy::Catalog => "the catalog".to_owned(),
            DecidedBy::Automatic => "the tap: inclusion automatic".to_owned(),
            DecidedBy::Key(place) => format!("the key stays, whatever {place} says"),
        };
        let loaded = if *is_loaded { "yes" } else { "no" };
        table.line([stream.tap_stream_id.clone(), path.join("."), loaded.to_owned(), by]);
    }
    if any { format!("\n{}", table.render(0)) } else { String::new() }
}

#[derive(Serialize)]
struct Raw(singer::Json);
