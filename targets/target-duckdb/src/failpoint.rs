//! Points on the commit's edges, where a test may stop the run, kill it, or make it fail.

use target_api::Result;

/// Does nothing unless the crate is built with the feature `failpoints`.
#[cfg(not(feature = "failpoints"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature it fails")]
pub(crate) fn failpoint(_name: &str, _pipeline: &str) -> Result<()> {
    Ok(())
}

/// Does what the test configured; `return` fails here. The configuration may name a pipeline (`return(name)`), so
/// that tests in one process do not meet.
#[cfg(feature = "failpoints")]
pub(crate) fn failpoint(name: &str, pipeline: &str) -> Result<()> {
    fail::fail_point!(name, |named: Option<String>| {
        if named.is_some_and(|named| named != pipeline) {
            return Ok(());
        }
        Err(target_api::TargetError::temporary(crate::error::STATEMENT, format!("failpoint {name}")))
    });
    Ok(())
}
