//! What the authors of taps and targets are told.

use std::fs;

use crate::harness::{document, tapster, told};

/// A tap of two records, the second without its key, that asks for nothing and never says where it stands.
const FORGETFUL: &str = r#"
case "$*" in *--discover*) echo '{"streams":[{"stream":"people","schema":{"properties":{"id":{}}}}]}'; exit;; esac
cat <<'END'
{"type":"SCHEMA","stream":"people","schema":{"type":"object","properties":{"id":{}}},"key_properties":["id"]}
{"type":"RECORD","stream":"people","record":{"id":"ada@example.com"}}
{"type":"RECORD","stream":"people","record":{}}
ada@example.com is done
END
"#;

fn with_script(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("program.sh"), script).unwrap();
    folder
}

#[test]
fn a_tap_s_faults_are_told_with_why_they_matter() {
    let folder = with_script(FORGETFUL);
    let text = told(folder.path(), &["test", "tap", "--", "sh", "program.sh"]);
    // Whether so short a tap is done before it is asked to end is a matter of luck.
    let without_luck = |line: &str| match line.split_once("it ended with") {
        Some((check, _)) => format!("{check}it ended with …"),
        None => line.to_owned(),
    };
    insta::assert_snapshot!(text.lines().map(without_luck).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_script_reads_names_verdicts_and_reasons() {
    let folder = with_script(FORGETFUL);
    let args = ["test", "tap", "--json", "--", "sh", "program.sh"];
    assert_eq!(tapster(folder.path(), &args).status.code(), Some(76));
    let document = document(folder.path(), &args);
    let keys = document["checks"].as_array().unwrap().iter().find(|check| check["name"] == "keys").unwrap();
    assert_eq!(keys["verdict"], "failed");
    assert_eq!(keys["found"], "line 3, stream people: key property `id` is absent or null");
    assert!(keys["why"].as_str().unwrap().len() > 20);
    assert!(!document.to_string().contains("ada@"), "a record's value is told");
}

#[test]
fn a_target_that_takes_everything_and_tells_nothing_fails() {
    let folder = with_script("case \"$*\" in *--help*) echo help; exit;; esac; cat >load.log; echo loaded");
    let args = ["test", "target", "--json", "--", "sh", "program.sh"];
    assert_eq!(tapster(folder.path(), &args).status.code(), Some(69));
    let document = document(folder.path(), &args);
    let failed = document["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] == "failed");
    let failed: Vec<_> = failed.map(|check| check["name"].as_str().unwrap()).collect();
    let wanted = ["stdout", "last-state", "half-line", "not-json", "record-before-schema", "missing-key"];
    assert_eq!(failed, wanted);
}

#[test]
fn what_does_not_start_is_an_error_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(told(folder.path(), &["test", "tap", "--", "./no-such-tap"]));
    let text = told(folder.path(), &["test", "tap"]);
    assert!(text.starts_with("exit code 2"), "{text}");
}
