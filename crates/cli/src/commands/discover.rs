//! `discover`: what the tap offers and which rule decides about it.

use config::Selected;
use serde::Serialize;
use singer::CatalogStream;
use store::{PipelineName, Store};

use crate::args::{Discover, Global};
use crate::commands::run::pattern;
use crate::commands::{in_runtime, project, scratch};
use crate::failure::Outcome;
use crate::output::{Align, DIM, Printer, Table};
use crate::wiring::{Ask, Catalogs, Offer, TapUse, Wired};

/// One line a stream; with `--json` the catalog itself.
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
                (Selected::CatalogDecides, _) | (_, None) => "the catalog".to_owned(),
                (_, Some(place)) => place.to_string(),
            };
            let style = if stream.is_selected() { anstyle::Style::new() } else { DIM };
            table.styled_line(line(stream, by).map(|cell| (cell, style)));
        }
        let next = format!("{name}{}", global.environment_flag());
        format!("{}\nnext: tapster check {next}, then tapster run {next}\n", table.render(0))
    })?;
    Ok(0)
}

fn line(stream: &CatalogStream, by: String) -> [String; 6] {
    let properties: Vec<&str> = stream.property_names().collect();
    let chosen = properties.iter().filter(|name| stream.is_property_selected(&[name])).count();
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

#[derive(Serialize)]
struct Raw(singer::Json);
