//! Feeds a target one stream and keeps what it prints.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::ended::Ended;
use crate::process::Process;
use crate::program::config_arguments;
use crate::{ConformanceError, Limits, Program};

/// Most bytes of output that are kept.
const MOST_BYTES: u64 = 16 << 20;

/// What every start of the target has.
pub(super) struct Feeder<'a> {
    pub(super) program: &'a Program,
    pub(super) folder: &'a Path,
    pub(super) limits: Limits,
}

/// A target that was fed to the end of a stream.
pub(super) struct Fed {
    /// The stream.
    pub(super) input: String,
    /// The lines of its output that are not blank.
    pub(super) output: Vec<String>,
    pub(super) ended: Ended,
    /// How long it was waited for.
    pub(super) longest: Duration,
}

impl Feeder<'_> {
    pub(super) fn start(&self) -> Result<Process, ConformanceError> {
        Process::start(self.program, &config_arguments(self.program, self.folder)?, true)
    }

    pub(super) async fn feed(&self, input: String) -> Result<Fed, ConformanceError> {
        let mut process = self.start()?;
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let mut bytes = Vec::new();
        let write = async {
            if let Some(mut stdin) = stdin {
                // A target that has refused the stream does not read on.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let read = async {
            if let Some(stdout) = stdout {
                let _ = stdout.take(MOST_BYTES).read_to_end(&mut bytes).await;
            }
        };
        let longest = self.limits.timeout;
        let is_done = timeout(longest, async { tokio::join!(write, read) }).await.is_ok();
        let ended = process.end(if is_done { self.limits.grace } else { Duration::ZERO }).await;
        let output = String::from_utf8_lossy(&bytes);
        let output =
            output.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Ok(Fed { input, output, ended, longest })
    }
}
