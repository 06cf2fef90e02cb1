use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use runner::{Observer, RunEvent};

use super::tally::{StreamTally, Tally};
use crate::output::{count, duration, size};

/// The live lines on the terminal, if any: what is logged meanwhile is written above them.
static LINES: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Writes to the terminal without tearing the live lines.
pub(crate) fn above<T>(write: impl FnOnce() -> T) -> T {
    let lines = lock(&LINES).clone();
    match lines {
        Some(lines) => lines.suspend(write),
        None => write(),
    }
}

/// Names the lines that [`above`] is to keep whole.
pub(super) fn set_lines(lines: Option<MultiProgress>) {
    *lock(&LINES) = lines;
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line a stream, and one for the run below them.
pub(crate) struct Live {
    lines: MultiProgress,
    run: ProgressBar,
    state: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    tally: Tally,
    streams: HashMap<String, (ProgressBar, Instant)>,
}

impl Live {
    pub(crate) fn new() -> Arc<Self> {
        let lines = MultiProgress::new();
        let run = lines.add(ProgressBar::new_spinner());
        run.set_style(style("{spinner:.cyan} {msg}"));
        run.set_message("connecting");
        run.enable_steady_tick(Duration::from_millis(120));
        set_lines(Some(lines.clone()));
        Arc::new(Self { lines, run, state: Mutex::default() })
    }

    /// The listener that redraws. The lines are gone and the terminal is as it was when the run has finished.
    pub(crate) fn observer(self: &Arc<Self>) -> Observer {
        let live = Arc::clone(self);
        Arc::new(move |event: &RunEvent| live.hear(event))
    }

    fn hear(&self, event: &RunEvent) {
        let mut shown = lock(&self.state);
        let Shown { tally, streams } = &mut *shown;
        if let Some(stream) = tally.hear(event) {
            let (line, since) =
                streams.entry(stream.stream.clone()).or_insert_with(|| (self.stream_line(), Instant::now()));
            line.set_message(stream_text(stream, since.elapsed()));
        }
        match event {
            RunEvent::Resumed { .. } => self.say("starting the tap"),
            RunEvent::TapStarted { .. } => self.say("reading"),
            RunEvent::Checkpointed { .. } => {
                self.say(&format!("{} records committed", count(tally.committed())));
            }
            RunEvent::Retrying { error, wait, .. } => {
                for stream in tally.streams() {
                    if let Some((line, since)) = streams.get(&stream.stream) {
                        line.set_message(stream_text(stream, since.elapsed()));
                    }
                }
                let wait = duration(wait.as_secs_f64());
                let _ = self.lines.println(format!("{error}; trying again in {wait}"));
                self.say("waiting");
            }
            RunEvent::TapExited { .. } => self.say("the tap has ended, committing the rest"),
            RunEvent::Finished { .. } => self.clear(streams.values().map(|(line, _)| line)),
            _ => {}
        }
    }

    fn say(&self, words: &str) {
        self.run.set_message(words.to_owned());
    }

    fn clear<'a>(&self, streams: impl Iterator<Item = &'a ProgressBar>) {
        set_lines(None);
        self.run.finish_and_clear();
        streams.for_each(ProgressBar::finish_and_clear);
        // The terminal may be gone; then nothing is left to clear.
        let _ = self.lines.clear();
    }

    fn stream_line(&self) -> ProgressBar {
        let line = self.lines.insert_before(&self.run, ProgressBar::new_spinner());
        line.set_style(style("  {msg}"));
        line
    }
}

pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// `flights                     336,776 records    120,277/s   31.4 MiB`.
fn stream_text(stream: &StreamTally, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is shown in whole records"
    )]
    let rate = (stream.records as f64 / seconds) as u64;
    let rate =
        if elapsed < Duration::from_millis(500) { String::new() } else { format!("{}/s", count(rate)) };
    let records = count(stream.records);
    format!("{:<28} {records:>13} records {rate:>13} {:>11}", stream.stream, size(stream.bytes))
}

#[cfg(test)]
mod tests {
    use super::stream_text;
    use crate::progress::tally::StreamTally;
    use std::time::Duration;

    #[test]
    fn a_stream_s_line_has_records_rate_and_bytes() {
        let stream = StreamTally {
            stream: "flights".into(),
            records: 336_776,
            bytes: 33_000_000,
            ..StreamTally::default()
        };
        assert_eq!(
            stream_text(&stream, Duration::from_secs(2)),
            "flights                            336,776 records     168,388/s    31.5 MiB"
        );
        assert!(!stream_text(&stream, Duration::ZERO).contains("/s"), "a rate over no time says nothing");
    }
}
