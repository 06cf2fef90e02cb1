//! A source, its config, and what comes of running the tap on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with a source.
pub(crate) struct Scene {
    folder: TempDir,
    config: Value,
    state: Option<Value>,
}

/// How the tap ended.
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    /// Its messages.
    pub(crate) said: Vec<Value>,
    pub(crate) text: String,
    pub(crate) stderr: String,
}

impl Scene {
    /// A source that offers these streams.
    pub(crate) fn new(streams: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("source.py"), include_str!("source.py")).unwrap();
        let catalog = json!({ "type": "CATALOG", "catalog": { "streams": streams } });
        let config = json!({ "discover": [catalog], "read": [], "token": "hunter2" });
        Self { folder, config, state: None }
    }

    /// What it says when it is to read.
    pub(crate) fn reads(mut self, says: &[Value]) -> Self {
        self.config["read"] = json!(says);
        self
    }

    pub(crate) fn set(mut self, key: &str, value: Value) -> Self {
        self.config[key] = value;
        self
    }

    /// The STATE to go on from.
    pub(crate) fn from(mut self, state: Value) -> Self {
        self.state = Some(state);
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str, value: &Value) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, value.to_string()).unwrap();
        path
    }

    /// The tap with these further words.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tap-airbyte"));
        let source = self.path().join("source.py");
        command.args(["--command=python3", &format!("--command={}", source.display())]);
        command.arg("--config").arg(self.file("config.json", &self.config));
        if let Some(state) = &self.state {
            command.arg("--state").arg(self.file("state.json", state));
        }
        command.args(words).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Outcome {
        outcome(self.command(words).output().unwrap())
    }

    /// A file that the source was given for its last word.
    pub(crate) fn given(&self, word: &str, file: &str) -> Option<Value> {
        let seen: Value =
            serde_json::from_slice(&fs::read(self.path().join(format!("{word}.json"))).unwrap()).unwrap();
        seen.get(file).map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap())
    }

    /// The words that the source was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.path().join("asked")).unwrap_or_default();
        asked.lines().map(str::to_owned).collect()
    }
}

pub(crate) fn outcome(output: Output) -> Outcome {
    let text = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = text.lines().map_while(|line| serde_json::from_str(line).ok()).collect();
    Outcome { code: output.status.code(), said, text, stderr }
}

impl Outcome {
    /// What it said, short: `RECORD users 1`, `STATE`, `ACTIVATE_VERSION users`; SCHEMA left out.
    pub(crate) fn told(&self) -> Vec<String> {
        let short = |message: &Value| {
            let stream = message["stream"].as_str().unwrap_or_default();
            let id = message["record"]["id"].as_u64().map(|id| id.to_string()).unwrap_or_default();
            format!("{} {stream} {id}", message["type"].as_str().unwrap()).trim().to_owned()
        };
        self.said.iter().map(short).filter(|line| !line.starts_with("SCHEMA")).collect()
    }

    /// The last STATE.
    pub(crate) fn state(&self) -> Value {
        let mut states = self.said.iter().filter(|message| message["type"] == "STATE");
        states.next_back().expect("a STATE")["value"].clone()
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.text, self.stderr);
        self
    }
}

/// An `AirbyteStream` with an `id`.
pub(crate) fn stream(name: &str, modes: &[&str]) -> Value {
    json!({
        "name": name,
        "json_schema": { "type": "object", "properties": { "id": { "type": "integer" } } },
        "supported_sync_modes": modes,
        "source_defined_cursor": true,
        "is_resumable": true,
    })
}

/// The same with `id` as its key.
pub(crate) fn keyed(name: &str, modes: &[&str]) -> Value {
    let mut stream = stream(name, modes);
    stream["source_defined_primary_key"] = json!([["id"]]);
    stream
}

pub(crate) const BOTH: &[&str] = &["full_refresh", "incremental"];
pub(crate) const FULL: &[&str] = &["full_refresh"];

pub(crate) fn record(stream: &str, id: u64) -> Value {
    json!({ "type": "RECORD", "record": { "stream": stream, "data": { "id": id }, "emitted_at": 1_700_000_000_000_u64 } })
}

pub(crate) fn state(stream: &str, state: impl Into<Value>, count: impl Into<Option<u32>>) -> Value {
    let mut message = json!({ "type": "STATE", "state": {
        "type": "STREAM",
        "stream": { "stream_descriptor": { "name": stream }, "stream_state": state.into() },
    } });
    if let Some(count) = count.into() {
        message["state"]["sourceStats"] = json!({ "recordCount": f64::from(count) });
    }
    message
}

pub(crate) fn status(stream: &str, status: &str) -> Value {
    trace(
        json!({ "type": "STREAM_STATUS", "stream_status": { "stream_descriptor": { "name": stream }, "status": status } }),
    )
}

pub(crate) fn error(message: &str, failure_type: &str) -> Value {
    trace(
        json!({ "type": "ERROR", "error": { "message": message, "failure_type": failure_type, "stack_trace": "File x.py" } }),
    )
}

pub(crate) fn estimate(stream: &str, rows: f64) -> Value {
    trace(
        json!({ "type": "ESTIMATE", "estimate": { "type": "STREAM", "name": stream, "row_estimate": rows } }),
    )
}

fn trace(mut trace: Value) -> Value {
    trace["emitted_at"] = json!(1_700_000_000_000.5);
    json!({ "type": "TRACE", "trace": trace })
}
