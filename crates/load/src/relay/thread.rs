//! The relay's thread: reads the tap's output and writes the target's input, never more ahead than one read.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::{Relay, RelayEvent};
use crate::reader::SILENCE_AFTER_EXIT;
use crate::time_spent::ReadClock;
use crate::{ReadOutcome, Reader, Reading, Silence};

/// How often it looks whether the target has read the last of its input.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The two ends that a relay is between.
pub struct Ends {
    /// The tap's output.
    pub output: OwnedFd,
    /// The target's input, a pipe. It is closed when the relay ends.
    pub input: OwnedFd,
}

impl Reader {
    /// Starts to relay. When it ended whole, the target has read all of its input.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn relay(
        ends: Ends,
        relay: Relay,
        events: mpsc::Sender<RelayEvent>,
        silence: Silence,
    ) -> io::Result<Self> {
        let flags = fcntl_getfl(&ends.input)?;
        fcntl_setfl(&ends.input, flags | OFlags::NONBLOCK)?;
        Self::spawn("relay", move |ears, outcome| {
            let (exited, stopping, heard) = (false, false, Instant::now());
            let time = ReadClock::start();
            let mut relaying =
                RelayLoop { ends, ears, relay, events, silence, exited, stopping, heard, time };
            let how = relaying.run();
            let (records, time) = (relaying.relay.records(), relaying.time.stop());
            // The word is given before the ends are closed: what the two programs make of that comes after it.
            let _ = outcome.send(ReadOutcome { how, records, time });
        })
    }
}

struct RelayLoop {
    ends: Ends,
    ears: io::PipeReader,
    relay: Relay,
    events: mpsc::Sender<RelayEvent>,
    silence: Silence,
    exited: bool,
    /// The run asked to stop: the target gets the rest of what is complete, and no more is read.
    stopping: bool,
    /// When bytes last came, or were last taken by the target.
    heard: Instant,
    time: ReadClock,
}

/// What a wait brought.
struct Ready {
    output: bool,
    hung_up: bool,
}

impl RelayLoop {
    fn run(&mut self) -> Reading {
        loop {
            let ready = match self.wait(true, PollFlags::empty(), self.longest_wait()) {
                Ok(ready) => ready,
                Err(error) => return Reading::Broken(error),
            };
            let read = match ready {
                Ready { hung_up: true, .. } => Err(Reading::HungUp),
                _ if self.stopping => Err(Reading::Stopped),
                Ready { output: true, .. } => self.read(),
                _ => self.silent(),
            };
            let is_end = match read {
                Ok(is_end) => is_end,
                Err(how) => return self.give_up(how),
            };
            match self.write_all() {
                Err(how) => return how,
                Ok(()) if self.stopping => return Reading::Stopped,
                Ok(()) if is_end => return self.drained(),
                Ok(()) => {}
            }
        }
    }

    /// Waits for the target, a word from the run and, where it is asked for, the tap: it is then the tap's time.
    fn wait(&mut self, output: bool, input: PollFlags, longest: Duration) -> io::Result<Ready> {
        // What is not asked for must not be there: an end wakes again and again.
        let mut fds = vec![PollFd::new(&self.ends.input, input)];
        if output {
            fds.push(PollFd::new(&self.ends.output, PollFlags::IN));
        }
        if !self.stopping {
            fds.push(PollFd::new(&self.ears, PollFlags::IN));
        }
        let timeout =
            Timespec { tv_sec: longest.as_secs().cast_signed(), tv_nsec: longest.subsec_nanos().into() };
        self.time.worked();
        let polled = poll(&mut fds, Some(&timeout));
        if output {
            self.time.waited();
        } else {
            self.time.handed_over();
        }
        match polled {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let happened = |at: usize| fds.get(at).map_or(PollFlags::empty(), PollFd::revents);
        let ready = Ready {
            output: output && !happened(1).is_empty(),
            hung_up: happened(0).intersects(PollFlags::ERR | PollFlags::NVAL),
        };
        if !self.stopping && !happened(1 + usize::from(output)).is_empty() {
            self.hear();
        }
        Ok(ready)
    }

    fn hear(&mut self) {
        let mut word = [0_u8; 1];
        if matches!(io::Read::read(&mut self.ears, &mut word), Ok(1)) {
            self.exited = true;
        } else {
            self.stopping = true;
            self.relay.cut_short();
        }
    }

    fn longest_wait(&self) -> Duration {
        if self.stopping {
            return Duration::ZERO;
        }
        let until = |limit: Duration, since: Instant| limit.saturating_sub(since.elapsed());
        let mut wait = until(self.silence.longest, self.last_sign());
        if self.exited {
            wait = wait.min(until(SILENCE_AFTER_EXIT, self.heard));
        }
        // Rounded up, so that what is waited for has come.
        wait + Duration::from_millis(1)
    }

    fn last_sign(&self) -> Instant {
        self.silence.elsewhere.as_ref().map_or(self.heard, |last| self.heard.max(last()))
    }

    /// Reads once; true at the end.
    fn read(&mut self) -> Result<bool, Reading> {
        match rustix::io::read(&self.ends.output, self.relay.space()) {
            Ok(0) => self.relay.end().map(|()| true).map_err(Reading::Refused),
            Ok(count) => {
                self.time.begin();
                self.relay.filled(count).map(|()| false).map_err(Reading::Refused)
            }
            Err(Errno::INTR | Errno::AGAIN) => Ok(false),
            Err(error) => Err(Reading::Broken(error.into())),
        }
    }

    fn silent(&mut self) -> Result<bool, Reading> {
        if self.exited && self.heard.elapsed() >= SILENCE_AFTER_EXIT {
            return self.relay.end().map(|()| true).map_err(Reading::Refused);
        }
        if self.last_sign().elapsed() >= self.silence.longest { Err(Reading::Silent) } else { Ok(false) }
    }

    /// Writes what waits, however long the target takes, and tells of it.
    fn write_all(&mut self) -> Result<(), Reading> {
        while !self.relay.waiting().is_empty() {
            match rustix::io::write(&self.ends.input, self.relay.waiting()) {
                Ok(count) => self.relay.sent(count),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let long = Duration::from_mins(1);
                    self.wait(false, PollFlags::OUT, long).map_err(Reading::Broken)?;
                }
                Err(Errno::PIPE) => return Err(Reading::HungUp),
                Err(error) => return Err(Reading::Broken(error.into())),
            }
        }
        self.heard = Instant::now();
        for event in self.relay.take_events() {
            // Nobody listens: the run is over.
            self.events.blocking_send(event).map_err(|_| Reading::Stopped)?;
        }
        Ok(())
    }

    /// All is written. A target that ends now without having read it has lost it.
    fn drained(&mut self) -> Reading {
        loop {
            match rustix::io::ioctl_fionread(&self.ends.input) {
                Ok(0) | Err(_) => return Reading::Ended,
                Ok(_) => {}
            }
            match self.wait(false, PollFlags::empty(), LOOK_AGAIN) {
                Ok(Ready { hung_up: true, .. }) => return Reading::HungUp,
                Ok(_) if self.stopping => return Reading::Stopped,
                Ok(_) => {}
                Err(error) => return Reading::Broken(error),
            }
        }
    }

    /// The target gets what is complete and no more.
    fn give_up(&mut self, how: Reading) -> Reading {
        if !matches!(how, Reading::HungUp) {
            self.stopping = true;
            self.relay.cut_short();
            // It does not take it: then that is not the cause.
            let _ = self.write_all();
        }
        how
    }
}
