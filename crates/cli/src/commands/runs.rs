mod list;
mod logs;
mod readable;
mod report;
mod show;

use store::{Run, Store, StoreError};

use crate::args::{Global, Runs};
use crate::commands::{not_built_yet, project};
use crate::failure::{Failure, Outcome};

/// `runs list|show|logs`: the ledger.
pub(crate) fn run(global: &Global, args: &Runs) -> Outcome {
    match args {
        Runs::List(args) => list::run(global, args),
        Runs::Show(args) => show::run(global, args),
        Runs::Logs(args) => logs::run(global, args),
        Runs::Cancel(_) => not_built_yet("runs cancel"),
    }
}

/// The run that a person means, and the store that knows it.
fn find(global: &Global, run: &str) -> Result<(Store, Run), Failure> {
    let store =
        project::existing_store(global)?.ok_or_else(|| StoreError::UnknownRun { run: run.to_owned() })?;
    let run = store.find_run(run, global.environment.as_deref())?;
    Ok((store, run))
}
