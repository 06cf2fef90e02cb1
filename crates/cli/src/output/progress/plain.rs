use std::sync::{Mutex, PoisonError};

use runner::RunEvent;
use tracing::{debug, info, warn};

use super::tally::Tally;

/// Tells a run in lines of the log, with the figures as fields.
pub(crate) struct Plain {
    pipeline: String,
    tally: Mutex<Tally>,
}

impl Plain {
    pub(super) fn start(pipeline: &str) -> Self {
        Self { pipeline: pipeline.to_owned(), tally: Mutex::default() }
    }

    pub(super) fn hear(&self, event: &RunEvent) {
        let pipeline = self.pipeline.as_str();
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.hear(event);
        match event {
            RunEvent::Resumed { state: Some(_) } => info!(pipeline, "goes on from the committed STATE"),
            RunEvent::Resumed { state: None } => info!(pipeline, "begins without a STATE"),
            RunEvent::TapStarted { pid, attempt } => info!(pipeline, pid, attempt, "tap started"),
            RunEvent::TableOpened { stream, place, created: true, .. } => {
                info!(pipeline, stream, place, "table made");
            }
            RunEvent::TableOpened { stream, place, statements, .. } if !statements.is_empty() => {
                info!(pipeline, stream, place, "table changed");
            }
            RunEvent::TableOpened { stream, place, .. } => debug!(pipeline, stream, place, "table opened"),
            RunEvent::BatchWritten { stream, records, bytes } => {
                debug!(pipeline, stream, records, bytes, "batch written");
            }
            RunEvent::Checkpointed { sequence, .. } => {
                info!(pipeline, sequence, records = tally.committed(), "committed");
            }
            RunEvent::Retrying { error, code, wait } => {
                warn!(pipeline, code, wait_seconds = wait.as_secs(), "trying again: {error}");
            }
            RunEvent::TapExited { code, signal } => info!(pipeline, code, signal, "tap exited"),
            RunEvent::Finished { exit_code } => info!(pipeline, exit_code, "run ended"),
        }
    }
}
