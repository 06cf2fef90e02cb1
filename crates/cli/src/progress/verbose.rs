//! What `-v` tells of a run, step by step.

use std::sync::Arc;

use runner::{Observer, RunEvent};

use crate::output::{count, records, size};

/// The listener that logs each step.
pub(crate) fn verbose() -> Observer {
    Arc::new(|event: &RunEvent| {
        if let Some(text) = step(event) {
            tracing::debug!("{text}");
        }
    })
}

fn step(event: &RunEvent) -> Option<String> {
    Some(match event {
        RunEvent::Resumed { state: None } => "there is no STATE yet".to_owned(),
        RunEvent::Resumed { state: Some(state) } => {
            format!("there is a STATE of {}", size(state.len() as u64))
        }
        RunEvent::TapStarted { pid, attempt } => format!("the tap is process {pid}, attempt {attempt}"),
        RunEvent::TableOpened { stream, place, created: true, .. } => format!("{stream} → {place}, created"),
        RunEvent::TableOpened { stream, place, statements, .. } if statements.is_empty() => {
            format!("{stream} → {place}, as it is")
        }
        RunEvent::TableOpened { stream, place, statements, .. } => {
            format!("{stream} → {place}, {} changes", statements.len())
        }
        RunEvent::BatchWritten { stream, records: number, bytes, .. } => {
            format!("{stream}: a batch of {}, {}", records(*number), size(*bytes))
        }
        RunEvent::Checkpointed { state, sequence } => {
            let state = state.as_ref().map_or(0, |state| state.len() as u64);
            format!(
                "committed as sequence {}, with a STATE of {}",
                count(sequence.unsigned_abs()),
                size(state)
            )
        }
        RunEvent::TargetStarted { pid } => format!("the target is process {pid}"),
        RunEvent::Relayed { stream, records: number, bytes, .. } => {
            format!("{stream}: passed on {}, {}", records(*number), size(*bytes))
        }
        RunEvent::StateKept { state, sequence } => {
            format!("kept a STATE of {} as sequence {sequence}", size(state.len() as u64))
        }
        RunEvent::TargetExited { code: Some(code), .. } => format!("the target exited {code}"),
        RunEvent::TargetExited { signal, .. } => {
            format!("the target was ended by signal {}", signal.unwrap_or_default())
        }
        RunEvent::TapExited { code: Some(code), .. } => format!("the tap exited {code}"),
        RunEvent::TapExited { signal, .. } => {
            format!("the tap was ended by signal {}", signal.unwrap_or_default())
        }
        RunEvent::Retrying { .. } | RunEvent::Finished { .. } => return None,
    })
}
