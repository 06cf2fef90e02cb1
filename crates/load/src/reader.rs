//! The decode thread: reads the tap's output, decodes it, and hands over steps as the load task takes them.
//!
//! A full channel blocks it, then the pipe fills, then the tap waits: that is the backpressure. It waits for three
//! things at once: bytes, a word from the run (the tap has exited; stop), and the age of a STATE.

mod files;

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::{mpsc, oneshot};

use crate::time_spent::ReadClock;
use crate::{DecodeError, Decoder, FilePlaces, LoadStep, Now, ReadTime};

/// After the tap's exit, how long its output may stay silent before it counts as ended: a grandchild may hold it.
pub(crate) const SILENCE_AFTER_EXIT: Duration = Duration::from_secs(2);

/// How reading ended.
pub enum Reading {
    /// The output ended whole.
    Ended,
    /// The run asked to stop, or takes no more steps.
    Stopped,
    /// The target, another program, has closed its input before the end.
    HungUp,
    /// The tap was silent for too long.
    Silent,
    /// The output cannot be loaded.
    Refused(DecodeError),
    /// The pipe cannot be read.
    Broken(io::Error),
}

/// What came of reading.
pub struct ReadOutcome {
    /// How it ended.
    pub how: Reading,
    /// How many records were read.
    pub records: u64,
    /// Where the time went.
    pub time: ReadTime,
}

/// The thread, from the outside.
pub struct Reader {
    thread: Option<JoinHandle<()>>,
    control: Option<io::PipeWriter>,
    /// What came of it; once.
    pub outcome: oneshot::Receiver<ReadOutcome>,
}

impl Reader {
    /// Starts to read.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(
        tap: TapOutput,
        decoder: Decoder,
        steps: mpsc::Sender<LoadStep>,
        clock: Clock,
    ) -> io::Result<Self> {
        let TapOutput { output, silence, files } = tap;
        Self::spawn("decode", move |ears, outcome| {
            let mut reading = ReadLoop {
                output,
                ears,
                decoder,
                steps,
                silence,
                files,
                clock,
                exited: false,
                stopping: false,
                heard: Instant::now(),
                time: ReadClock::start(),
            };
            let how = reading.run();
            let (records, time) = (reading.decoder.records(), reading.time.stop());
            // The channel closes before the word is given, so that the load task can end.
            drop(reading);
            let _ = outcome.send(ReadOutcome { how, records, time });
        })
    }

    /// Starts a thread that listens to `ears`: a byte says that the tap has exited, their end that it is to stop.
    pub(crate) fn spawn(
        name: &str,
        run: impl FnOnce(io::PipeReader, oneshot::Sender<ReadOutcome>) + Send + 'static,
    ) -> io::Result<Self> {
        let (ears, control) = io::pipe()?;
        let (sender, outcome) = oneshot::channel();
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || run(ears, sender))?;
        Ok(Self { thread: Some(thread), control: Some(control), outcome })
    }

    /// The tap has exited: its output need not end any more.
    pub fn tap_exited(&mut self) {
        if let Some(control) = &mut self.control {
            let _ = control.write_all(b"x");
        }
    }

    /// Reads no more; the last STATE becomes a checkpoint.
    pub fn stop(&mut self) {
        self.control = None;
    }

    /// Waits for the thread. The receiver of its steps must be closed or drained.
    pub fn join(mut self) -> bool {
        self.stop();
        self.thread.take().is_none_or(|thread| thread.join().is_ok())
    }
}

/// What a tap gives, and what is known of it.
pub struct TapOutput {
    /// Its standard output.
    pub output: OwnedFd,
    /// How long it may be silent.
    pub silence: Silence,
    /// Where the files of its BATCH messages may lie.
    pub files: FilePlaces,
}

/// When a tap last gave a sign of life.
pub type LastSign = Box<dyn Fn() -> Instant + Send>;

/// How long a tap may be silent, on both of its outputs.
pub struct Silence {
    /// The longest that is borne.
    pub longest: Duration,
    /// When it last said something elsewhere than on its output.
    pub elsewhere: Option<LastSign>,
}

/// The run's clock.
#[derive(Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Starts it.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// The time.
    #[must_use]
    pub fn now(self) -> Now {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Now { elapsed: self.start.elapsed(), wall: i64::try_from(wall.as_micros()).unwrap_or(i64::MAX) }
    }
}

struct ReadLoop {
    output: OwnedFd,
    ears: io::PipeReader,
    decoder: Decoder,
    steps: mpsc::Sender<LoadStep>,
    silence: Silence,
    files: FilePlaces,
    clock: Clock,
    exited: bool,
    stopping: bool,
    /// When bytes last came, or were last waited for by the target.
    heard: Instant,
    time: ReadClock,
}

impl ReadLoop {
    fn run(&mut self) -> Reading {
        loop {
            if self.hand_over().is_err() {
                return Reading::Stopped;
            }
            let (bytes, word) = match self.wait() {
                Ok(ready) => ready,
                Err(error) => return Reading::Broken(error),
            };
            if self.stopping || (word && !self.hear()) {
                self.stopping = true;
                return self.give_up(Reading::Stopped);
            }
            if bytes {
                if let Some(how) = self.read() {
                    return how;
                }
            } else if let Some(how) = self.silent() {
                return how;
            }
        }
    }

    /// Sends the steps that are ready; fails when nobody takes them, or when the run asks to stop: then only what
    /// the next checkpoint covers is still sent, since one read may hold thousands of them.
    fn hand_over(&mut self) -> Result<(), ()> {
        while let Some(step) = self.decoder.next_step() {
            let complete = matches!(step, LoadStep::Checkpoint(_));
            let waited = self.steps.capacity() == 0;
            self.time.worked();
            let taken = self.steps.blocking_send(step);
            self.time.handed_over();
            taken.map_err(drop)?;
            if waited {
                self.heard = Instant::now();
            }
            self.stopping |= self.spoken_to() && !self.hear();
            if self.stopping && complete {
                return Err(());
            }
        }
        Ok(())
    }

    /// Whether a word waits.
    fn spoken_to(&self) -> bool {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut [PollFd::new(&self.ears, PollFlags::IN)], Some(&at_once)), Ok(1))
    }

    /// Waits until there are bytes or a word, or it is time for something.
    fn wait(&mut self) -> io::Result<(bool, bool)> {
        // What is waited for is looked up in that time.
        self.time.worked();
        let mut fds = [PollFd::new(&self.output, PollFlags::IN), PollFd::new(&self.ears, PollFlags::IN)];
        let longest = self.longest_wait();
        let timeout =
            Timespec { tv_sec: longest.as_secs().cast_signed(), tv_nsec: longest.subsec_nanos().into() };
        let polled = poll(&mut fds, Some(&timeout));
        self.time.waited();
        match polled {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok((!fds[0].revents().is_empty(), !fds[1].revents().is_empty()))
    }

    fn longest_wait(&self) -> Duration {
        let until = |limit: Duration, since: Instant| limit.saturating_sub(since.elapsed());
        let mut wait = until(self.silence.longest, self.last_sign());
        if self.exited {
            wait = wait.min(until(SILENCE_AFTER_EXIT, self.heard));
        }
        if let Some(tick) = self.decoder.next_tick(self.clock.now()) {
            wait = wait.min(tick);
        }
        // Rounded up, so that what is waited for has come.
        wait + Duration::from_millis(1)
    }

    /// When the tap last gave a sign of life.
    fn last_sign(&self) -> Instant {
        self.silence.elsewhere.as_ref().map_or(self.heard, |last| self.heard.max(last()))
    }

    /// Hears a word from the run; false when it is to stop.
    fn hear(&mut self) -> bool {
        let mut word = [0_u8; 1];
        let heard = matches!(io::Read::read(&mut self.ears, &mut word), Ok(1));
        self.exited |= heard;
        heard
    }

    fn read(&mut self) -> Option<Reading> {
        match rustix::io::read(&self.output, self.decoder.space()) {
            Ok(0) => Some(self.end()),
            Ok(count) => {
                self.time.begin();
                self.heard = Instant::now();
                match self.decoder.filled(count, self.clock.now()) {
                    Ok(()) => self.load_files(),
                    Err(error) => Some(self.give_up(Reading::Refused(error))),
                }
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => None,
            Err(error) => Some(self.give_up(Reading::Broken(error.into()))),
        }
    }

    fn silent(&mut self) -> Option<Reading> {
        self.decoder.tick(self.clock.now());
        if self.exited && self.heard.elapsed() >= SILENCE_AFTER_EXIT {
            return Some(self.end());
        }
        (self.last_sign().elapsed() >= self.silence.longest).then(|| self.give_up(Reading::Silent))
    }

    fn end(&mut self) -> Reading {
        // Twice where the last message is a BATCH.
        for _ in 0..2 {
            if let Err(error) = self.decoder.end(self.clock.now()) {
                return self.give_up(Reading::Refused(error));
            }
            if let Some(how) = self.load_files() {
                return how;
            }
        }
        match self.hand_over() {
            Ok(()) => Reading::Ended,
            Err(()) => Reading::Stopped,
        }
    }

    /// The last complete checkpoint is handed over, what came after it is not.
    fn give_up(&mut self, how: Reading) -> Reading {
        self.decoder.stop();
        // Nobody takes it: then the target has failed, and that is the cause.
        let _ = self.hand_over();
        how
    }
}
