//! Where a run's time went, and what held it up.

use std::time::Duration;

use load::{LoadTime, ReadTime};
use serde::Serialize;

/// Where a run's time went, in seconds; attempts add up. From `discovering` to `finishing` the parts follow each other:
/// together they are the whole run, discovery included. The load task's go on beside them, and are zero where the
/// target is a program of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct TimeSpent {
    /// Asking the tap for its streams.
    pub discovering: f64,
    /// Asking the target for rights, fence and STATE.
    pub connecting: f64,
    /// From then until the tap's first byte.
    pub starting: f64,
    /// Waiting for more from the tap, and for its exit.
    pub waiting_for_tap: f64,
    /// Decoding what the tap wrote; passing it on, where the target is a program of its own.
    pub decoding: f64,
    /// Reading the files of its BATCH messages.
    pub reading_files: f64,
    /// Nothing more is read until the target takes what is ready: the back-pressure.
    pub waiting_for_target: f64,
    /// Pauses before another attempt.
    pub pausing: f64,
    /// The rest: what the target still does once the tap's output is read.
    pub finishing: f64,
    /// The load task waits for records.
    pub waiting_for_records: f64,
    /// The target makes tables able to hold what comes.
    pub opening_tables: f64,
    /// The target takes batches and versions.
    pub writing_batches: f64,
    /// The target makes them durable and visible.
    pub committing: f64,
}

/// What a run waited for longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bottleneck {
    /// What comes before the tap's first byte.
    StartUp,
    /// The tap.
    Tap,
    /// Decoding, the files of BATCH messages included.
    Decoding,
    /// The target.
    Target,
    /// Pauses before another attempt.
    Pauses,
}

impl TimeSpent {
    /// The whole run.
    #[must_use]
    pub fn whole(&self) -> f64 {
        self.told() + self.finishing
    }

    /// What comes before the tap's first byte.
    #[must_use]
    pub fn start_up(&self) -> f64 {
        self.discovering + self.connecting + self.starting
    }

    /// What the load task did, and waited for.
    #[must_use]
    pub fn target_side(&self) -> f64 {
        self.waiting_for_records + self.opening_tables + self.writing_batches + self.committing
    }

    /// What it waited for longest: to make that quicker makes the run quicker.
    #[must_use]
    pub fn bottleneck(&self) -> Bottleneck {
        let mut longest = (Bottleneck::StartUp, self.start_up());
        for (what, seconds) in [
            (Bottleneck::Tap, self.waiting_for_tap),
            (Bottleneck::Decoding, self.decoding + self.reading_files),
            (Bottleneck::Target, self.waiting_for_target + self.finishing),
            (Bottleneck::Pauses, self.pausing),
        ] {
            if seconds > longest.1 {
                longest = (what, seconds);
            }
        }
        longest.0
    }

    /// All parts that were measured.
    fn told(&self) -> f64 {
        self.start_up()
            + self.waiting_for_tap
            + self.decoding
            + self.reading_files
            + self.waiting_for_target
            + self.pausing
    }

    pub(crate) fn add_read(&mut self, time: &ReadTime) {
        self.starting += time.starting.as_secs_f64();
        self.waiting_for_tap += time.waiting.as_secs_f64();
        self.decoding += time.decoding.as_secs_f64();
        self.reading_files += time.files.as_secs_f64();
        self.waiting_for_target += time.handing_over.as_secs_f64();
    }

    pub(crate) fn add_load(&mut self, time: &LoadTime) {
        self.waiting_for_records += time.waiting.as_secs_f64();
        self.opening_tables += time.opening.as_secs_f64();
        self.writing_batches += time.writing.as_secs_f64();
        self.committing += time.committing.as_secs_f64();
    }

    /// The run took so long after discovery: what is not measured was its end.
    pub(crate) fn close(&mut self, elapsed: Duration) {
        self.finishing = (self.discovering + elapsed.as_secs_f64() - self.told()).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use load::ReadTime;

    use super::{Bottleneck, TimeSpent};

    #[test]
    fn attempts_add_up_and_the_parts_are_the_whole() {
        let second = Duration::from_secs(1);
        let read = ReadTime {
            starting: second,
            waiting: second,
            decoding: second,
            files: second,
            handing_over: second,
        };
        let mut time = TimeSpent { discovering: 2.0, connecting: 1.0, pausing: 0.5, ..TimeSpent::default() };
        time.add_read(&read);
        time.add_read(&read);
        time.close(Duration::from_secs(14));
        assert_eq!((time.starting, time.waiting_for_target), (2.0, 2.0));
        assert_eq!((time.finishing, time.whole()), (2.5, 16.0));
    }

    #[test]
    fn the_bottleneck_is_what_was_waited_for_longest() {
        let none = TimeSpent { discovering: 0.2, connecting: 0.2, starting: 0.2, ..TimeSpent::default() };
        for (time, bottleneck) in [
            (none, Bottleneck::StartUp),
            (TimeSpent { waiting_for_tap: 1.0, decoding: 0.9, ..none }, Bottleneck::Tap),
            (
                TimeSpent { waiting_for_tap: 1.0, decoding: 0.9, reading_files: 0.2, ..none },
                Bottleneck::Decoding,
            ),
            (
                TimeSpent { waiting_for_tap: 1.0, waiting_for_target: 0.6, finishing: 0.5, ..none },
                Bottleneck::Target,
            ),
            (TimeSpent { waiting_for_tap: 1.0, pausing: 4.0, ..none }, Bottleneck::Pauses),
            // The load task's go on beside the others: a warehouse that keeps up holds nothing up.
            (
                TimeSpent { waiting_for_tap: 1.0, writing_batches: 4.0, committing: 4.0, ..none },
                Bottleneck::Tap,
            ),
        ] {
            assert_eq!(time.bottleneck(), bottleneck, "{time:?}");
        }
    }
}
