use crate::args::Global;
use crate::commands::project;
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::{Align, Printer, Table, time};

pub(super) fn run(global: &Global) -> Outcome {
    let mut states = match project::existing_store(global)? {
        Some(store) => store.list_states()?,
        None => Vec::new(),
    };
    if let Some(environment) = &global.environment {
        states.retain(|entry| entry.name.environment == *environment);
    }
    let printer = Printer::new(global);
    if states.is_empty() {
        printer.note("no STATE yet: no pipeline has committed one");
    }
    let mut table = Table::new(&[
        ("pipeline", Align::Left),
        ("sequence", Align::Right),
        ("committed", Align::Left),
        ("state", Align::Left),
    ]);
    for entry in &states {
        table.line([
            entry.name.to_string(),
            entry.sequence.to_string(),
            time(entry.time),
            super::in_short(entry),
        ]);
    }
    printer.result(&states, || if states.is_empty() { String::new() } else { table.render(0) })?;
    Ok(exit_code::SUCCESS)
}
