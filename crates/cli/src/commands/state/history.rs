use store::PipelineName;

use crate::args::{Global, StateHistory};
use crate::commands::project;
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::{Align, Printer, Table, time};

pub(super) fn run(global: &Global, args: &StateHistory) -> Outcome {
    let history = match project::existing_store(global)? {
        Some(store) => {
            let environment = project::environment(global);
            store.state_history(&PipelineName::new(environment, &args.pipeline), Some(args.limit))?
        }
        None => Vec::new(),
    };
    let printer = Printer::new(global);
    if history.is_empty() {
        printer.note(&format!("{} has no history of STATEs here", args.pipeline));
    }
    let mut table = Table::new(&[
        ("sequence", Align::Right),
        ("committed", Align::Left),
        ("by", Align::Left),
        ("run", Align::Left),
        ("state", Align::Left),
    ]);
    for entry in &history {
        table.line([
            entry.sequence.to_string(),
            time(entry.time),
            entry.how.as_str().to_owned(),
            entry.run.as_deref().map(|run| run.chars().take(13).collect()).unwrap_or_default(),
            super::in_short(entry),
        ]);
    }
    printer.result(&history, || if history.is_empty() { String::new() } else { table.render(0) })?;
    Ok(exit_code::SUCCESS)
}
