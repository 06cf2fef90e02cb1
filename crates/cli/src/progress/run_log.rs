//! Events as JSON lines: into the run's log, and to stderr with `--log-format json`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{SecondsFormat, Utc};
use runner::{Observer, RunEvent};
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    #[serde(flatten)]
    event: &'a RunEvent,
}

/// The listener that writes the run's log at `path`. A log that cannot be written never fails a run.
pub(crate) fn run_log(path: &Path) -> Observer {
    match OpenOptions::new().create(true).append(true).mode(0o600).open(path) {
        Ok(file) => lines(file),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the run's log is not kept");
            Arc::new(|_| {})
        }
    }
}

/// The listener that writes to stderr.
pub(crate) fn json_lines() -> Observer {
    lines(io::stderr())
}

fn lines(out: impl Write + Send + 'static) -> Observer {
    let out = Mutex::new(out);
    Arc::new(move |event: &RunEvent| {
        let timestamp = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let Ok(mut line) = serde_json::to_vec(&Line { timestamp, event }) else { return };
        line.push(b'\n');
        if let Ok(mut out) = out.lock() {
            let _ = out.write_all(&line);
        }
    })
}
