//! From the input to the last commit: reading, loading, the STATE on its way out, and who may stop it.

use std::os::fd::OwnedFd;
use std::pin::pin;
use std::time::Duration;

use target_api::{FullRefresh, RunIdentity, Target};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::state_lines::StateLines;
use super::{LoadSettings, ProgramError, log};
use crate::{
    Clock, DecodeLimits, Decoder, FilePlaces, LoadEvent, LoadFailure, LoadStart, LoadTime, Loaded,
    ReadOutcome, Reader, Reading, Rest, Silence, TapOutput, load,
};

/// Steps on their way from the decode thread to the load task. Small: each may be a whole batch.
const CHANNEL_STEPS: usize = 2;

/// Most bytes that may wait for a STATE: as in a run that says nothing else.
const MAX_STAGED: u64 = 20 << 30;

/// How long a tap may think: as good as for ever.
const SILENCE: Duration = Duration::from_hours(24 * 365);

/// What a tap that broke off looks like from here, and one that says no STATE at its end as well.
const DOUBT: &str = "what overwrites a table: if the tap did not end well, the table now lacks records until it is loaded again";

/// SIGINT and SIGTERM.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> ProgramError {
        let interrupt = tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.terminate.recv() => false,
        };
        ProgramError::Stopped { interrupt }
    }
}

/// Loads the input to its end.
pub(super) async fn load_input(
    target: &mut dyn Target,
    input: OwnedFd,
    settings: &LoadSettings,
    states: &StateLines,
    signals: &mut Signals,
) -> Result<(), ProgramError> {
    tokio::select! {
        biased;
        stopped = signals.next() => return Err(stopped),
        ready = prepare(target) => ready?,
    }
    let clock = Clock::start();
    let limits = DecodeLimits { batch_records: settings.batch_size_rows, ..DecodeLimits::default() };
    let decoder = Decoder::new(limits, target.capabilities().limits, settings.rules(), clock.now());
    let (sender, mut steps) = mpsc::channel(CHANNEL_STEPS);
    let tap = TapOutput {
        output: input,
        silence: Silence { longest: SILENCE, elsewhere: None },
        files: FilePlaces { roots: settings.batch_roots.clone(), ..FilePlaces::default() },
    };
    let mut reader = Reader::start(tap, decoder, sender, clock).map_err(ProgramError::Machine)?;
    let start = LoadStart { state: None, dirty: false, max_staged: MAX_STAGED };
    let report = |event: LoadEvent| {
        if let LoadEvent::Checkpointed { state: Some(state), .. } = event {
            states.write(&state);
        }
    };
    let mut cause: Option<ProgramError> = None;
    let mut read = None;
    let mut time = LoadTime::default();
    let loaded = {
        let mut load = pin!(load(&mut steps, target, start, &Ok, &report, &mut time));
        loop {
            tokio::select! {
                biased;
                // 1. A person, or whoever runs us: the first signal stops in order, the second at once.
                stopped = signals.next() => {
                    if matches!(cause, Some(ProgramError::Stopped { .. })) {
                        return Err(stopped);
                    }
                    cause.get_or_insert(stopped);
                    reader.stop();
                }
                // 2. Nobody takes the STATE any more.
                () = states.failed() => reader.stop(),
                // 3. How reading ended: it explains why the load ends.
                outcome = &mut reader.outcome, if read.is_none() => {
                    let ReadOutcome { how, records, .. } = outcome.map_err(|_| log::bug())?;
                    cause = cause.or(failure(how));
                    read = Some(records);
                }
                // 4. The load goes on by itself and ends last.
                loaded = &mut load => break loaded,
            }
        }
    };
    steps.close();
    while steps.try_recv().is_ok() {}
    reader.stop();
    if read.is_none()
        && let Ok(ReadOutcome { how, records, .. }) = (&mut reader.outcome).await
    {
        cause = cause.or(failure(how).filter(|_| loaded.is_ok()));
        read = Some(records);
    }
    if !tokio::task::spawn_blocking(move || reader.join()).await.unwrap_or(false) {
        return Err(log::bug());
    }
    let cause = cause.or_else(|| states.error().map(ProgramError::Output));
    if let Some(rest) = rest(loaded, cause)? {
        for stream in &rest.uncovered {
            tracing::warn!(%stream, "the input ended after the tap's last STATE with {DOUBT}");
        }
        report(rest.commit(target).await?);
        states.error().map_or(Ok(()), |error| Err(ProgramError::Output(error)))?;
    }
    tracing::info!("{} records are loaded", read.unwrap_or_default());
    Ok(())
}

/// Verifies settings and rights, and says that the STATE is kept elsewhere.
async fn prepare(target: &mut dyn Target) -> Result<(), ProgramError> {
    target.check().await?;
    target.resume(&identity()).await?;
    Ok(())
}

/// No pipeline, no fence, no STATE.
fn identity() -> RunIdentity {
    RunIdentity {
        environment: String::new(),
        pipeline: String::new(),
        shard: String::new(),
        tap: String::new(),
        run: format!("process-{}", std::process::id()),
        full_refresh: FullRefresh::No,
        takes_over: false,
        keeps_state: false,
    }
}

/// The failure that an end of reading is, unless it is none or has its cause elsewhere.
fn failure(how: Reading) -> Option<ProgramError> {
    match how {
        Reading::Ended | Reading::Stopped | Reading::HungUp | Reading::Silent => None,
        Reading::Refused(error) => Some(error.into()),
        Reading::Broken(error) => Some(ProgramError::Broken(error)),
    }
}

/// What is left to commit where the input ended whole, or the one cause that is told.
fn rest(
    loaded: Result<Loaded, LoadFailure>,
    cause: Option<ProgramError>,
) -> Result<Option<Rest>, ProgramError> {
    match (loaded, cause) {
        (_, Some(cause)) => Err(cause),
        (Err(error), None) => Err(error.into()),
        (Ok(Loaded::Stopped), None) => Err(log::bug()),
        (Ok(Loaded::AtEnd(rest)), None) => Ok(rest),
    }
}
