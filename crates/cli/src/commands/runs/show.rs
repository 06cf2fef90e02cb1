use store::{Run, RunFilter, RunStatus, Store};

use super::report::{self, Past};
use crate::args::{Global, RunsShow};
use crate::exit_code;
use crate::failure::{Failure, Outcome};
use crate::output::Printer;

/// So many runs of the pipeline are looked at to say since when it fails.
const LOOK_BACK: u32 = 1000;

pub(super) fn run(global: &Global, args: &RunsShow) -> Outcome {
    let (store, run) = super::find(global, &args.run)?;
    let past = past(&store, &run)?;
    Printer::new(global).result(&run, || report::render(&run, &past))?;
    Ok(exit_code::SUCCESS)
}

/// The last success before this run, and the first failure after that.
fn past(store: &Store, run: &Run) -> Result<Past, Failure> {
    let filter = RunFilter {
        environment: Some(run.name.environment.clone()),
        pipeline: Some(run.name.pipeline.clone()),
        limit: Some(LOOK_BACK),
        status: None,
    };
    let mut past = Past { failing_since: run.started, last_success: None };
    for earlier in store.list_runs(&filter)?.into_iter().filter(|earlier| earlier.id < run.id) {
        if earlier.status == RunStatus::Succeeded {
            past.last_success = Some(earlier.started);
            break;
        }
        past.failing_since = earlier.started;
    }
    Ok(past)
}
