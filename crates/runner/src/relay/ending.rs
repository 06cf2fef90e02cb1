//! How far a relay is from its end, and the one cause that is told: the side that failed first.

use std::time::Duration;

use load::{DecodeError, Reading};
use tokio::time::Instant;

use crate::process::ProcessExit;
use crate::{RunError, RunLimits, StopSignal, TapFailure, TargetFailure};

/// After the target's exit, how long its output may stay silent: a grandchild may hold it.
const SILENCE_AFTER_EXIT: Duration = Duration::from_secs(2);

/// What has ended, and why.
#[derive(Default)]
pub(super) struct Ending {
    pub(super) cause: Option<RunError>,
    /// Which signal has asked a tap to end that goes on for ever.
    pub(super) asked: Option<StopSignal>,
    pub(super) signals: u32,
    /// Whether the tap is to be ended, and the target's input to be closed, now.
    pub(super) stops: bool,
    /// When both sides are killed.
    pub(super) kill_at: Option<Instant>,
    /// When the tap must have exited, whose output has ended.
    pub(super) exit_by: Option<Instant>,
    /// When the target's output counts as ended.
    pub(super) quiet_at: Option<Instant>,
    /// Whether the relay has ended, and the target has read all.
    pub(super) reading: Option<bool>,
    pub(super) records: u64,
    pub(super) tap: Option<ProcessExit>,
    pub(super) target: Option<ProcessExit>,
    pub(super) states_ended: bool,
    pub(super) events_ended: bool,
}

impl Ending {
    pub(super) fn is_over(&self) -> bool {
        self.reading.is_some()
            && self.tap.is_some()
            && self.target.is_some()
            && self.states_ended
            && self.events_ended
    }

    /// Ends the tap and closes the target's input; the target may finish what it has.
    pub(super) fn begin(&mut self, cause: RunError, limits: &RunLimits) {
        self.cause.get_or_insert(cause);
        self.stops = true;
        self.kill_at.get_or_insert(Instant::now() + limits.grace);
    }

    /// A tap that goes on for ever was asked to end: what it still says is passed on.
    pub(super) fn ask(&mut self, signal: StopSignal, limits: &RunLimits) {
        self.asked = Some(signal);
        self.kill_at.get_or_insert(Instant::now() + limits.grace);
    }

    /// Whether the target is killed with the tap: its input ends with a tap that was asked to, and it may finish what
    /// it has.
    pub(super) fn kills_target(&self) -> bool {
        self.asked.is_none() || self.cause.is_some()
    }

    /// Draws the conclusion from how reading ended.
    pub(super) fn read(&mut self, (how, records): (Reading, u64), limits: &RunLimits) {
        self.reading = Some(matches!(how, Reading::Ended));
        self.records = records;
        let grace = limits.grace;
        match how {
            Reading::Ended | Reading::Stopped => {
                self.exit_by.get_or_insert(Instant::now() + grace);
            }
            Reading::HungUp => self.target_failed(limits),
            // The tap has closed its output already: its exit is about to say more.
            Reading::Refused(error @ DecodeError::Truncated { .. }) => {
                self.cause.get_or_insert(error.into());
                self.exit_by.get_or_insert(Instant::now() + grace);
            }
            Reading::Refused(error) => self.begin(error.into(), limits),
            Reading::Silent => {
                self.begin(TapFailure::Silent(limits.idle_timeout).into(), limits);
            }
            Reading::Broken(source) => {
                let (what, path) = ("pass on the output of", "the tap".into());
                self.begin(RunError::Machine { what, path, source }, limits);
            }
        }
        self.hurry(grace);
    }

    /// The tap has exited.
    pub(super) fn tap_exited(&mut self, exit: ProcessExit, limits: &RunLimits) {
        self.tap = Some(exit);
        self.hurry(limits.grace);
    }

    /// The target has exited.
    pub(super) fn target_exited(&mut self, exit: ProcessExit, limits: &RunLimits) {
        self.target = Some(exit);
        self.quiet_at = Some(Instant::now() + SILENCE_AFTER_EXIT);
        if matches!(self.cause, Some(RunError::TargetProgram(TargetFailure::Closed)))
            && self.kill_at.is_some()
        {
            // It had closed its input and ends by itself: its exit says more.
            self.cause = Some(early(exit).into());
        }
        if self.reading != Some(true) {
            self.target_failed(limits);
        }
    }

    /// The target has ended, or reads no more, before the end. A tap that had failed before is the cause.
    fn target_failed(&mut self, limits: &RunLimits) {
        let failure = self.target.map_or(TargetFailure::Closed, early);
        if self.cause.is_none() && !self.tap_has_failed() {
            self.cause = Some(failure.into());
        }
        self.stops = true;
        self.kill_at.get_or_insert(Instant::now() + limits.grace);
    }

    /// What the tap said is with the target. When the tap has failed, the target is not waited for as long as it may
    /// like.
    fn hurry(&mut self, grace: Duration) {
        if self.reading.is_some() && (self.tap_has_failed() || self.tap.is_some() && self.cause.is_some()) {
            self.kill_at.get_or_insert(Instant::now() + grace);
        }
    }

    fn tap_has_failed(&self) -> bool {
        self.tap.is_some_and(|exit| exit != ProcessExit::Code(0))
    }

    /// Success, or the one cause.
    pub(super) fn judge(self) -> Result<(), RunError> {
        if let Some(signal) = self.asked {
            return self.judge_asked(signal);
        }
        let tap = self.tap.and_then(|exit| exit.failure(Some(self.records)));
        match (self.cause, tap) {
            (Some(RunError::Decode(DecodeError::Truncated { .. })) | None, Some(failure)) => {
                Err(failure.into())
            }
            (Some(cause), _) => Err(cause),
            (None, None) => {
                let failure = self.target.and_then(ProcessExit::target_failure);
                failure.map_or(Ok(()), |failure| Err(failure.into()))
            }
        }
    }
}

impl Ending {
    fn judge_asked(self, signal: StopSignal) -> Result<(), RunError> {
        match self.cause {
            // A tap that ends in the midst of a line was asked to.
            Some(RunError::Decode(DecodeError::Truncated { .. })) | None => {}
            Some(cause) => return Err(cause),
        }
        match self.target.and_then(ProcessExit::target_failure) {
            Some(failure) => Err(failure.into()),
            None if self.tap == Some(ProcessExit::Code(0)) => Ok(()),
            None => Err(RunError::Cancelled(signal)),
        }
    }
}

/// The failure of a target that has ended before its input.
fn early(exit: ProcessExit) -> TargetFailure {
    exit.target_failure().unwrap_or(TargetFailure::EndedEarly)
}

#[cfg(test)]
mod tests;
