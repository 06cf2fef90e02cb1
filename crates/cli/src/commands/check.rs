//! `check`: everything that can be known before a run, without loading anything.

use config::{Pipeline, Program, Project};
use serde::Serialize;
use target_api::Target;

use crate::args::{Check, Global};
use crate::commands::{in_runtime, project, scratch};
use crate::exit_code;
use crate::failure::{Failure, Outcome};
use crate::output::{Printer, print_failure};
use crate::wiring::{
    Ask, Edits, Offer, TapUse, Wired, check_as_written, check_source, is_locked, wanted_table,
};

/// What came of one pipeline.
#[derive(Serialize)]
struct Checked {
    pipeline: String,
    ok: bool,
    streams: Option<usize>,
    warnings: Vec<String>,
    error: Option<Failure>,
}

/// All pipelines by default; all are checked, even if one fails.
pub(crate) fn run(global: &Global, args: &Check) -> Outcome {
    let project = project::open_around(global, &args.pipelines)?;
    let names = project::named_or_all(&project, &args.pipelines)?;
    let printer = Printer::new(global);
    let mut all = Vec::new();
    for name in names {
        let checked = match check(printer, &project, &name, args.offline) {
            Ok((streams, warnings)) => Checked { pipeline: name, ok: true, streams, warnings, error: None },
            Err(error) => {
                Checked { pipeline: name, ok: false, streams: None, warnings: Vec::new(), error: Some(error) }
            }
        };
        if !global.json
            && let Some(failure) = &checked.error
        {
            printer.note(&format!("{}: not ready", checked.pipeline));
            print_failure(failure, false);
        }
        all.push(checked);
    }
    printer.result(&all, || text(&all, args.offline, &global.environment_flag()))?;
    Ok(exit_code::together(
        all.iter().filter_map(|checked| checked.error.as_ref()).map(|error| error.exit_code),
    ))
}

fn check(
    printer: Printer,
    project: &Project,
    name: &str,
    offline: bool,
) -> Result<(Option<usize>, Vec<String>), Failure> {
    if offline {
        let Some(pipeline) = project.check_files(name)? else { return Ok((None, Vec::new())) };
        check_as_written(&pipeline)?;
        let mut warnings: Vec<String> = pipeline.idle.iter().map(ToString::to_string).collect();
        for block in [&pipeline.tap, &pipeline.target] {
            if let Program::Package(package) = &block.program
                && !is_locked(project, package)?
            {
                warnings.push("there is no tapster.lock yet: `tapster install` writes it".to_owned());
                break;
            }
        }
        return Ok((None, warnings));
    }
    let pipeline = project.pipeline(name)?;
    let scratch = scratch(project)?;
    let wired = Wired::new(project, &pipeline, scratch.path().join("tap.log"), TapUse::Started(printer))?;
    in_runtime(async |signals| {
        let mut target = (wired.target)()?;
        target.check().await?;
        wired.relay.iter().try_for_each(runner::find_program)?;
        check_source(&pipeline, &wired.tap, None, signals).await?;
        let offer = Offer::ask(project, &pipeline, &wired.tap, Ask::default(), signals).await?;
        check_source(&pipeline, &wired.tap, Some(&offer), signals).await?;
        try_grants(&mut *target, &wired, &pipeline, &offer).await?;
        let streams = offer.catalog.as_ref().map(|catalog| catalog.selected_streams().count());
        let warnings = pipeline.idle.iter().chain(&offer.report.warnings);
        Ok((streams, warnings.map(ToString::to_string).collect()))
    })
    .map_err(|failure| failure.redacted(&pipeline.secrets))
}

/// Looks at the tables of the streams that roles shall read: whether there are such roles, and we may let them.
async fn try_grants(
    target: &mut dyn Target,
    wired: &Wired,
    pipeline: &Pipeline,
    offer: &Offer,
) -> Result<(), Failure> {
    let plan = wired.plan(pipeline, offer, "check", Edits::default());
    let streams = offer.catalog.iter().flat_map(singer::Catalog::selected_streams);
    let mut granted =
        streams.filter(|stream| !(plan.rules)(&stream.stream).grant_select.is_empty()).peekable();
    if granted.peek().is_none() {
        return Ok(());
    }
    target.stored_state(&plan.identity).await?;
    for stream in granted {
        if let Some(table) = wanted_table(stream, &plan, pipeline.tap.is_ours())? {
            target.plan(&table).await?;
        }
    }
    Ok(())
}

fn text(all: &[Checked], offline: bool, environment: &str) -> String {
    let mut text = String::new();
    for checked in all.iter().filter(|checked| checked.ok) {
        let streams = checked
            .streams
            .map(|streams| {
                format!(", {streams} {} selected", if streams == 1 { "stream" } else { "streams" })
            })
            .unwrap_or_default();
        text.push_str(&format!(
            "{}: {}{streams}\n",
            checked.pipeline,
            if offline { "the file is right" } else { "ready" }
        ));
        checked.warnings.iter().for_each(|warning| text.push_str(&format!("  warning: {warning}\n")));
    }
    if let [Checked { ok: true, pipeline, .. }] = all {
        text.push_str(&format!("\nnext: tapster run {pipeline}{environment}\n"));
    }
    text
}
