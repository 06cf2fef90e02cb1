mod change;
mod exchange;
mod foreign;
mod history;
mod list;
mod past;

use store::StateEntry;

use crate::args::{Global, State};
use crate::failure::Outcome;

/// `state …`: looks are answered from the store's copy, changes are commits in the target.
pub(crate) fn run(global: &Global, args: &State) -> Outcome {
    match args {
        State::List(_) => list::run(global),
        State::History(args) => history::run(global, args),
        State::Get(args) => change::get(global, args),
        State::Set(args) => change::set(global, args),
        State::Clear(args) => change::clear(global, args),
        State::Move(args) => change::rename(global, args),
        State::Diff(args) => past::diff(global, args),
        State::Rollback(args) => past::rollback(global, args),
        State::Export(args) => exchange::export(global, args),
        State::Import(args) => exchange::import(global, args),
    }
}

/// A STATE in a table's cell: its beginning on one line.
fn in_short(entry: &StateEntry) -> String {
    const LONGEST: usize = 60;
    let text = entry.state.as_deref().unwrap_or("(none)").replace(char::is_whitespace, " ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
