//! `load_method: overwrite`.

use rustix::process::Signal;
use serde_json::{Value, json};
use tests::project::Project;
use tests::warehouse::Warehouse;

use super::rows;
use crate::support::{Gate, warehouses};

const SCHEMA: &str = r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"id":{"type":"integer"},"v":{"type":"string"}}},"key_properties":["id"]}"#;

fn record(id: u32, value: &str) -> String {
    format!(r#"{{"type":"RECORD","stream":"a","record":{{"id":{id},"v":"{value}"}}}}"#)
}

fn said(at: u32) -> String {
    format!(r#"{{"type":"STATE","value":{{"bookmarks":{{}},"at":{at}}}}}"#)
}

/// A pipeline whose tap runs this shell text, and whose every STATE would be a checkpoint.
fn pipeline(project: &Project, warehouse: &Warehouse, method: &str, shell: &str) {
    let block = json!({
        "tap": { "command": ["sh", "-c", shell] },
        "target": warehouse.block(),
        "defaults": { "load_method": method },
        "limits": { "checkpoint_bytes": "1B", "checkpoint_every": "1ms" },
    });
    project.pipeline("o", &block);
}

fn say(lines: &[String]) -> String {
    format!("printf '%s\\n' '{}'\n", lines.join("' '"))
}

fn sequence(warehouse: &Warehouse) -> u64 {
    warehouse.value("SELECT sequence FROM _tapster_state").expect("a number").parse().expect("a number")
}

const ALL: &str = "SELECT id, v FROM a ORDER BY id";
const STATE: &str = "SELECT state FROM _tapster_state";

fn with_old(project: &Project, warehouse: &Warehouse) {
    let lines = [SCHEMA.to_owned(), record(1, "old"), record(2, "old"), said(1)];
    pipeline(project, warehouse, "upsert", &say(&lines));
    let _ = project.run(["run", "o"]).expect_code(0);
}

#[test]
fn an_overwritten_table_is_replaced_in_one_commit_with_the_last_state() {
    let project = Project::new();
    for (name, warehouse) in warehouses(&project) {
        with_old(&project, &warehouse);
        let before = sequence(&warehouse);
        let other = r#"{"type":"SCHEMA","stream":"b","schema":{"properties":{"n":{"type":"integer"}}},"key_properties":[]}"#;
        let lines = [
            SCHEMA.to_owned(),
            record(2, "new"),
            said(2),
            record(3, "first"),
            other.to_owned(),
            r#"{"type":"RECORD","stream":"b","record":{"n":1}}"#.to_owned(),
            said(3),
            record(3, "new"),
        ];
        pipeline(&project, &warehouse, "overwrite", &say(&lines));
        let _ = project.run(["run", "o"]).expect_code(0);
        assert_eq!(rows(&warehouse, ALL), "2|new 3|new", "{name}");
        assert_eq!(rows(&warehouse, "SELECT n FROM b"), "1", "{name}");
        assert_eq!(warehouse.value(STATE).as_deref(), Some(r#"{"bookmarks":{},"at":3}"#), "{name}");
        assert_eq!(sequence(&warehouse), before + 1, "{name}: the run is one epoch");
        // A stream that is not there keeps its table; one without records has none.
        pipeline(&project, &warehouse, "overwrite", &say(&[SCHEMA.to_owned(), said(4)]));
        let outcome = project.run(["run", "o"]).expect_code(0);
        assert!(outcome.stderr.contains("its table is emptied"), "{outcome}");
        assert_eq!(
            (rows(&warehouse, ALL), rows(&warehouse, "SELECT n FROM b")),
            (String::new(), "1".to_owned())
        );
    }
}

#[test]
fn an_overwrite_that_fails_or_is_stopped_leaves_the_old_records_and_state() {
    for signal in [None, Some(Signal::TERM), Some(Signal::KILL)] {
        let project = Project::new();
        let gate = Gate::new(&project);
        for (name, warehouse) in warehouses(&project) {
            with_old(&project, &warehouse);
            let old = (rows(&warehouse, ALL), warehouse.value(STATE), sequence(&warehouse));
            let begun = say(&[SCHEMA.to_owned(), record(3, "new"), said(2), record(4, "new"), said(3)]);
            let pipe = project.path().join("gate");
            let shell = match signal {
                None => format!("{begun} exit 1"),
                Some(_) => format!("{begun} read -r _ < '{}'", pipe.display()),
            };
            pipeline(&project, &warehouse, "overwrite", &shell);
            if let Some(signal) = signal {
                let mut run = project.start("o", None);
                // The tap has sent all that it will.
                run.wait_for(|line| line.phase() == Some("write"));
                run.signal(signal);
                let _ = run.finish();
            } else {
                let _ = project.run(["run", "o"]).expect_code(76);
            }
            assert_eq!(
                (rows(&warehouse, ALL), warehouse.value(STATE), sequence(&warehouse)),
                old,
                "{name} {signal:?}"
            );
        }
        drop(gate);
    }
}

#[test]
fn an_overwrite_that_is_killed_in_its_commit_leaves_the_old_records_or_the_new() {
    let project = Project::new();
    let state = |at| Some(format!(r#"{{"bookmarks":{{}},"at":{at}}}"#));
    let (old, new) = (("1|old 2|old".to_owned(), state(1)), ("3|new".to_owned(), state(2)));
    for (name, warehouse) in warehouses(&project) {
        for point in ["before_merge", "after_merge", "before_commit", "after_commit"] {
            with_old(&project, &warehouse);
            pipeline(
                &project,
                &warehouse,
                "overwrite",
                &say(&[SCHEMA.to_owned(), record(3, "new"), said(2)]),
            );
            let mut run = project.start("o", Some(&format!("{name}::{point}=pause")));
            let phase = if point.ends_with("merge") { "merge" } else { "commit_sent" };
            run.wait_for(|line| line.phase() == Some(phase));
            let _ = run.kill();
            let left = tests::processes::gone_within(project.path(), std::time::Duration::from_secs(2));
            assert_eq!(left, []);
            let found = (rows(&warehouse, ALL), warehouse.value(STATE));
            // Whether the server had committed when the run died is its own business; half of it is nobody's.
            assert!(found == old || (found == new && point == "after_commit"), "{name} {point}: {found:?}");
            let _ = project.run(["run", "o"]).expect_code(0);
            assert_eq!((rows(&warehouse, ALL), warehouse.value(STATE)), new, "{name} {point}");
            pipeline(&project, &warehouse, "overwrite", &say(&[SCHEMA.to_owned(), said(0)]));
            let _ = project.run(["run", "o"]).expect_code(0);
        }
    }
}

#[test]
fn a_stream_that_is_read_in_parts_is_not_overwritten() {
    let project = Project::new();
    project.write("a.csv", "id,v\n1,x\n");
    let files = json!({ "files": [{ "path": "a.csv", "stream": "a", "key_properties": ["id"] }] });
    let pipeline = |method: &str| -> Value {
        let settings = json!({ "replication_method": method, "load_method": "overwrite" });
        json!({
            "tap": { "name": "tap-csv", "config": files },
            "target": { "name": "target-jsonl", "config": { "path": "out" } },
            "streams": { "a": settings },
        })
    };
    project.pipeline("o", &pipeline("INCREMENTAL"));
    let outcome = project.run(["run", "o"]).expect_code(78);
    assert!(outcome.stderr.contains("E0123") && outcome.stderr.contains("FULL_TABLE"), "{outcome}");
    project.pipeline("o", &pipeline("FULL_TABLE"));
    for value in ["x", "y"] {
        project.write("a.csv", format!("id,v\n1,{value}\n"));
        let _ = project.run(["run", "o"]).expect_code(0);
        let lines = std::fs::read_to_string(project.path().join("out/a.jsonl")).expect("the file");
        assert!(lines.lines().count() == 1 && lines.contains(value), "{lines}");
    }
}
