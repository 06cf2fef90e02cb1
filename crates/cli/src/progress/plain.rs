//! Lines for a log file or a pipe: what happened, no redrawing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use runner::{Observer, RunEvent};

use crate::output::{Printer, count};

/// How often the records of a long run are told.
const EVERY: Duration = Duration::from_secs(10);

struct Told {
    last: Instant,
    records: BTreeMap<String, u64>,
    /// Streams whose table is new: what it gets besides is no news.
    created: BTreeSet<String>,
}

/// The listener that notes plain lines.
pub(crate) fn plain(printer: Printer, pipeline: String) -> Observer {
    let told = Mutex::new(Told { last: Instant::now(), records: BTreeMap::new(), created: BTreeSet::new() });
    Arc::new(move |event: &RunEvent| {
        let Ok(mut told) = told.lock() else { return };
        if let Some(line) = line(event, &mut told) {
            printer.note(&format!("{pipeline}: {line}"));
        }
    })
}

fn line(event: &RunEvent, told: &mut Told) -> Option<String> {
    match event {
        RunEvent::TapStarted { attempt: 1, .. } => Some("the tap has started".to_owned()),
        RunEvent::TapStarted { attempt, .. } => Some(format!("the tap has started again, attempt {attempt}")),
        RunEvent::TableOpened { stream, place, created: true, .. } => {
            told.created.insert(stream.clone());
            Some(format!("{stream} → {place}, a new table"))
        }
        RunEvent::TableOpened { stream, place, statements, .. }
            if !statements.is_empty() && !told.created.contains(stream) =>
        {
            Some(format!("{stream} → {place}, changed: {}", statements.join("; ")))
        }
        RunEvent::BatchWritten { stream, records, .. } => {
            *told.records.entry(stream.clone()).or_default() += records;
            None
        }
        RunEvent::Checkpointed { sequence, .. } if told.last.elapsed() >= EVERY => {
            told.last = Instant::now();
            let streams: Vec<String> = told
                .records
                .iter()
                .map(|(stream, records)| format!("{stream} {}", count(*records)))
                .collect();
            Some(format!("committed as {sequence}: {}", streams.join(", ")))
        }
        RunEvent::Retrying { error, code, wait } => Some(format!(
            "{code} {error}; the tap starts again in {} s from the last checkpoint",
            wait.as_secs()
        )),
        _ => None,
    }
}
