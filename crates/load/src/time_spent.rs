//! Where the time went. The clock is looked at once a read, a step or a file, never once a record.

use std::time::{Duration, Instant};

/// How the thread that reads a tap spent its time. The parts follow each other: together they are the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadTime {
    /// Until the tap's first byte.
    pub starting: Duration,
    /// Waiting for more of them.
    pub waiting: Duration,
    /// Decoding what the tap wrote; of a relay, passing it on.
    pub decoding: Duration,
    /// Reading the files of its BATCH messages.
    pub files: Duration,
    /// Waiting until the target takes what is ready.
    pub handing_over: Duration,
}

/// How the load task spent its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadTime {
    /// Waiting for steps.
    pub waiting: Duration,
    /// Making tables able to hold what comes.
    pub opening: Duration,
    /// Handing over batches and versions.
    pub writing: Duration,
    /// Making what was handed over durable.
    pub committing: Duration,
}

/// Adds how long a call takes, whatever comes of it.
pub(crate) async fn timed<T>(part: &mut Duration, call: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = call.await;
    *part += begun.elapsed();
    done
}

/// Gives what went by since the last call to one part of a [`ReadTime`].
pub(crate) struct ReadClock {
    spent: ReadTime,
    since: Instant,
    has_begun: bool,
    in_files: bool,
}

impl ReadClock {
    pub(crate) fn start() -> Self {
        Self { spent: ReadTime::default(), since: Instant::now(), has_begun: false, in_files: false }
    }

    /// The first bytes are there.
    pub(crate) fn begin(&mut self) {
        self.has_begun = true;
    }

    pub(crate) fn waited(&mut self) {
        let spent = &mut self.spent;
        lap(&mut self.since, if self.has_begun { &mut spent.waiting } else { &mut spent.starting });
    }

    pub(crate) fn worked(&mut self) {
        let spent = &mut self.spent;
        lap(&mut self.since, if self.in_files { &mut spent.files } else { &mut spent.decoding });
    }

    pub(crate) fn handed_over(&mut self) {
        lap(&mut self.since, &mut self.spent.handing_over);
    }

    /// From now on work is, or is no more, the reading of files.
    pub(crate) fn set_in_files(&mut self, in_files: bool) {
        self.worked();
        self.in_files = in_files;
    }

    /// All of it, the work since the last call included.
    pub(crate) fn stop(&mut self) -> ReadTime {
        self.worked();
        self.spent
    }
}

/// Adds what went by since the last look at the clock.
fn lap(since: &mut Instant, part: &mut Duration) {
    let now = Instant::now();
    *part += now.saturating_duration_since(std::mem::replace(since, now));
}

#[cfg(test)]
mod tests;
