//! What the authors of taps and targets are told.

use std::fs;
use std::path::Path;

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

#[test]
fn a_new_tap_is_written_with_its_pipeline_and_the_next_lines() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(told(folder.path(), &["new", "tap", "orders", "--lang", "python"]));
    insta::assert_snapshot!(fs::read_to_string(folder.path().join("pipelines/orders.yml")).unwrap());
    let again = told(folder.path(), &["new", "tap", "orders", "--lang", "node"]);
    assert!(again.starts_with("exit code 78") && again.contains("error[E0183]"), "{again}");
    assert!(!folder.path().join("taps/orders/tap.js").exists(), "nothing is written beside what is there");
    let bad = told(folder.path(), &["new", "tap", "../x", "--lang", "bash"]);
    assert!(bad.starts_with("exit code 2") && bad.contains("error[E0187]"), "{bad}");
}

#[test]
fn a_new_tap_goes_where_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(told(
        folder.path(),
        &["new", "tap", "orders", "--lang", "rust", "--in", "there"]
    ));
    let there = |file: &str| fs::read_to_string(folder.path().join("there").join(Path::new(file))).unwrap();
    assert!(there("taps/orders/Cargo.toml").contains("name = \"orders\""));
    assert!(!there("taps/orders/src/main.rs").contains("NAME"), "every NAME is the tap's");
}
