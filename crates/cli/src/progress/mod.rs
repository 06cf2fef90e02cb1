//! Those who listen to a run: the ledger, the run's log, and the person at the terminal.

mod ledger;
mod live;
mod plain;
mod run_log;

use std::sync::Arc;

use runner::{Observer, RunEvent};

pub(crate) use ledger::{figures, ledger};
pub(crate) use live::Live;
pub(crate) use plain::plain;
pub(crate) use run_log::{json_lines, run_log};

/// One listener out of several, told in their order.
pub(crate) fn all(observers: Vec<Observer>) -> Observer {
    Arc::new(move |event: &RunEvent| observers.iter().for_each(|observer| observer(event)))
}
