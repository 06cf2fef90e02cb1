//! What tapster gives to people who write taps and targets.

use serde_json::{Value, json};
use tests::programs;
use tests::project::Project;
use tests::python;
use tests::warehouse::Warehouse;

/// What `tapster test KIND --json` says of each check: its verdict, by its name.
#[track_caller]
fn verdicts(project: &Project, kind: &str, words: &[&str], code: i32) -> Value {
    let outcome = project.run(["test", kind, "--json"].iter().chain(words)).expect_code(code);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("a document");
    let checks = document["checks"].as_array().expect("checks").iter();
    checks
        .map(|check| (check["name"].as_str().unwrap_or_default().to_owned(), check["verdict"].clone()))
        .collect()
}

/// Panics unless these are skipped and all others hold.
#[track_caller]
fn holds_but_for(verdicts: &Value, skipped: &[&str]) {
    for (name, verdict) in verdicts.as_object().expect("checks") {
        let wanted = if skipped.contains(&name.as_str()) { "skipped" } else { "ok" };
        assert_eq!(verdict, wanted, "{name}: {verdicts:#}");
    }
}

#[test]
fn tap_csv_passes_the_test_of_taps() {
    let project = Project::new();
    project.write("data/orders.csv", "id,name\n1,one\n2,two\n3,three\n");
    let files = json!([{ "path": "data/orders.csv", "stream": "orders", "key_properties": ["id"] }]);
    let tap = json!({ "name": "tap-csv", "config": { "files": files } });
    project.pipeline("orders", &json!({ "tap": tap, "target": Warehouse::duckdb(project.path()).block() }));
    holds_but_for(&verdicts(&project, "tap", &["--pipeline", "orders"], 0), &["selection"]);
}

#[test]
fn a_tap_from_pypi_passes_the_test_of_taps() {
    let program = python::program("tap-jsonl==0.3.1", "tap-jsonl");
    let project = Project::new();
    let path = project.write("people.jsonl", "{\"id\":1,\"name\":\"a\"}\n{\"id\":2,\"name\":null}\n");
    let config = json!({ "path": path, "stream_name": "people", "primary_keys": ["id"] });
    project.write("config.json", config.to_string());
    let words = ["--config", "config.json", "--", program.to_str().expect("a path")];
    holds_but_for(&verdicts(&project, "tap", &words, 0), &["selection"]);
}

#[test]
fn our_targets_pass_the_test_of_targets() {
    let project = Project::new();
    let (duckdb, postgres) = (Warehouse::duckdb(project.path()), Warehouse::postgres());
    let configs = [
        ("target-duckdb", duckdb.block()["config"].clone()),
        ("target-postgres", postgres.block()["config"].clone()),
        ("target-jsonl", json!({ "path": project.path().join("out") })),
    ];
    for (name, config) in configs {
        project.write("config.json", config.to_string());
        let program = programs::tapster().with_file_name(name);
        let words = ["--config", "config.json", "--", program.to_str().expect("a path")];
        holds_but_for(&verdicts(&project, "target", &words, 0), &[]);
    }
}
