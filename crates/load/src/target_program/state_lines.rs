//! STATE values on stdout.

use std::io::{self, Write};
use std::sync::Mutex;

use singer::State;
use tokio::sync::Notify;

/// Where STATE values go. What they cover must be durable before.
pub(super) struct StateLines {
    out: Mutex<Box<dyn Write + Send>>,
    error: Mutex<Option<io::Error>>,
    failed: Notify,
}

impl StateLines {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out), error: Mutex::new(None), failed: Notify::new() }
    }

    /// Writes one value, as the tap wrote it, and a line feed. Blocks while nobody reads, and with it the load.
    pub(super) fn write(&self, state: &State) {
        let mut line = state.as_str().to_owned();
        line.push('\n');
        let Ok(mut out) = self.out.lock() else { return };
        // In one piece: a line that is half written when the process is killed must be rare.
        if let Err(error) = out.write_all(line.as_bytes()).and_then(|()| out.flush())
            && let Ok(mut kept) = self.error.lock()
        {
            kept.get_or_insert(error);
            self.failed.notify_one();
        }
    }

    /// Waits until a write fails; for ever when none does.
    pub(super) async fn failed(&self) {
        self.failed.notified().await;
    }

    /// The first error.
    pub(super) fn error(&self) -> Option<io::Error> {
        self.error.lock().ok()?.take()
    }
}
