//! Projects whose taps are a few lines of shell.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Two greetings without a key, and the same again each time.
pub(crate) const GREETINGS: &str = r#"
cat <<'END'
{"type":"SCHEMA","stream":"greetings","schema":{"type":"object","properties":{"text":{"type":"string"}}},"key_properties":[]}
{"type":"RECORD","stream":"greetings","record":{"text":"good morning"}}
{"type":"RECORD","stream":"greetings","record":{"text":"good night"}}
{"type":"STATE","value":{"bookmarks":{"greetings":{"n":2}}}}
END
"#;

/// A project in which each pipeline runs its own script without discovery.
pub(crate) fn project(pipelines: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("pipelines")).unwrap();
    for (name, script) in pipelines {
        fs::write(folder.path().join(format!("{name}.sh")), script).unwrap();
        pipeline(folder.path(), name, "");
    }
    folder
}

/// Writes the pipeline of a script, with more lines behind.
pub(crate) fn pipeline(folder: &Path, name: &str, more: &str) {
    let text = format!(
        "tap: {{ command: [sh, {name}.sh], catalog: false }}\n\
         target: {{ name: target-jsonl, config: {{ path: out }} }}\n\
         defaults: {{ target_table: \"{name}_{{stream}}\" }}\n{more}"
    );
    fs::write(folder.join(format!("pipelines/{name}.yml")), text).unwrap();
}

/// A run that hangs after its STATE, with its table open; the guard ends it.
pub(crate) struct Hanging(pub(crate) std::process::Child);

impl Hanging {
    pub(crate) fn start(folder: &Path, name: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tapster"))
            .args(["run", name, "--log-format", "json"])
            .current_dir(folder)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains("tap_started")));
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
