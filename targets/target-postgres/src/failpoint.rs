//! Points on the commit's edges, where a test may stop the run, kill it, or act as if the connection was lost.

use target_api::Result;

use crate::state::Fence;

/// Does nothing unless the crate is built with the feature `failpoints`.
#[cfg(not(feature = "failpoints"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature it fails")]
pub(crate) fn failpoint(_name: &str, _fence: &Fence) -> Result<()> {
    Ok(())
}

/// Does what the test configured; `return` acts as if the connection was lost here. The configuration may name a
/// pipeline (`return(name)`), so that tests in one process do not meet.
#[cfg(feature = "failpoints")]
pub(crate) fn failpoint(name: &str, fence: &Fence) -> Result<()> {
    fail::fail_point!(name, |pipeline: Option<String>| {
        if pipeline.is_some_and(|pipeline| pipeline != fence.run.pipeline) {
            return Ok(());
        }
        Err(crate::error::lost("the server", &format!("failpoint {name}")))
    });
    Ok(())
}
