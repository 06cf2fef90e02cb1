//! Those who listen to a run: the ledger, the run's log, and the person at the terminal.

mod all;
mod ledger;
mod live;
mod pipelines;
mod plain;
mod run_log;
mod tally;
mod verbose;

pub(crate) use all::all;
pub(crate) use ledger::{figures, ledger};
pub(crate) use live::{Live, above};
pub(crate) use pipelines::Pipelines;
pub(crate) use plain::plain;
pub(crate) use run_log::{json_lines, run_log};
pub(crate) use verbose::verbose;
