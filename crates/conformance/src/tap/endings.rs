//! How a tap takes being asked to end, and a reader that is gone.

use rustix::process::Signal;
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, timeout};

use super::Started;
use super::rules::{CLOSED_PIPE, SIGTERM};
use crate::{Check, ConformanceError};

/// So much of the output waits unread until the tap is asked to end: the least that a pipe holds.
const PIPE_BYTES: usize = 4096;

/// Asks it to end once it has begun to talk, as a run does that is stopped, and reads on.
pub(super) async fn sigterm(tap: &Started<'_>) -> Result<Check, ConformanceError> {
    let mut process = tap.start(None)?;
    let Some(mut stdout) = process.stdout.take() else { return Ok(SIGTERM.skipped("it has no output")) };
    // A larger pipe only lets a small tap be done before.
    let _ = rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_BYTES);
    let mut bytes = vec![0; PIPE_BYTES];
    let begun = timeout(tap.limits.timeout, stdout.read(&mut bytes)).await;
    if !matches!(begun, Ok(Ok(count)) if count > 0) {
        return Ok(SIGTERM.skipped("it said nothing"));
    }
    process.signal(Signal::TERM);
    let asked = Instant::now();
    let reader =
        tokio::spawn(async move { while stdout.read(&mut bytes).await.is_ok_and(|count| count > 0) {} });
    let ended = process.end(tap.limits.grace).await;
    reader.abort();
    Ok(ended.obeys(&SIGTERM, tap.limits.grace, asked.elapsed()))
}

/// Closes its output at once.
pub(super) async fn closed_pipe(tap: &Started<'_>) -> Result<Check, ConformanceError> {
    let mut process = tap.start(None)?;
    drop(process.stdout.take());
    // It may work for a while before it writes for the first time.
    let longest = tap.limits.timeout.min(tap.limits.grace * 3);
    Ok(process.end(longest).await.gives_up(&CLOSED_PIPE, longest))
}
