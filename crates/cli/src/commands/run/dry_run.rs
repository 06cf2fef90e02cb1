//! `run --dry-run`: method, starting bookmark and table changes of each stream. Changes nothing.

use config::Project;
use serde::Serialize;
use singer::State;
use target_api::LoadMethod;

use super::Request;
use crate::args::Global;
use crate::commands::{in_runtime, scratch};
use crate::failure::Outcome;
use crate::output::{Align, Printer, Table as Printed, bookmark};
use crate::wiring::{Ask, Edits, Offer, TapUse, Wired, is_full_table, wanted_table};

/// What a run would do with one stream.
#[derive(Serialize)]
struct Intended {
    stream: String,
    method: Option<String>,
    bookmark: Option<singer::Json>,
    table: String,
    statements: Vec<String>,
    /// How the key changes by which its records are merged.
    key_change: Option<String>,
    /// Whether the records that the table holds would be replaced: by `--full-refresh`, or because it is overwritten.
    replaces: bool,
}

/// What a run would do.
struct Outlook {
    /// Empty for a tap without discovery.
    streams: Vec<Intended>,
    has_catalog: bool,
    /// Whether the tap is one of tapster's own.
    ours: bool,
    /// The target, where it is a program of its own: what it does to its tables is not known before.
    relay: Option<String>,
}

pub(super) fn run(global: &Global, project: &Project, name: &str, request: &Request) -> Outcome {
    let pipeline = project.pipeline(name)?;
    let scratch = scratch(project)?;
    let wired = Wired::new(
        project,
        &pipeline,
        scratch.path().join("tap.log"),
        TapUse::Started(Printer::new(global)),
    )?;
    // Ours send versions for each full table; of others it is seen only when they run.
    let ours = pipeline.tap.is_ours();
    let outlook = in_runtime(async |signals| {
        let ask = Ask { select: &request.select, exclude: &request.exclude, ..Ask::default() };
        let offer = Offer::ask(project, &pipeline, &wired.tap, ask, signals).await?;
        let edits = Edits { full_refresh: request.full_refresh, narrowed: request.narrowed() };
        let plan = wired.plan(&pipeline, &offer, "dry-run", edits);
        let mut target = (plan.target)()?;
        target.check().await?;
        let stored = target.stored_state(&plan.identity).await?.and_then(|stored| stored.state);
        let stored = stored.and_then(|text| State::parse(&text).ok());
        let start = plan.start(stored).map_err(runner::RunError::from)?;
        let bookmarks = start.map(|state| state.bookmarks()).unwrap_or_default();
        let mut intended = Vec::new();
        for stream in offer.catalog.iter().flat_map(singer::Catalog::selected_streams) {
            let overwrites = (plan.rules)(&stream.stream).load_method == LoadMethod::Overwrite;
            let table = if plan.relay.is_none() { wanted_table(stream, &plan, ours)? } else { None };
            let change = match table {
                Some(table) => target.plan(&table).await?,
                None => target_api::TableChange::default(),
            };
            let found = bookmarks
                .iter()
                .find(|bookmark| bookmark.id == stream.tap_stream_id || bookmark.id == stream.stream);
            intended.push(Intended {
                stream: stream.tap_stream_id.clone(),
                method: stream.effective_replication_method().map(str::to_owned),
                bookmark: found.map(|found| found.value.clone()),
                replaces: (request.full_refresh || overwrites) && !change.created && !change.place.is_empty(),
                table: change.place,
                statements: change.statements,
                key_change: change.key.map(|key| key.to_string()),
            });
        }
        let relay = plan.relay.is_some().then(|| wired.target_name.clone());
        Ok(Outlook { streams: intended, has_catalog: offer.catalog.is_some(), ours, relay })
    })
    .map_err(|failure| failure.redacted(&pipeline.secrets))?;
    let next = format!("{name}{}{}", global.environment_flag(), request.flags());
    Printer::new(global).result(&outlook.streams, || text(&next, &outlook))?;
    Ok(0)
}

fn text(next: &str, outlook: &Outlook) -> String {
    let end = format!("\nnothing was changed; next: tapster run {next}\n");
    if !outlook.has_catalog {
        return format!("This tap has no discovery: what it will send is not known before it runs.\n{end}");
    }
    let intended = &outlook.streams;
    let mut table = Printed::new(&[
        ("stream", Align::Left),
        ("method", Align::Left),
        ("goes on from", Align::Left),
        ("table", Align::Left),
    ]);
    for stream in intended {
        let start = stream.bookmark.as_ref().and_then(|value| serde_json::to_string(value).ok());
        let start = start.map_or_else(|| "the beginning".to_owned(), |text| bookmark(&text));
        table.line([
            stream.stream.clone(),
            stream.method.clone().unwrap_or_default(),
            start,
            stream.table.clone(),
        ]);
    }
    let mut text = table.render(0);
    if let Some(target) = &outlook.relay {
        return format!("{text}\nWhat becomes of the tables is known to {target} alone.\n{end}");
    }
    let replaced = intended.iter().filter(|stream| stream.replaces);
    let replaced: Vec<&str> = replaced.map(|stream| stream.table.as_str()).collect();
    if !replaced.is_empty() {
        text.push_str(&format!("\nIt would replace all records of {}.\n", replaced.join(", ")));
    }
    let statements: Vec<&String> = intended.iter().flat_map(|stream| &stream.statements).collect();
    text.push_str(match (statements.is_empty(), replaced.is_empty()) {
        (true, true) => "\nNo table would change.\n",
        (true, false) => "No table would get other columns.\n",
        (false, _) => "\nStatements that it would run:\n",
    });
    for statement in statements {
        text.push_str(&format!("  {statement}\n"));
    }
    for stream in intended {
        if let Some(change) = &stream.key_change {
            text.push_str(&format!("\nThe key of {} would change {change}.\n", stream.table));
        }
    }
    if !outlook.ours && intended.iter().any(|stream| is_full_table(stream.method.as_deref())) {
        text.push_str("\nIf the tap sends versions of its full tables, those get a column \"_sdc_table_version\", too.\n");
    }
    text + &end
}
