//! The pipeline's lock, waited for as long as was asked for.

use std::time::{Duration, Instant};

use runner::StopSignal;
use store::{PipelineLock, PipelineName, RunId, Store, StoreError};

use crate::commands::in_runtime;
use crate::failure::Failure;
use crate::output::duration;

/// How often a waiting run looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Takes the lock at once, or waits up to `longest` for its holder to end, and says so once. A signal ends the wait.
pub(super) fn lock(
    store: &Store,
    key: &PipelineName,
    id: RunId,
    longest: Option<Duration>,
) -> Result<PipelineLock, Failure> {
    match (store.lock(key, id), longest) {
        (Err(StoreError::Busy { .. }), Some(longest)) if !longest.is_zero() => wait(store, key, id, longest),
        (Err(error @ StoreError::Busy { .. }), _) => {
            let hint = format!("`tapster run {} --wait 10m` waits for it", key.pipeline);
            Err(Failure { hint: Some(hint), ..error.into() })
        }
        (other, _) => Ok(other?),
    }
}

fn wait(store: &Store, key: &PipelineName, id: RunId, longest: Duration) -> Result<PipelineLock, Failure> {
    let started = Instant::now();
    let (mut told, mut stopped) = (false, None::<StopSignal>);
    let lock = in_runtime(async |signals| {
        Ok(store.lock_while(key, id, |holder| {
            if !told {
                let longest = duration(longest.as_secs_f64());
                tracing::info!(target: "tapster::wait", "waiting up to {longest} for {key}: it is held by {holder}");
                told = true;
            }
            let left = longest.saturating_sub(started.elapsed());
            std::thread::sleep(left.min(LOOK_AGAIN));
            stopped = signals.try_recv().ok();
            stopped.is_none() && !left.is_zero()
        }))
    })?;
    lock.map_err(|error| match stopped {
        // The person wants to go, not to know of the lock's rules: the signal's exit code, and who was waited for.
        Some(signal) => Failure {
            exit_code: signal.exit_code(),
            hint: Some("the wait for it was stopped; nothing was run".to_owned()),
            ..error.into()
        },
        None => error.into(),
    })
}
