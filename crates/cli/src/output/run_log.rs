use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use runner::RunEvent;
use serde::Serialize;
use serde_json::{Map, Value};

/// `run.log` of a run: one JSON object an event, with its time.
pub(crate) struct RunLog(Mutex<Option<File>>);

#[derive(Serialize)]
struct Line<'a> {
    time: DateTime<Utc>,
    #[serde(flatten)]
    event: &'a RunEvent,
}

impl RunLog {
    /// Opens the log. One that cannot be written never fails a run.
    pub(crate) fn open(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let file = file.inspect_err(|error| tracing::warn!(%error, "the run's log is not kept")).ok();
        Self(Mutex::new(file))
    }

    /// Writes one event.
    pub(crate) fn hear(&self, event: &RunEvent) {
        let Ok(mut line) = serde_json::to_vec(&Line { time: Utc::now(), event }) else { return };
        line.push(b'\n');
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if file.as_mut().is_some_and(|file| file.write_all(&line).is_err()) {
            *file = None;
        }
    }
}

/// The log's lines for people: `03:19:05 checkpointed sequence=7`. Other text stays as it is.
pub(crate) fn readable(log: &str) -> String {
    log.lines().map(|line| readable_line(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

fn readable_line(line: &str) -> Option<String> {
    let mut fields: Map<String, Value> = serde_json::from_str(line).ok()?;
    let time: DateTime<Utc> = fields.remove("time")?.as_str()?.parse().ok()?;
    let event = fields.remove("event")?;
    let mut text = format!("{} {}", time.format("%H:%M:%S"), event.as_str()?.replace('_', " "));
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        match value {
            Value::String(words) => text.push_str(&format!(" {name}={words}")),
            other => text.push_str(&format!(" {name}={other}")),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use runner::RunEvent;

    use super::{RunLog, readable};

    #[test]
    fn events_are_kept_as_json_and_read_as_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.log");
        let log = RunLog::open(&path);
        log.hear(&RunEvent::Resumed { state: None });
        log.hear(&RunEvent::Checkpointed { state: Some("{\"a\":1}".into()), sequence: 7 });
        let kept = std::fs::read_to_string(&path).unwrap();
        assert!(kept.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
        let text: Vec<_> = readable(&kept).lines().map(|line| line[9..].to_owned()).collect();
        assert_eq!(text, ["resumed", "checkpointed sequence=7 state={\"a\":1}"]);
    }

    #[test]
    fn what_is_no_event_stays_as_it_is() {
        assert_eq!(readable("started\n{\"a\":1}\n"), "started\n{\"a\":1}\n");
    }
}
