//! Events as JSON lines: into the run's log, and to stderr with `--log-format json`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{SecondsFormat, Utc};
use config::Secrets;
use runner::{Observer, RunEvent};
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Line {
    timestamp: String,
    #[serde(flatten)]
    event: Value,
}

/// The listener that writes the run's log at `path`. A log that cannot be written never fails a run.
pub(crate) fn run_log(path: &Path, secrets: &Secrets) -> Observer {
    match OpenOptions::new().create(true).append(true).mode(0o600).open(path) {
        Ok(file) => lines(file, secrets.clone()),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the run's log is not kept");
            Arc::new(|_| {})
        }
    }
}

/// The listener that writes to stderr.
pub(crate) fn json_lines(secrets: &Secrets) -> Observer {
    lines(io::stderr(), secrets.clone())
}

fn lines(out: impl Write + Send + 'static, secrets: Secrets) -> Observer {
    let out = Mutex::new(out);
    Arc::new(move |event: &RunEvent| {
        let timestamp = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let Ok(mut event) = serde_json::to_value(event) else { return };
        redact(&mut event, &secrets);
        let Ok(mut line) = serde_json::to_string(&Line { timestamp, event }) else { return };
        line.push('\n');
        if let Ok(mut out) = out.lock() {
            let _ = out.write_all(line.as_bytes());
        }
    })
}

/// Texts alone: a number or a word of JSON that is starred out would be no JSON.
fn redact(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::String(text) => *text = secrets.redact(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, secrets)),
        Value::Object(members) => members.values_mut().for_each(|member| redact(member, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
