//! A folder with files, and the tap run in it.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

pub(crate) struct Folder(tempfile::TempDir);

/// What a run of the tap said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) messages: Vec<Value>,
    pub(crate) log: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), bytes).unwrap();
    }

    pub(crate) fn append(&self, name: &str, text: &str) {
        let mut file = fs::OpenOptions::new().append(true).open(self.path().join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn gzip(&self, name: &str, text: &str) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        self.write(name, encoder.finish().unwrap());
    }

    /// Makes the file look as if it had been written an hour ago.
    pub(crate) fn age(&self, name: &str) {
        let file = fs::OpenOptions::new().append(true).open(self.path().join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_hours(1)).unwrap();
    }

    /// Runs the tap with one entry for `files`, given as JSON without its braces.
    pub(crate) fn sync(&self, entry: &str, state: Option<&Value>) -> Said {
        self.write("config.json", format!(r#"{{"files":[{{{entry}}}],"state_every":3}}"#));
        let mut words = vec!["--config", "config.json"];
        if let Some(state) = state {
            self.write("state.json", state.to_string());
            words.extend(["--state", "state.json"]);
        }
        self.tap(&words)
    }

    pub(crate) fn tap(&self, words: &[&str]) -> Said {
        let output = self.run(words);
        let text = String::from_utf8(output.stdout).unwrap();
        let messages = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Said { code: output.status.code(), messages, log: String::from_utf8(output.stderr).unwrap() }
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        let program = env!("CARGO_BIN_EXE_tap-csv");
        Command::new(program).args(words).current_dir(self.path()).output().unwrap()
    }
}

impl Said {
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.log);
        self
    }

    /// The records, in order.
    pub(crate) fn records(&self) -> Vec<Value> {
        records(&self.messages)
    }

    /// The values of one column.
    pub(crate) fn column(&self, name: &str) -> Vec<Value> {
        self.records().into_iter().map(|mut record| record[name].take()).collect()
    }

    /// The value of the last STATE.
    pub(crate) fn state(&self) -> Value {
        let last = self.messages.iter().rfind(|message| message["type"] == "STATE");
        last.expect("a STATE")["value"].clone()
    }

    pub(crate) fn of_type(&self, kind: &str) -> Vec<&Value> {
        self.messages.iter().filter(|message| message["type"] == kind).collect()
    }
}

pub(crate) fn records(messages: &[Value]) -> Vec<Value> {
    messages
        .iter()
        .filter(|message| message["type"] == "RECORD")
        .map(|message| message["record"].clone())
        .collect()
}
