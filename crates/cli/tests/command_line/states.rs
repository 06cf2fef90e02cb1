//! The state verbs: looks, changes, and STATEs of other tools.

use std::fs;
use std::path::Path;

use crate::harness::{document, tapster, told};
use crate::scripted::{GREETINGS, Hanging, project};

#[test]
fn state_verbs_say_what_they_changed_and_refuse_what_would_change_nothing() {
    let folder = project(&[("a", GREETINGS)]);
    assert!(tapster(folder.path(), &["run", "a"]).status.success());
    let refused = told(folder.path(), &["state", "clear", "a", "--select", "nothing", "--yes"]);
    assert!(refused.contains("error[E0196]"), "{refused}");
    let kept = document(folder.path(), &["state", "get", "a", "--json"]);
    assert_eq!(kept["bookmarks"]["greetings"]["n"], 2);
    let cleared = document(folder.path(), &["state", "clear", "a", "--yes", "--json"]);
    assert_eq!((&cleared["pipeline"], &cleared["sequence"]), (&"a".into(), &2.into()));
    fs::rename(folder.path().join("pipelines/a.yml"), folder.path().join("pipelines/b.yml")).unwrap();
    let moved = document(folder.path(), &["state", "move", "a", "b", "--json"]);
    assert_eq!((&moved["pipeline"], &moved["was"]), (&"b".into(), &"a".into()));
}

#[test]
fn hints_of_the_state_verbs_can_be_followed() {
    let folder = project(&[("a", &format!("{GREETINGS}exec sleep 1000"))]);
    let held = Hanging::start(folder.path(), "a");
    let busy = told(folder.path(), &["state", "clear", "a", "--yes"]);
    assert!(busy.contains("error[E0505]") && !busy.contains("--wait"), "{busy}");
    drop(held);
    let write = |text: &str| fs::write(folder.path().join("s.json"), text).unwrap();
    write("{\"bookmarks\":\n {\"greetings\": 1,}}");
    let bad = told(folder.path(), &["state", "set", "a", "s.json", "--yes"]);
    assert!(bad.contains("error[E0198]: s.json holds no STATE") && bad.contains("line 2 column 18"), "{bad}");
    write("[]");
    let list = told(folder.path(), &["state", "set", "a", "s.json", "--yes"]);
    assert!(list.starts_with("exit code 78") && list.contains("it is JSON, but no object"), "{list}");
    let early = told(folder.path(), &["state", "move", "a", "b"]);
    assert!(early.contains("rename the file first: git mv pipelines/a.yml pipelines/b.yml"), "{early}");
}

/// A tap that counts its runs in its STATE, with or without a key.
fn counting(key: &str) -> String {
    format!(
        r#"n=0; case "$*" in *--state*) n=$(sed 's/.*"n":\([0-9]*\).*/\1/' "${{@: -1}}");; esac; n=$((n+1))
echo '{{"type":"SCHEMA","stream":"visits","schema":{{"type":"object","properties":{{"id":{{"type":"integer"}}}}}},"key_properties":[{key}]}}'
echo '{{"type":"RECORD","stream":"visits","record":{{"id":'$n'}}}}'
echo '{{"type":"STATE","value":{{"bookmarks":{{"visits":{{"n":'$n'}}}}}}}}'
"#
    )
}

/// A project with a pipeline into DuckDB that has run three times.
fn counted(key: &str) -> tempfile::TempDir {
    let folder = project(&[("a", &counting(key))]);
    let file = folder.path().join("pipelines/a.yml");
    let target = "target: { name: target-duckdb, config: { path: w.duckdb } }";
    fs::write(&file, format!("tap: {{ command: [bash, a.sh], catalog: false }}\n{target}\n")).unwrap();
    for _ in 0..3 {
        let run = tapster(folder.path(), &["run", "a"]);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
    folder
}

fn visits(folder: &Path) -> serde_json::Value {
    document(folder, &["state", "get", "a"])["bookmarks"]["visits"]["n"].clone()
}

#[test]
fn a_keyed_pipeline_rolls_back_without_a_question_and_goes_on_from_there() {
    let folder = counted("\"id\"");
    let back = document(folder.path(), &["state", "rollback", "a", "1", "--json"]);
    assert_eq!((&back["back_to"], &back["sequence"]), (&1.into(), &4.into()));
    assert_eq!(visits(folder.path()), 1);
    assert!(tapster(folder.path(), &["run", "a"]).status.success());
    assert_eq!(visits(folder.path()), 2);
    let history = document(folder.path(), &["state", "history", "a", "--json"]);
    assert_eq!((&history[1]["how"], &history[1]["sequence"]), (&"rollback".into(), &4.into()));
    let unknown = told(folder.path(), &["state", "rollback", "a", "77"]);
    assert!(unknown.starts_with("exit code 78") && unknown.contains("error[E0199]"), "{unknown}");
}

#[test]
fn a_rollback_that_would_double_records_asks_first() {
    let folder = counted("");
    let asked = told(folder.path(), &["state", "rollback", "a", "1"]);
    assert!(asked.starts_with("exit code 2") && asked.contains("error[E0192]"), "{asked}");
    assert!(asked.contains("Records of visits are appended"), "{asked}");
    assert_eq!(visits(folder.path()), 3, "nothing was changed");
    let nothing_lost = document(folder.path(), &["state", "rollback", "a", "3", "--json"]);
    assert_eq!(nothing_lost["back_to"], 3, "nothing was loaded after it");
    assert!(tapster(folder.path(), &["state", "rollback", "a", "1", "--yes"]).status.success());
    assert_eq!(visits(folder.path()), 1);
}

#[test]
fn a_diff_tells_what_moved() {
    let folder = counted("\"id\"");
    let last = document(folder.path(), &["state", "diff", "a", "--json"]);
    let change = &last["changes"][0];
    assert_eq!(change["path"], serde_json::json!(["bookmarks", "visits", "n"]));
    assert_eq!((&change["before"], &change["after"]), (&2.into(), &3.into()));
    let since = told(folder.path(), &["state", "diff", "a", "1"]);
    assert!(since.contains("bookmarks.visits.n  1       3"), "{since}");
    let same = told(folder.path(), &["state", "diff", "a", "3", "3"]);
    assert!(same.contains("They are the same."), "{same}");
}

#[test]
fn an_exported_state_goes_into_another_project_and_one_of_meltano_into_this() {
    let (one, other) = (counted("\"id\""), counted("\"id\""));
    assert!(tapster(one.path(), &["run", "a"]).status.success());
    let exported = tapster(one.path(), &["state", "export", "a"]).stdout;
    let file = other.path().join("a.json");
    fs::write(&file, &exported).unwrap();
    let refused = told(other.path(), &["state", "import", "a", "a.json"]);
    assert!(refused.contains("error[E0192]: to replace the STATE of a needs --yes"), "{refused}");
    let imported = document(other.path(), &["state", "import", "a", "a.json", "--yes", "--json"]);
    assert_eq!((&imported["sequence"], &imported["bookmarks"]), (&4.into(), &1.into()));
    assert_eq!(visits(other.path()), 4);
    let meltano = document(other.path(), &["state", "export", "a", "--format", "meltano"]);
    assert_eq!(meltano["singer_state"]["bookmarks"]["visits"]["n"], 4);
    let halves = r#"{"completed":{"singer_state":{"bookmarks":{"visits":{"n":8}}}},"partial":{"singer_state":{"bookmarks":{"visits":{"n":9}}}}}"#;
    fs::write(&file, halves).unwrap();
    assert!(tapster(other.path(), &["state", "import", "a", "a.json", "--yes"]).status.success());
    assert_eq!(visits(other.path()), 9);
}

#[test]
fn the_state_of_another_tap_gives_way_to_an_import_and_to_nothing_else() {
    let folder = counted("\"id\"");
    let exported = tapster(folder.path(), &["state", "export", "a"]).stdout;
    fs::rename(folder.path().join("a.sh"), folder.path().join("b.sh")).unwrap();
    let file = folder.path().join("pipelines/a.yml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("a.sh", "b.sh")).unwrap();
    fs::write(folder.path().join("own.json"), exported).unwrap();
    let foreign = told(folder.path(), &["state", "import", "a", "own.json", "--yes"]);
    assert!(foreign.contains("error[E0198]") && foreign.contains("of the tap `bash a.sh`"), "{foreign}");
    fs::write(folder.path().join("bare.json"), r#"{"bookmarks":{"visits":{"n":7}}}"#).unwrap();
    let set = told(folder.path(), &["state", "set", "a", "bare.json", "--yes"]);
    assert!(set.contains("error[E0322]"), "{set}");
    assert!(tapster(folder.path(), &["state", "import", "a", "bare.json", "--yes"]).status.success());
    assert!(tapster(folder.path(), &["run", "a"]).status.success());
    assert_eq!(visits(folder.path()), 8);
}

#[test]
fn what_was_never_run_has_nothing_to_export_or_compare() {
    let folder = project(&[("a", GREETINGS)]);
    for verb in ["export", "diff"] {
        let told = told(folder.path(), &["state", verb, "a"]);
        assert!(told.starts_with("exit code 78") && told.contains("error[E0189]: a has no STATE"), "{told}");
    }
}
