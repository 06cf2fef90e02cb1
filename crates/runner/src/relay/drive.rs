//! Both programs, the relay between them, and what is heard of each until all has ended.

use std::ffi::OsString;
use std::os::fd::OwnedFd;

use load::{Ends, Reader, Relay, RelayEvent, Silence};
use singer::State;
use target_api::{Checkpoint, FullRefresh, StateChange, Target};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::ending::Ending;
use super::target_output;
use crate::private_folder::PrivateFolder;
use crate::process::Process;
use crate::run::{prepare, tap_arguments, until};
use crate::supervise::Book;
use crate::{
    ProgramCommand, RunError, RunEvent, RunPlan, Shutdown, Side, StopSignal, TapFailure, committed_file,
};

/// What the relay tells on its way to the run.
const CHANNEL_EVENTS: usize = 64;

/// Runs the tap into the program once.
pub(crate) async fn relay(
    plan: &RunPlan,
    (command, attempt): (&ProgramCommand, usize),
    deadline: Option<Instant>,
    shutdown: &mut Shutdown,
    book: &Book,
) -> Result<(), RunError> {
    let mut keeper = (plan.target)()?;
    let before = book.timed(|time| &mut time.connecting, prepare(&mut *keeper, plan)).await?;
    let prepared = Instant::now();
    book.resumed(before.as_ref().map(State::as_str));
    let start = plan.start(before.clone())?;

    // The target first: nothing is asked of the tap when there is nobody to take it.
    let name = format!("{}-{attempt}", plan.identity.run);
    let folder = PrivateFolder::create(&command.private, &format!("{name}-target"))?;
    let target_config = folder.write_config(&command.config)?;
    let arguments: [OsString; 2] = ["--config".into(), target_config.path().into()];
    let (mut target, input) = Process::start_fed(command, folder.path(), &arguments).await?;
    book.tell(&RunEvent::TargetStarted { pid: target.pid });

    let private = PrivateFolder::create(&plan.tap.private, &name)?;
    let config = private.write_config(&plan.tap.config)?.watch();
    let arguments = tap_arguments(plan, &private, config.path(), start.as_ref())?;
    let tap_command = committed_file::told_of(plan, private.path());
    let mut tap = Process::start(&tap_command, private.path(), &arguments).await?;
    book.tell(&RunEvent::TapStarted { pid: tap.pid, attempt });
    book.spend(|time| &mut time.starting, prepared.elapsed());

    // After a full refresh the same STATE is another one: that of this tap.
    let kept = before.clone().filter(|_| plan.identity.full_refresh == FullRefresh::No);
    let mut relaying = Relaying { plan, deadline, shutdown, book, private: &private, keeper, before, kept };
    let result = relaying.drive(&mut tap, &mut target, input).await;
    // It goes with the tap.
    config.look();
    book.tap_said(tap.end(plan.limits.grace).await);
    book.target_said(target.end(plan.limits.grace).await);
    if result.is_ok() {
        book.all_relayed_is_written();
    }
    result
}

struct Relaying<'a> {
    plan: &'a RunPlan,
    deadline: Option<Instant>,
    shutdown: &'a mut Shutdown,
    book: &'a Book,
    private: &'a PrivateFolder,
    /// Keeps the STATE, which the target does not.
    keeper: Box<dyn Target>,
    /// The STATE at the start.
    before: Option<State>,
    /// The STATE that is kept.
    kept: Option<State>,
}

impl Relaying<'_> {
    /// Passes lines on and waits for whatever comes first, until both sides have ended.
    async fn drive(
        &mut self,
        tap: &mut Process,
        target: &mut Process,
        input: OwnedFd,
    ) -> Result<(), RunError> {
        let limits = &self.plan.limits;
        let mut states = target_output::listen(target.take_stdout().ok_or(RunError::Bug)?);
        let (mut reader, mut events) = self.start(tap, input)?;
        let mut ending = Ending::default();
        let (mut says_states, before) = (false, self.book.commits());
        while !ending.is_over() {
            if std::mem::take(&mut ending.stops) {
                reader.stop();
                tap.terminate();
            }
            tokio::select! {
                biased;
                // 1. A person outranks everything: the first signal stops in order, the second at once.
                Some(signal) = self.shutdown.recv() => {
                    if ending.signals > 0 {
                        tap.kill();
                        target.kill();
                        return Err(RunError::Cancelled(signal));
                    }
                    self.signalled(signal, &mut ending, tap);
                }
                // 2. The deadline, for the target too that does not come to its end.
                () = until(self.deadline), if ending.cause.is_none() => {
                    ending.begin(RunError::Timeout(limits.timeout.unwrap_or_default()), limits);
                }
                // 3. Who does not end when asked to must not hold up the rest.
                () = until(ending.kill_at) => {
                    ending.kill_at = None;
                    tap.kill();
                    if ending.kills_target() {
                        target.kill();
                    }
                }
                // 4. What the target says is kept as it comes.
                state = states.recv(), if !ending.states_ended => match state {
                    Some(state) => {
                        if let Err(error) = self.keep(newest(state, &mut states)).await { ending.begin(error, limits) }
                    }
                    None => ending.states_ended = true,
                },
                () = until(ending.quiet_at), if !ending.states_ended => ending.states_ended = true,
                event = events.recv(), if !ending.events_ended => match event {
                    Some(event) => {
                        says_states |= event == RelayEvent::State;
                        self.book.relay_event(event);
                    }
                    None => ending.events_ended = true,
                },
                // 5. How reading ended, before the exits that follow from it.
                outcome = &mut reader.outcome, if ending.reading.is_none() => {
                    ending.read(self.book.has_read(outcome.map_err(|_| RunError::Bug)?), limits);
                }
                // 6. The tap's exit: when it failed, it did so before the target that fails after it.
                exit = tap.exit(), if ending.tap.is_none() => {
                    self.book.tell(&exit.event(Side::Tap));
                    reader.tap_exited();
                    ending.tap_exited(exit, limits);
                }
                () = until(ending.exit_by), if ending.tap.is_none() && ending.cause.is_none() => {
                    ending.begin(TapFailure::Lingering(limits.grace).into(), limits);
                }
                // 7. The target's exit.
                exit = target.exit(), if ending.target.is_none() => {
                    self.book.tell(&exit.event(Side::Target));
                    ending.target_exited(exit, limits);
                }
            }
        }
        if says_states && self.book.commits() == before {
            tracing::warn!("the target printed no STATE: the next run begins where this one did");
        }
        let joined = tokio::task::spawn_blocking(move || reader.join()).await.unwrap_or(false);
        if joined { ending.judge() } else { Err(RunError::Bug) }
    }

    /// The first signal: a tap that goes on for ever is asked to end, any other run is stopped.
    fn signalled(&self, signal: StopSignal, ending: &mut Ending, tap: &Process) {
        ending.signals += 1;
        if self.plan.continuous {
            tap.terminate();
            ending.ask(signal, &self.plan.limits);
        } else {
            ending.begin(RunError::Cancelled(signal), &self.plan.limits);
        }
    }

    /// Starts to pass lines on.
    fn start(
        &self,
        tap: &mut Process,
        input: OwnedFd,
    ) -> Result<(Reader, mpsc::Receiver<RelayEvent>), RunError> {
        let output = tap.take_stdout().ok_or(RunError::Bug)?;
        let (sender, events) = mpsc::channel(CHANNEL_EVENTS);
        let limits = &self.plan.limits;
        let relay = Relay::new(limits.decode.line_bytes, self.plan.rules.clone());
        let silence = Silence { longest: limits.idle_timeout, elsewhere: tap.activity() };
        let reader = Reader::relay(Ends { output, input }, relay, sender, silence);
        let reader = reader.map_err(RunError::machine("start the relay thread for", self.private.path()))?;
        Ok((reader, events))
    }

    /// Keeps a STATE that the target printed, and tells the tap of it.
    async fn keep(&mut self, state: State) -> Result<(), RunError> {
        let state = (self.plan.commit_edit)(state, self.before.as_ref())?;
        if self.kept.as_ref() == Some(&state) {
            return Ok(());
        }
        let checkpoint = Checkpoint { state: StateChange::Set(state.as_str().into()) };
        let sequence = self.keeper.commit(&checkpoint).await?.sequence;
        committed_file::tell(self.private.path(), &state);
        self.book.state_kept(&state, sequence);
        self.kept = Some(state);
        Ok(())
    }
}

/// The last of the STATEs that wait.
fn newest(state: State, states: &mut mpsc::Receiver<State>) -> State {
    let mut newest = state;
    while let Ok(later) = states.try_recv() {
        newest = later;
    }
    newest
}
