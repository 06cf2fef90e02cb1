//! `preview`: the first records as they would load. Loads nothing, keeps no state, and only on a terminal.

mod shown;

use std::io::IsTerminal;
use std::sync::{Arc, Mutex};

use runner::{Attempts, RunEvent, Side, StopSignal};
use tokio::sync::mpsc;

use crate::args::{Global, Preview};
use crate::commands::run::pattern;
use crate::commands::{in_runtime, project, scratch};
use crate::error::CliError;
use crate::failure::{Failure, Outcome};
use crate::output::Printer;
use crate::wiring::{Ask, Edits, Offer, TapUse, Wired};
use shown::{Shown, ShownTarget};

/// Runs the tap into a target that only shows, until every selected stream has shown enough.
pub(crate) fn run(global: &Global, args: &Preview) -> Outcome {
    if !std::io::stdout().is_terminal() {
        return Err(CliError::NoTerminal.into());
    }
    let (project, name) = project::open_one(global, &args.pipeline)?;
    let pipeline = project.pipeline(&name)?;
    let scratch = scratch(&project)?;
    let wired =
        Wired::new(&project, &pipeline, scratch.path().join("tap.log"), TapUse::Alone(Printer::new(global)))?;
    let select = args.select.iter().map(|text| pattern(text)).collect::<Result<Vec<_>, _>>()?;
    let most = usize::try_from(args.records).unwrap_or(usize::MAX);
    let shown = in_runtime(async |signals| {
        let offer =
            Offer::ask(&project, &pipeline, &wired.tap, Ask { select: &select, ..Ask::default() }, signals)
                .await?;
        let streams = offer.catalog.as_ref().map(|catalog| catalog.selected_streams().count());
        let edits = Edits { full_refresh: true, narrowed: false };
        let mut plan = wired.plan(&pipeline, &offer, "preview", edits);
        let shown = Arc::new(Mutex::new(Shown::new(most, streams)));
        let target = Arc::clone(&shown);
        plan.target = Arc::new(move || Ok(Box::new(ShownTarget::new(Arc::clone(&target)))));
        plan.limits.attempts = Attempts(Vec::new());
        plan.limits.decode.batch_bytes = 1;
        let (stop, mut stopped) = mpsc::channel(1);
        let enough = Arc::clone(&shown);
        let observer: runner::Observer = Arc::new(move |event: &RunEvent| {
            if matches!(event, RunEvent::BatchWritten { .. })
                && enough.lock().is_ok_and(|shown| shown.is_enough())
            {
                let _ = stop.try_send(StopSignal::Interrupt);
            }
        });
        let run = runner::run(&plan, &mut stopped, &observer);
        let summary = tokio::select! {
            Some(signal) = signals.recv() => return Err(Failure::from(runner::RunError::Cancelled(signal))),
            summary = run => summary,
        };
        match summary.error {
            None | Some(runner::RunError::Cancelled(_)) => Ok(shown),
            Some(error) => Err(Failure::from(error).heard(Side::Tap, summary.tap_said)),
        }
    })
    .map_err(|failure| failure.redacted(&pipeline.secrets))?;
    let (document, text) = shown.lock().map(|shown| (shown.document(), shown.text())).unwrap_or_default();
    Printer::new(global).result(&document, || {
        format!("{text}nothing was loaded; next: tapster run {}{}\n", name, global.environment_flag())
    })?;
    Ok(0)
}
