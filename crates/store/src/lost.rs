//! Runs whose owner died. The ledger says `running` until the owner writes the end; the owner's lock
//! is freed by the operating system however it died. So: `running` with a free lock means lost.

use rusqlite::{Connection, params};

use crate::{PipelineName, Result, Store, time};

const CODE: &str = "E0509";
const TEXT: &str = "the run's process ended without finishing: it was killed, or the machine went down";
const HINT: &str = "run it again: it goes on from the last committed STATE, and loads nothing twice";

/// Marks every run as lost that says `running` while its pipeline's lock is free.
pub(crate) fn mark_all(store: &Store) -> Result<()> {
    let open = store.read(open_pipelines)?;
    if open.is_empty() {
        return Ok(());
    }
    store.write(|ledger| {
        for name in open_pipelines(ledger).map_err(|error| store.sqlite_error(error))? {
            if store.is_free(&name)? {
                mark_pipeline(ledger, &name).map_err(|error| store.sqlite_error(error))?;
            }
        }
        Ok(())
    })
}

/// Marks the pipeline's open runs as lost. The caller knows that its lock was free.
pub(crate) fn mark_pipeline(ledger: &Connection, name: &PipelineName) -> rusqlite::Result<()> {
    ledger.execute(
        "UPDATE runs SET status = 'lost', ended = ?1, error_code = ?2, error_text = ?3, error_hint = ?4 \
         WHERE status = 'running' AND environment = ?5 AND pipeline = ?6",
        params![time::to_text(time::now()), CODE, TEXT, HINT, name.environment, name.pipeline],
    )?;
    Ok(())
}

fn open_pipelines(ledger: &Connection) -> rusqlite::Result<Vec<PipelineName>> {
    ledger
        .prepare("SELECT DISTINCT environment, pipeline FROM runs WHERE status = 'running'")?
        .query_map([], |row| Ok(PipelineName { environment: row.get(0)?, pipeline: row.get(1)? }))?
        .collect()
}
