//! One run, from the locked state row to the last commit. The page to read first.

use std::ffi::OsString;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use load::{Clock, Decoder, LoadStart, LoadTime, Loaded, Reader, Reading, Rest, Silence, TapOutput, load};
use singer::State;
use target_api::{FullRefresh, Target};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::private_folder::{CATALOG, PrivateFolder, STATE};
use crate::process::{Process, ProcessExit};
use crate::relay::relay;
use crate::supervise::Book;
use crate::{
    Observer, RunError, RunEvent, RunPlan, RunSummary, Shutdown, Side, StopSignal, TapFailure, committed_file,
};

/// Steps on their way from the decode thread to the load task. Small: each may be a whole batch.
const CHANNEL_STEPS: usize = 2;

/// Runs the plan to its end. After a temporary error of the target, or when the tap asks for it by exit code 75, the
/// tap starts again from the committed STATE, as often as the plan allows.
pub async fn run(plan: &RunPlan, shutdown: &mut Shutdown, observer: &Observer) -> RunSummary {
    let book = Book::new(observer, plan.started);
    let deadline = plan.limits.timeout.map(|timeout| Instant::from(plan.started) + timeout);
    let mut plan = plan.clone();
    let mut waits = plan.limits.attempts.0.clone().into_iter();
    for attempt in 1.. {
        let commits = book.commits();
        let Err(error) = Box::pin(attempt_once(&plan, attempt, deadline, shutdown, &book)).await else {
            break;
        };
        book.roll_back();
        if book.commits() > commits {
            // It got further: the tables are emptied once, and patience begins anew.
            plan.identity.full_refresh = FullRefresh::No;
            plan.start_edit = Arc::new(|state| Ok(Some(state)));
            waits = plan.limits.attempts.0.clone().into_iter();
        }
        let Some(wait) = waits.next().filter(|_| error.is_temporary()) else {
            return book.close(Some(error));
        };
        book.tell(&RunEvent::Retrying { error: error.to_string(), code: error.code(), wait });
        tokio::select! {
            Some(signal) = shutdown.recv() => return book.close(Some(RunError::Cancelled(signal))),
            () = tokio::time::sleep(wait) => {}
        }
        book.spend(|time| &mut time.pausing, wait);
    }
    book.close(None)
}

/// Takes the fence, runs the tap once, commits.
async fn attempt_once(
    plan: &RunPlan,
    attempt: usize,
    deadline: Option<Instant>,
    shutdown: &mut Shutdown,
    book: &Book,
) -> Result<(), RunError> {
    if let Some(command) = &plan.relay {
        return relay(plan, (command, attempt), deadline, shutdown, book).await;
    }
    let mut target = (plan.target)()?;
    let state = tokio::select! {
        biased;
        Some(signal) = shutdown.recv() => return Err(RunError::Cancelled(signal)),
        state = book.timed(|time| &mut time.connecting, prepare(&mut *target, plan)) => state?,
    };
    let prepared = Instant::now();
    book.resumed(state.as_ref().map(State::as_str));
    let start = plan.start(state.clone())?;

    let name = format!("{}-{attempt}", plan.identity.run);
    let private = PrivateFolder::create(&plan.tap.private, &name)?;
    let config = private.write_config(&plan.tap.config)?.watch();
    let arguments = tap_arguments(plan, &private, config.path(), start.as_ref())?;
    let mut tap_command = committed_file::told_of(plan, private.path());
    tap_command.env.push(("TAPSTER_RUN_FOLDER".into(), private.path().into()));
    let mut tap = Process::start(&tap_command, private.path(), &arguments).await?;
    book.tell(&RunEvent::TapStarted { pid: tap.pid, attempt });
    book.spend(|time| &mut time.starting, prepared.elapsed());

    let mut run = Running { plan, deadline, shutdown, book, private: &private };
    let result = run.drive(&mut tap, &mut *target, state).await;
    // It goes with the tap.
    config.look();
    let said = tap.end(plan.limits.grace).await;
    book.tap_said(said);
    result
}

/// Preflight, then the fence and the STATE.
pub(crate) async fn prepare(target: &mut dyn Target, plan: &RunPlan) -> Result<Option<State>, RunError> {
    target.check().await?;
    let state = target.resume(&plan.identity).await?;
    Ok(state.map(|text| State::parse(&text)).transpose()?)
}

pub(crate) fn tap_arguments(
    plan: &RunPlan,
    private: &PrivateFolder,
    config: &Path,
    state: Option<&State>,
) -> Result<Vec<OsString>, RunError> {
    let mut arguments: Vec<OsString> = vec!["--config".into(), config.into()];
    if let Some(catalog) = &plan.catalog {
        let path = private.write(CATALOG, catalog)?;
        for flag in &plan.flags.catalog {
            arguments.extend([(*flag).into(), path.clone().into()]);
        }
    }
    if let Some(state) = state {
        arguments.extend(["--state".into(), private.write(STATE, state.as_str())?.into()]);
        committed_file::replace(private.path(), state.as_str())
            .map_err(RunError::machine("write", private.path()))?;
    }
    Ok(arguments)
}

/// What an attempt needs while the tap runs.
struct Running<'a> {
    plan: &'a RunPlan,
    deadline: Option<Instant>,
    shutdown: &'a mut Shutdown,
    book: &'a Book,
    private: &'a PrivateFolder,
}

impl Running<'_> {
    /// Starts the decode thread, drives the load task, and waits for whatever comes first.
    async fn drive(
        &mut self,
        tap: &mut Process,
        target: &mut dyn Target,
        before: Option<State>,
    ) -> Result<(), RunError> {
        let plan = self.plan;
        let clock = Clock::start();
        let decoder = Decoder::new(
            plan.limits.decode.clone(),
            target.capabilities().limits,
            plan.rules.clone(),
            clock.now(),
        );
        let (sender, mut steps) = mpsc::channel(CHANNEL_STEPS);
        let output = tap.take_stdout().ok_or(RunError::Bug)?;
        let tap_output = TapOutput {
            output,
            silence: Silence { longest: plan.limits.idle_timeout, elsewhere: tap.activity() },
            files: self.private.file_places(&plan.tap.batch_roots),
        };
        let reader = Reader::start(tap_output, decoder, sender, clock);
        let mut reader =
            reader.map_err(RunError::machine("start the decode thread for", self.private.path()))?;
        let start = LoadStart {
            state: before.clone(),
            dirty: plan.identity.full_refresh != FullRefresh::No,
            max_staged: plan.limits.max_staged,
        };
        let to_commit = plan.edit(before);
        let report = reporter(self.book, self.private);
        let mut time = LoadTime::default();
        let (loaded, stop) = {
            let mut load = pin!(load(&mut steps, target, start, &*to_commit, &report, &mut time));
            let mut stop = Stop::default();
            loop {
                tokio::select! {
                    biased;
                    // 1. A person outranks everything: the first signal stops in order, the second at once.
                    Some(signal) = self.shutdown.recv() => {
                        if stop.signals > 0 {
                            return Err(RunError::Cancelled(signal));
                        }
                        stop.signalled(signal, plan, &mut reader, tap);
                    }
                    // 2. The deadline, before more work is taken on.
                    () = until(self.deadline), if stop.cause.is_none() => {
                        let timeout = plan.limits.timeout.unwrap_or_default();
                        stop.begin(RunError::Timeout(timeout), plan, &mut reader, tap);
                    }
                    // 3. A tap that does not end when asked to must not hold up the rest.
                    () = until(stop.kill_at) => {
                        stop.kill_at = None;
                        tap.kill();
                    }
                    // 4. How reading ended: it explains why the load ends.
                    outcome = &mut reader.outcome, if stop.reading.is_none() => {
                        stop.read(self.book.has_read(outcome.map_err(|_| RunError::Bug)?), plan, &mut reader, tap);
                    }
                    // 5. The tap's exit is only noted: what it wrote is still in the pipe.
                    exit = tap.exit(), if stop.exit.is_none() => {
                        stop.exit = Some(exit);
                        reader.tap_exited();
                        self.book.tell(&exit.event(Side::Tap));
                    }
                    // 6. The load goes on by itself and ends last.
                    loaded = &mut load => break (loaded, stop),
                }
            }
        };
        self.book.load_time(&time);
        steps.close();
        while steps.try_recv().is_ok() {}
        let stop = stop.finish(plan, self.book, &mut reader, loaded.is_ok()).await;
        if !tokio::task::spawn_blocking(move || reader.join()).await.unwrap_or(false) {
            return Err(RunError::Bug);
        }
        self.judge(loaded, stop, tap, target).await
    }

    /// Success, or the one cause that is told.
    async fn judge(
        &self,
        loaded: Result<Loaded, load::LoadFailure>,
        stop: Stop,
        tap: &mut Process,
        target: &mut dyn Target,
    ) -> Result<(), RunError> {
        if let Some(signal) = stop.asked {
            return self.judge_asked(signal, loaded, stop.cause, tap).await;
        }
        match (loaded, stop.cause) {
            (_, Some(RunError::Decode(error @ load::DecodeError::Truncated { .. }))) => {
                // The tap was cut off: its exit says more, when it is a bad one.
                let exit = tap.exit_within(self.plan.limits.grace).await;
                let failure = exit.and_then(|exit| exit.failure(Some(stop.records)));
                Err(failure.map_or(RunError::Decode(error), RunError::Tap))
            }
            (_, Some(cause)) => Err(cause),
            (Err(failure), None) => Err(failure.into()),
            (Ok(Loaded::Stopped), None) => Err(RunError::Bug),
            (Ok(Loaded::AtEnd(rest)), None) => {
                self.conclude(tap, stop.records).await?;
                match rest {
                    Some(rest) => self.commit_rest(rest, target).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// A tap that goes on for ever was asked to end. What it said last is committed up to its last STATE; what came
    /// behind that is dropped: it comes again.
    async fn judge_asked(
        &self,
        signal: StopSignal,
        loaded: Result<Loaded, load::LoadFailure>,
        cause: Option<RunError>,
        tap: &mut Process,
    ) -> Result<(), RunError> {
        match (loaded, cause) {
            (Err(failure), None) => return Err(failure.into()),
            // A tap that ends in the midst of a line was asked to.
            (_, Some(cause)) if !matches!(cause, RunError::Decode(load::DecodeError::Truncated { .. })) => {
                return Err(cause);
            }
            _ => {}
        }
        let exit = tap.exit_within(self.plan.limits.grace).await;
        if exit == Some(ProcessExit::Code(0)) { Ok(()) } else { Err(RunError::Cancelled(signal)) }
    }

    /// The stream was whole: the tap's exit decides whether what came after the last STATE is committed.
    async fn conclude(&self, tap: &mut Process, records: u64) -> Result<(), RunError> {
        let grace = self.plan.limits.grace;
        let exit = self.book.timed(|time| &mut time.waiting_for_tap, tap.exit_within(grace)).await;
        let exit = exit.ok_or(TapFailure::Lingering(grace))?;
        exit.failure(Some(records)).map_or(Ok(()), |failure| Err(failure.into()))
    }

    /// Commits what had to wait for the tap's success: all after the last STATE, and all of tables that are overwritten.
    async fn commit_rest(&self, rest: Rest, target: &mut dyn Target) -> Result<(), RunError> {
        let committed = self.book.timed(|time| &mut time.committing, rest.commit(target)).await?;
        self.book.load_event(committed);
        Ok(())
    }
}

/// Notes what the load says, and tells the tap what was committed.
fn reporter<'a>(book: &'a Book, private: &PrivateFolder) -> impl Fn(load::LoadEvent) + Send + Sync + use<'a> {
    let folder = private.path().to_owned();
    move |event| {
        if let load::LoadEvent::Checkpointed { state: Some(state), .. } = &event {
            committed_file::tell(&folder, state);
        }
        book.load_event(event);
    }
}

/// Why and how far a run is being stopped. The first cause is the one that is told.
#[derive(Default)]
struct Stop {
    cause: Option<RunError>,
    /// Which signal has asked a tap to end that goes on for ever: it is read to its end.
    asked: Option<StopSignal>,
    signals: u32,
    kill_at: Option<Instant>,
    reading: Option<()>,
    exit: Option<ProcessExit>,
    records: u64,
}

impl Stop {
    fn begin(&mut self, cause: RunError, plan: &RunPlan, reader: &mut Reader, tap: &Process) {
        if self.cause.is_none() {
            self.cause = Some(cause);
        }
        reader.stop();
        tap.terminate();
        self.kill_at.get_or_insert(Instant::now() + plan.limits.grace);
    }

    /// The first signal: a tap that goes on for ever is asked to end, any other run is stopped.
    fn signalled(&mut self, signal: StopSignal, plan: &RunPlan, reader: &mut Reader, tap: &Process) {
        self.signals += 1;
        if !plan.continuous {
            return self.begin(RunError::Cancelled(signal), plan, reader, tap);
        }
        self.asked = Some(signal);
        tap.terminate();
        self.kill_at.get_or_insert(Instant::now() + plan.limits.grace);
    }

    /// Draws the conclusion from how reading ended.
    fn read(&mut self, outcome: (Reading, u64), plan: &RunPlan, reader: &mut Reader, tap: &Process) {
        let (how, records) = outcome;
        (self.reading, self.records) = (Some(()), records);
        match cause(how, plan) {
            None => {}
            // The tap has closed its output already: its exit is about to say more.
            Some(error @ RunError::Decode(load::DecodeError::Truncated { .. })) => {
                self.cause.get_or_insert(error);
            }
            Some(error) => self.begin(error, plan, reader, tap),
        }
    }

    /// The load has ended: what the reader said, if that was not heard yet. A failed load came first.
    async fn finish(mut self, plan: &RunPlan, book: &Book, reader: &mut Reader, loaded: bool) -> Self {
        reader.stop();
        if self.reading.is_none()
            && let Ok(outcome) = (&mut reader.outcome).await
        {
            let (how, records) = book.has_read(outcome);
            self.records = records;
            self.cause = self.cause.or(cause(how, plan).filter(|_| loaded));
        }
        self
    }
}

/// The failure that an end of reading is, unless it is none or has its cause elsewhere.
fn cause(how: Reading, plan: &RunPlan) -> Option<RunError> {
    match how {
        // `Stopped` has its cause already, or the load's own failure is about to give it.
        Reading::Ended | Reading::Stopped | Reading::HungUp => None,
        Reading::Refused(error) => Some(RunError::Decode(error)),
        Reading::Silent => Some(TapFailure::Silent(plan.limits.idle_timeout).into()),
        Reading::Broken(source) => {
            Some(RunError::Machine { what: "read the output of", path: "the tap".into(), source })
        }
    }
}

/// Waits for an instant; for ever without one.
pub(crate) async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
