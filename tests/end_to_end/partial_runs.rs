//! `--select`, `--exclude` and `--full-refresh` into our own targets: a part of a pipeline's streams is read, and the
//! bookmarks and tables of the others stay as they are.

use serde_json::{Value, json};
use tests::programs;
use tests::project::Project;
use tests::warehouse::Warehouse;

use crate::support::warehouses;

/// Two streams that count up to `up_to`, `keyed` and `bare`. The tap forgets the bookmark of what is not selected.
fn pipeline(project: &Project, warehouse: &Warehouse, up_to: u64) {
    let command = json!(["python3", programs::file("taps/letters.py")]);
    project.pipeline(
        "letters",
        &json!({ "tap": { "command": command, "config": { "up_to": up_to } }, "target": warehouse.block() }),
    );
}

/// How many records a run has read of each stream that it read.
fn reads(project: &Project, words: &str) -> Value {
    let outcome = project.run(format!("run letters --json {words}").split_whitespace()).expect_code(0);
    let document: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"));
    let streams = document["streams"].as_array().unwrap_or_else(|| panic!("{outcome}"));
    streams
        .iter()
        .filter(|stream| stream["records_read"] != 0)
        .map(|stream| {
            (stream["stream"].as_str().unwrap_or_default().to_owned(), stream["records_read"].clone())
        })
        .collect()
}

/// The bookmarks of both streams.
fn bookmarks(project: &Project) -> Value {
    let outcome = project.run(["state", "get", "letters", "--json"]).expect_code(0);
    let state: Value =
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"));
    state["bookmarks"].clone()
}

/// The records of both tables.
fn tables(warehouse: &Warehouse) -> [String; 2] {
    ["keyed", "bare"].map(|table| {
        let rows = warehouse.rows(&format!("SELECT n FROM {table} ORDER BY n"));
        rows.into_iter().flatten().flatten().collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn a_partial_run_keeps_the_other_streams_bookmarks_and_tables() {
    let project = Project::new();
    for (name, warehouse) in warehouses(&project) {
        let step = |up_to: u64, words: &str, read: Value, kept: Value, there: [&str; 2]| {
            pipeline(&project, &warehouse, up_to);
            assert_eq!(reads(&project, words), read, "{name}: {words}");
            assert_eq!(bookmarks(&project), kept, "{name}: {words}");
            assert_eq!(tables(&warehouse), there, "{name}: {words}");
        };
        let both = |keyed: u64, bare: u64| json!({ "keyed": keyed, "bare": bare });
        step(3, "", both(3, 3), both(3, 3), ["1 2 3", "1 2 3"]);
        step(5, "--select keyed", json!({ "keyed": 2 }), both(5, 3), ["1 2 3 4 5", "1 2 3"]);
        step(5, "--exclude k*", json!({ "bare": 2 }), both(5, 5), ["1 2 3 4 5", "1 2 3 4 5"]);
        let refresh = "--full-refresh --yes --select";
        step(6, &format!("{refresh} keyed"), json!({ "keyed": 6 }), both(6, 5), ["1 2 3 4 5 6", "1 2 3 4 5"]);
        step(
            7,
            &format!("{refresh} bare"),
            json!({ "bare": 7 }),
            both(6, 7),
            ["1 2 3 4 5 6", "1 2 3 4 5 6 7"],
        );
        // The tables of what was refreshed are those of the tap that ran.
        step(2, &format!("{refresh} bare"), json!({ "bare": 2 }), both(6, 2), ["1 2 3 4 5 6", "1 2"]);
        step(7, "", both(1, 5), both(7, 7), ["1 2 3 4 5 6 7", "1 2 3 4 5 6 7"]);
        let nothing = project.run(["run", "letters", "--select", "nothing"]).expect_code(78);
        assert!(nothing.stderr.contains("nothing"), "{name}: {nothing}");
        assert_eq!(bookmarks(&project), both(7, 7), "{name}");
    }
}
