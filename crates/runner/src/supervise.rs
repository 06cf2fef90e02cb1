//! The book of a run: figures a stream, the last checkpoint, and who is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use load::{LoadEvent, LoadTime, ReadOutcome, Reading, RelayEvent};
use singer::State;

use crate::{Observer, RunError, RunEvent, RunSummary, StreamSummary, TimeSpent};

/// Gathers what a run's summary says and passes events on.
pub(crate) struct Book {
    observer: Observer,
    start: Instant,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    streams: Vec<StreamPage>,
    resumed: bool,
    state_before: Option<String>,
    state_after: Option<String>,
    sequence: Option<i64>,
    commits: u64,
    tap_said: Vec<String>,
    target_said: Vec<String>,
    time: TimeSpent,
}

struct StreamPage {
    summary: StreamSummary,
    /// Accepted since the last commit.
    accepted: u64,
}

impl Book {
    /// A new one; `begun` is when the run began, discovery included.
    pub(crate) fn new(observer: &Observer, begun: Instant) -> Self {
        let start = Instant::now();
        let discovering = start.saturating_duration_since(begun).as_secs_f64();
        let pages = Pages { time: TimeSpent { discovering, ..TimeSpent::default() }, ..Pages::default() };
        Self { observer: Arc::clone(observer), start, pages: Mutex::new(pages) }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, event: &RunEvent) {
        (self.observer)(event);
    }

    pub(crate) fn resumed(&self, state: Option<&str>) {
        let state = state.map(str::to_owned);
        let mut pages = self.pages();
        if !pages.resumed {
            pages.resumed = true;
            pages.state_before.clone_from(&state);
        }
        pages.state_after.clone_from(&state);
        drop(pages);
        self.tell(&RunEvent::Resumed { state });
    }

    /// Adds to a part of the time.
    pub(crate) fn spend(&self, part: impl FnOnce(&mut TimeSpent) -> &mut f64, spent: Duration) {
        *part(&mut self.pages().time) += spent.as_secs_f64();
    }

    /// Adds how long a call takes, whatever comes of it.
    pub(crate) async fn timed<T>(
        &self,
        part: impl FnOnce(&mut TimeSpent) -> &mut f64,
        call: impl Future<Output = T>,
    ) -> T {
        let begun = Instant::now();
        let done = call.await;
        self.spend(part, begun.elapsed());
        done
    }

    /// Notes where the time of reading went; gives how it ended and how many records there were.
    pub(crate) fn has_read(&self, ReadOutcome { how, records, time }: ReadOutcome) -> (Reading, u64) {
        self.pages().time.add_read(&time);
        (how, records)
    }

    /// Adds how the load task spent its time.
    pub(crate) fn load_time(&self, time: &LoadTime) {
        self.pages().time.add_load(time);
    }

    /// How many commits this run has made.
    pub(crate) fn commits(&self) -> u64 {
        self.pages().commits
    }

    pub(crate) fn tap_said(&self, lines: Vec<String>) {
        if !lines.is_empty() {
            self.pages().tap_said = lines;
        }
    }

    pub(crate) fn target_said(&self, lines: Vec<String>) {
        self.pages().target_said = lines;
    }

    /// Notes what the relay says and passes it on.
    pub(crate) fn relay_event(&self, event: RelayEvent) {
        match event {
            // By its key the target merges, as far as anybody knows.
            RelayEvent::Stream { stream, keyed } => {
                let mut pages = self.pages();
                let summary = &mut pages.stream(&stream).summary;
                (summary.keyed, summary.merged) = (keyed, keyed);
            }
            RelayEvent::Records { stream, records, bytes } => {
                let mut pages = self.pages();
                let summary = &mut pages.stream(&stream).summary;
                summary.records_read += records;
                summary.bytes += bytes;
                let merged = summary.merged;
                drop(pages);
                self.tell(&RunEvent::Relayed { stream, records, bytes, merged });
            }
            RelayEvent::State => {}
        }
    }

    /// A STATE that the target printed is kept. Which records it covers is not known.
    pub(crate) fn state_kept(&self, state: &State, sequence: i64) {
        let state = state.as_str().to_owned();
        let mut pages = self.pages();
        pages.commits += 1;
        pages.sequence = Some(sequence);
        pages.state_after = Some(state.clone());
        drop(pages);
        self.tell(&RunEvent::StateKept { state, sequence });
    }

    /// The target has read all and exited 0: that is its word for what it was given.
    pub(crate) fn all_relayed_is_written(&self) {
        for page in &mut self.pages().streams {
            page.summary.records_written = page.summary.records_read;
        }
    }

    /// What was accepted after the last commit is dropped.
    pub(crate) fn roll_back(&self) {
        for page in &mut self.pages().streams {
            page.summary.records_read -= page.accepted;
            page.accepted = 0;
        }
    }

    /// Notes what the load says and passes it on.
    pub(crate) fn load_event(&self, event: LoadEvent) {
        let event = match event {
            LoadEvent::TableOpened { stream, keyed, merged, change } => {
                let mut pages = self.pages();
                let summary = &mut pages.stream(stream.as_str()).summary;
                summary.place.clone_from(&change.place);
                (summary.keyed, summary.merged) = (keyed, merged);
                // A run may go on for months, and a table be opened again as often as its schema comes.
                for note in change.notes {
                    if !summary.notes.contains(&note) {
                        summary.notes.push(note);
                    }
                }
                summary.created |= change.created;
                let (created, statements) = (change.created, change.statements);
                let stream = stream.to_string();
                RunEvent::TableOpened { stream, place: change.place, created, merged, statements }
            }
            LoadEvent::BatchWritten { stream, records, bytes, reading } => {
                let mut pages = self.pages();
                let page = pages.stream(stream.as_str());
                page.accepted += records;
                page.summary.records_read += records;
                page.summary.bytes += bytes;
                page.summary.seconds += reading.as_secs_f64();
                RunEvent::BatchWritten { stream: stream.to_string(), records, bytes, reading }
            }
            LoadEvent::Checkpointed { state, sequence } => {
                let state = state.map(|state| state.as_str().to_owned());
                self.committed(state.as_deref(), sequence);
                RunEvent::Checkpointed { state, sequence }
            }
        };
        self.tell(&event);
    }

    fn committed(&self, state: Option<&str>, sequence: i64) {
        let mut pages = self.pages();
        pages.commits += 1;
        pages.sequence = Some(sequence);
        if let Some(state) = state {
            pages.state_after = Some(state.to_owned());
        }
        for page in &mut pages.streams {
            if page.accepted > 0 {
                page.summary.records_written += page.accepted;
                page.accepted = 0;
            }
        }
    }

    /// The run is over.
    pub(crate) fn close(&self, error: Option<RunError>) -> RunSummary {
        let mut pages = std::mem::take(&mut *self.pages());
        let elapsed = self.elapsed();
        pages.time.close(elapsed);
        let summary = RunSummary {
            error,
            streams: pages.streams.drain(..).map(|page| page.summary).collect(),
            state_before: pages.state_before,
            state_after: pages.state_after,
            sequence: pages.sequence,
            elapsed,
            time_spent: pages.time,
            tap_said: pages.tap_said,
            target_said: pages.target_said,
        };
        self.tell(&RunEvent::Finished { exit_code: summary.exit_code() });
        summary
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Pages {
    fn stream(&mut self, name: &str) -> &mut StreamPage {
        let at = self.streams.iter().position(|page| page.summary.stream == name).unwrap_or_else(|| {
            let summary = StreamSummary { stream: name.to_owned(), ..StreamSummary::default() };
            self.streams.push(StreamPage { summary, accepted: 0 });
            self.streams.len() - 1
        });
        &mut self.streams[at]
    }
}
