//! How a target takes being asked to end, and a reader of its STATE that is gone.

use rustix::process::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout};

use super::feed::Feeder;
use super::rules::{CLOSED_STDOUT, SIGTERM};
use super::streams;
use crate::{Check, ConformanceError};

/// More than a pipe holds: once that is written the target has begun to read.
const RECORDS: usize = 4_000;

/// Asks it to end in the middle of its input.
pub(super) async fn sigterm(target: &Feeder<'_>) -> Result<Check, ConformanceError> {
    let mut process = target.start()?;
    let mut lines = streams::BLANK_LINES.lines();
    let (schema, record) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let input = format!("{schema}\n{}", format!("{record}\n").repeat(RECORDS));
    let mut stdin = process.stdin.take();
    if let Some(stdin) = &mut stdin {
        let written = timeout(target.limits.timeout, stdin.write_all(input.as_bytes())).await;
        if !matches!(written, Ok(Ok(()))) {
            return Ok(SIGTERM.skipped("it did not read its input"));
        }
    }
    process.signal(Signal::TERM);
    let asked = Instant::now();
    let ended = process.end(target.limits.grace).await;
    drop(stdin);
    Ok(ended.obeys(&SIGTERM, target.limits.grace, asked.elapsed()))
}

/// Closes its output before it has anything to say.
pub(super) async fn closed_stdout(target: &Feeder<'_>) -> Result<Check, ConformanceError> {
    let mut process = target.start()?;
    drop(process.stdout.take());
    if let Some(mut stdin) = process.stdin.take() {
        let _ = timeout(target.limits.timeout, stdin.write_all(streams::ALTERNATING.as_bytes())).await;
    }
    let longest = target.limits.timeout.min(target.limits.grace * 3);
    Ok(process.end(longest).await.gives_up(&CLOSED_STDOUT, longest))
}
