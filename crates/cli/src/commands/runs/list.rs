use store::{Run, RunFilter, RunStatus};

use super::report::{status_style, taken};
use crate::args::{Global, RunsList, Status};
use crate::commands::project;
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::{Align, Printer, Table, count, duration, time};

pub(super) fn run(global: &Global, args: &RunsList) -> Outcome {
    let filter = RunFilter {
        environment: global.environment.clone(),
        pipeline: args.pipeline.clone(),
        status: args.status.map(status),
        limit: Some(args.limit),
    };
    let runs = match project::existing_store(global)? {
        Some(store) => store.list_runs(&filter)?,
        None => Vec::new(),
    };
    let printer = Printer::new(global);
    if runs.is_empty() {
        let filtered = args.pipeline.is_some() || args.status.is_some() || global.environment.is_some();
        printer.note(if filtered || args.limit == 0 {
            "no run fits; `tapster runs list` shows the latest of all"
        } else {
            "no runs; `tapster run PIPELINE` makes the first"
        });
    }
    printer.result(&runs, || if runs.is_empty() { String::new() } else { table(&runs).render(0) })?;
    Ok(exit_code::SUCCESS)
}

fn status(status: Status) -> RunStatus {
    match status {
        Status::Running => RunStatus::Running,
        Status::Succeeded => RunStatus::Succeeded,
        Status::Failed => RunStatus::Failed,
        Status::Cancelled => RunStatus::Cancelled,
        Status::Lost => RunStatus::Lost,
    }
}

fn table(runs: &[Run]) -> Table {
    let mut table = Table::new(&[
        ("run", Align::Left),
        ("pipeline", Align::Left),
        ("started", Align::Left),
        ("took", Align::Right),
        ("read", Align::Right),
        ("written", Align::Right),
        ("status", Align::Left),
        ("error", Align::Left),
    ]);
    for run in runs {
        let sum = |figure: fn(&store::StreamFigures) -> u64| count(run.streams.iter().map(figure).sum());
        let cells = [
            run.id.short(),
            run.name.to_string(),
            time(run.started),
            taken(run).map(duration).unwrap_or_default(),
            sum(|stream| stream.records_read),
            sum(|stream| stream.records_written),
            run.status.to_string(),
            run.failure.as_ref().map(|failure| failure.code.clone()).unwrap_or_default(),
        ];
        let styled = cells.into_iter().enumerate().map(|(column, cell)| {
            let style = if column == 6 { status_style(run.status) } else { anstyle::Style::new() };
            (cell, style)
        });
        table.styled_line(styled);
    }
    table
}
