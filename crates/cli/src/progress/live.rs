use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use runner::{Observer, RunEvent};

use super::tally::{StreamTally, Tally};
use crate::output::{count, duration, records, size};

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

/// A line for each stream that was read last, as many as the terminal has room for, and one for the run below them.
pub(crate) struct Live {
    lines: MultiProgress,
    run: ProgressBar,
    state: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    tally: Tally,
    /// When each stream began, and at which event it changed last.
    streams: HashMap<String, (Instant, u64)>,
    events: u64,
    slots: Vec<ProgressBar>,
}

impl Live {
    pub(crate) fn new() -> Arc<Self> {
        let lines = MultiProgress::new();
        let run = lines.add(ProgressBar::new_spinner());
        run.set_style(style("{spinner:.cyan} {wide_msg}"));
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
        let Shown { tally, streams, events, .. } = &mut *shown;
        *events += 1;
        if let Some(stream) = tally.hear(event) {
            streams.entry(stream.stream.clone()).or_insert_with(|| (Instant::now(), 0)).1 = *events;
            self.draw(&mut shown, room());
        }
        match event {
            RunEvent::Resumed { .. } => self.say("starting the tap"),
            RunEvent::TapStarted { .. } => self.say("reading"),
            RunEvent::Checkpointed { .. } => {
                self.say(&format!("{} committed", records(shown.tally.committed())));
            }
            RunEvent::Retrying { error, wait, .. } => {
                self.draw(&mut shown, room());
                let wait = duration(wait.as_secs_f64());
                let _ = self.lines.println(format!("{error}; trying again in {wait}"));
                self.say("waiting");
            }
            RunEvent::TapExited { .. } => self.say("the tap has ended, committing the rest"),
            RunEvent::Finished { .. } => self.clear(shown.slots.iter()),
            _ => {}
        }
    }

    /// Fills the lines anew.
    fn draw(&self, shown: &mut Shown, room: usize) {
        let Shown { tally, streams, slots, .. } = shown;
        let changed = |stream: &StreamTally| streams.get(&stream.stream).map_or(0, |(_, event)| *event);
        let (chosen, more) = chosen(tally.streams(), changed, room);
        let mut texts: Vec<_> = chosen
            .into_iter()
            .map(|stream| {
                let since = streams.get(&stream.stream).map(|(since, _)| since.elapsed());
                stream_text(stream, since.unwrap_or_default())
            })
            .collect();
        if more > 0 {
            texts.push(format!("… and {more} more"));
        }
        while slots.len() < texts.len() {
            slots.push(self.stream_line());
        }
        // The terminal may have become smaller.
        slots.drain(texts.len()..).for_each(|line| line.finish_and_clear());
        slots.iter().zip(texts).for_each(|(line, text)| line.set_message(text));
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
        line.set_style(style("  {wide_msg}"));
        line
    }
}

pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// How many lines the streams may take: the terminal's rows but for the run's line and the prompt.
fn room() -> usize {
    let rows = rustix::termios::tcgetwinsize(std::io::stderr()).map_or(24, |size| size.ws_row);
    usize::from(rows).saturating_sub(3).max(2)
}

/// The streams that changed last, in the order in which they came, and how many there are besides.
fn chosen(
    streams: &[StreamTally],
    changed: impl Fn(&StreamTally) -> u64,
    room: usize,
) -> (Vec<&StreamTally>, usize) {
    if streams.len() <= room {
        return (streams.iter().collect(), 0);
    }
    let mut latest: Vec<_> = streams.iter().map(&changed).collect();
    latest.sort_unstable_by(|one, other| other.cmp(one));
    let shown = room.saturating_sub(1);
    let oldest = shown.checked_sub(1).and_then(|last| latest.get(last)).copied().unwrap_or(u64::MAX);
    let chosen: Vec<_> = streams.iter().filter(|stream| changed(stream) >= oldest).take(shown).collect();
    let more = streams.len() - chosen.len();
    (chosen, more)
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
    let number = count(stream.records);
    let noun = if stream.records == 1 { "record " } else { "records" };
    format!("{:<28} {number:>13} {noun} {rate:>13} {:>11}", stream.stream, size(stream.bytes))
}

#[cfg(test)]
mod tests {
    use super::{chosen, stream_text};
    use crate::progress::tally::StreamTally;
    use std::time::Duration;

    #[test]
    fn of_many_streams_those_that_change_are_seen() {
        let streams: Vec<_> = (0..20)
            .map(|number| StreamTally { stream: number.to_string(), ..StreamTally::default() })
            .collect();
        // They change in this order, and then the first once more.
        let changed = |stream: &StreamTally| match stream.stream.parse().unwrap() {
            0 => 100,
            number => number,
        };
        let (seen, more) = chosen(&streams, changed, 5);
        let seen: Vec<_> = seen.iter().map(|stream| stream.stream.as_str()).collect();
        assert_eq!((seen, more), (vec!["0", "17", "18", "19"], 16));
        assert_eq!(chosen(&streams[..5], changed, 5).1, 0);
    }

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
