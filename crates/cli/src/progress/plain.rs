//! Lines for a log file or a pipe: what happened, no redrawing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use runner::{Observer, RunEvent};

use crate::output::{Printer, count};

/// How often the records of a long run are told.
const EVERY: Duration = Duration::from_secs(10);

struct Told {
    /// Whether the tap has been started at all.
    started: bool,
    last: Instant,
    records: BTreeMap<String, u64>,
    /// Streams whose table is new: what it gets besides is no news.
    created: BTreeSet<String>,
}

impl Told {
    /// `orders 1,200, items 7`.
    fn so_far(&mut self) -> String {
        self.last = Instant::now();
        let stream = |(stream, records): (&String, &u64)| format!("{stream} {}", count(*records));
        self.records.iter().map(stream).collect::<Vec<_>>().join(", ")
    }
}

/// The listener that notes plain lines.
pub(crate) fn plain(printer: Printer, pipeline: String) -> Observer {
    let told = Mutex::new(Told {
        started: false,
        last: Instant::now(),
        records: BTreeMap::new(),
        created: BTreeSet::new(),
    });
    Arc::new(move |event: &RunEvent| {
        let Ok(mut told) = told.lock() else { return };
        if let Some(line) = line(event, &mut told) {
            printer.note(&format!("{pipeline}: {line}"));
        }
    })
}

fn line(event: &RunEvent, told: &mut Told) -> Option<String> {
    match event {
        RunEvent::TapStarted { attempt, .. } if !std::mem::replace(&mut told.started, true) => {
            let attempt = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
            Some(format!("the tap has started{attempt}"))
        }
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
        RunEvent::BatchWritten { stream, records, .. } | RunEvent::Relayed { stream, records, .. } => {
            *told.records.entry(stream.clone()).or_default() += records;
            None
        }
        RunEvent::Checkpointed { sequence, .. } if told.last.elapsed() >= EVERY => {
            Some(format!("committed as {sequence}: {}", told.so_far()))
        }
        RunEvent::StateKept { sequence, .. } if told.last.elapsed() >= EVERY => {
            Some(format!("STATE {sequence} of the target is kept; passed on so far: {}", told.so_far()))
        }
        RunEvent::Retrying { error, code, wait } if !told.started => {
            Some(format!("{code} {error}; trying again in {} s", wait.as_secs()))
        }
        RunEvent::Retrying { error, code, wait } => Some(format!(
            "{code} {error}; the tap starts again in {} s from the last checkpoint",
            wait.as_secs()
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tap_starts_again_only_when_it_had_started() {
        let mut told =
            Told { started: false, last: Instant::now(), records: BTreeMap::new(), created: BTreeSet::new() };
        let retrying =
            RunEvent::Retrying { error: "gone".into(), code: "E0301", wait: Duration::from_secs(1) };
        assert_eq!(line(&retrying, &mut told).unwrap(), "E0301 gone; trying again in 1 s");
        let started = line(&RunEvent::TapStarted { pid: 1, attempt: 2 }, &mut told).unwrap();
        assert_eq!(started, "the tap has started, attempt 2");
        assert!(
            line(&retrying, &mut told)
                .unwrap()
                .ends_with("the tap starts again in 1 s from the last checkpoint")
        );
    }
}
