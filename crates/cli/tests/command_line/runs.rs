//! Runs of the program itself, with taps of a few lines of shell into files.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, iter};

use crate::harness::{document, tapster};

/// Two greetings without a key, and the same again each time.
const GREETINGS: &str = r#"
cat <<'END'
{"type":"SCHEMA","stream":"greetings","schema":{"type":"object","properties":{"text":{"type":"string"}}},"key_properties":[]}
{"type":"RECORD","stream":"greetings","record":{"text":"good morning"}}
{"type":"RECORD","stream":"greetings","record":{"text":"good night"}}
{"type":"STATE","value":{"bookmarks":{"greetings":{"n":2}}}}
END
"#;

/// A project in which each pipeline runs its own script without discovery.
fn project(pipelines: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("pipelines")).unwrap();
    for (name, script) in pipelines {
        fs::write(folder.path().join(format!("{name}.sh")), script).unwrap();
        pipeline(folder.path(), name, "");
    }
    folder
}

/// Writes the pipeline of a script, with more lines behind.
fn pipeline(folder: &Path, name: &str, more: &str) {
    let text = format!(
        "tap: {{ command: [sh, {name}.sh], catalog: false }}\n\
         target: {{ name: target-jsonl, config: {{ path: out }} }}\n\
         defaults: {{ target_table: \"{name}_{{stream}}\" }}\n{more}"
    );
    fs::write(folder.join(format!("pipelines/{name}.yml")), text).unwrap();
}

#[test]
fn a_tap_without_discovery_is_not_asked_for_a_catalog() {
    let asked = "[ \"$*\" = \"${*#*--discover}\" ] && [ \"$*\" = \"${*#*--catalog}\" ] || exit 9\n";
    let folder = project(&[("a", &format!("{asked}{GREETINGS}"))]);
    let run = document(folder.path(), &["run", "a", "--json"]);
    assert_eq!(run["streams"][0]["records_written"], 2, "{run}");
}

#[test]
fn a_signal_stops_all_of_several_runs_and_starts_no_more() {
    let hanging = format!("{GREETINGS}exec sleep 1000");
    let folder = project(&[("a", &hanging), ("b", &hanging), ("c", GREETINGS)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_tapster"))
        .args(["run", "a", "b", "c", "--json", "--log-format", "json"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let open = lines.by_ref().filter(|line| line.contains("table_opened")).take(2).count();
    assert_eq!(open, 2);
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    lines.for_each(drop);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes: Vec<_> = told.as_array().unwrap().iter().map(|one| one["exit_code"].clone()).collect();
    assert_eq!(codes, [143.into(), 143.into(), serde_json::Value::Null]);
    let runs = document(folder.path(), &["runs", "list", "--json"]);
    let ended: Vec<_> = runs.as_array().unwrap().iter().map(|run| run["status"].clone()).collect();
    assert_eq!(ended, iter::repeat_n("cancelled", 2).collect::<Vec<_>>());
}

#[test]
fn several_runs_are_one_document_with_that_of_each() {
    let folder = project(&[("a", GREETINGS), ("b", "exit 3")]);
    let output = tapster(folder.path(), &["run", "--all", "--json"]);
    assert_eq!(output.status.code(), Some(76));
    let both: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(both[0]["result"]["streams"][0]["records_written"], 2);
    assert_eq!(both[1]["result"]["error"]["code"], "E0401");
}
