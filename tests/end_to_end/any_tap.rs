//! Taps in any language.

use serde_json::{Value, json};
use tests::programs::file;
use tests::project::Project;
use tests::warehouse::Warehouse;

use crate::support::warehouses;

#[test]
fn a_tap_in_python_goes_on_from_its_state() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let pipeline = |words: u32| {
        let tap = json!({ "command": ["python3", file("taps/tap_words.py")], "config": { "words": words } });
        project.pipeline("words", &json!({ "tap": tap, "target": warehouse.block() }));
    };
    pipeline(5);
    let discovered = project.run(["discover", "words", "--json"]).expect_code(0);
    assert!(discovered.stdout.contains("\"tap_stream_id\""), "{discovered}");
    let _ = project.run(["run", "words"]).expect_code(0);
    // Were it to begin anew, the first words would change.
    pipeline(12);
    let _ = project.run(["run", "words"]).expect_code(0);
    let found = warehouse.value("SELECT string_agg(word, ' ' ORDER BY position) FROM words");
    assert_eq!(found.as_deref(), Some("the quick brown fox jumps over the lazy dog and runs away"));
    let state = warehouse.value("SELECT state FROM _tapster_state");
    assert_eq!(state.as_deref(), Some(r#"{"bookmarks": {"words": {"position": 12}}}"#), "byte for byte");
}

#[test]
fn a_tap_in_shell_needs_no_discovery() {
    let project = Project::new();
    let warehouse = Warehouse::postgres();
    let tap = json!({ "command": [file("taps/tap_words.sh")] });
    project.pipeline("words", &json!({ "tap": tap, "target": warehouse.block() }));
    let _ = project.run(["run", "words"]).expect_code(0);
    let found = warehouse.rows("SELECT word, count(*) FROM words GROUP BY 1 ORDER BY 1");
    let found: Vec<String> = found.iter().flatten().flatten().cloned().collect();
    assert_eq!(found, ["be", "2", "not", "1", "or", "1", "to", "2"]);
}

#[test]
fn the_tap_gets_its_files_and_nothing_else() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let script = "echo '{\"type\":\"STATE\",\"value\":{}}'; env | cut -d= -f1 | sort >seen; stat -c '%a %n' \"$(dirname \"$2\")\" \"$(dirname \"$2\")\"/*.json >>seen; cat \"$2\" >>seen\n";
    let tap = project.write("tap.sh", script);
    let tap = json!({ "command": ["sh", tap], "config": { "secret": "4711" }, "env": { "OWN": "1" } });
    project.pipeline("files", &json!({ "tap": tap, "target": warehouse.block() }));
    let mut command = project.tapster(["run", "files"]);
    let _ = project.outcome(command.env("HIDDEN", "1")).expect_code(0);
    let seen = std::fs::read_to_string(project.path().join("seen")).expect("written by the tap");
    assert!(seen.contains("\nOWN\n") && seen.contains("PATH\n") && !seen.contains("HIDDEN"), "{seen}");
    assert!(seen.contains("{\"secret\":\"4711\"}"), "{seen}");
    let modes: Vec<&str> = seen.lines().filter(|line| line.contains(".tapster/")).collect();
    assert!(modes.len() >= 2 && modes[0].starts_with("700 "), "{seen}");
    assert!(modes[1..].iter().all(|line| line.starts_with("600 ")), "{seen}");
}

#[test]
fn what_the_pipeline_excludes_is_not_loaded_whatever_the_tap_sends() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let stream = concat!(
        r#"{"type":"SCHEMA","stream":"people","key_properties":["id"],"schema":{"properties":{"id":{"type":"integer"},"phone":{"type":"string"},"address":{"type":"object","properties":{"city":{"type":"string"},"street":{"type":"string"}}},"friends":{"type":"array"}}}}"#,
        "\n",
        r#"{"type":"RECORD","stream":"people","record":{"id":1,"phone":"555","address":{"city":"Kraków","street":"Long 1"},"friends":[{"name":"Ada","phone":"556"}]}}"#,
        "\n",
        r#"{"type":"STATE","value":{}}"#,
        "\n"
    );
    let stream = project.write("people.singer", stream);
    let columns = json!({ "phone": "exclude", "address.street": "exclude", "*.phone": "exclude" });
    project.pipeline(
        "people",
        &json!({
            "tap": Project::replay(&stream),
            "target": warehouse.block(),
            "streams": { "people": { "columns": columns } }
        }),
    );
    let _ = project.run(["run", "people"]).expect_code(0);
    let found = warehouse.rows("FROM people");
    let found: Vec<&str> = found.iter().flatten().flatten().map(String::as_str).collect();
    assert_eq!(found, ["1", r#"{"city":"Kraków"}"#, r#"[{"name":"Ada"}]"#]);
}

/// Its version column is there from the start, and not added to a table just made.
#[test]
fn a_full_table_of_ours_is_made_as_the_dry_run_says() {
    let project = Project::new();
    project.write("data/orders.csv", "id,name,never\n1,one,\n2,two,\n");
    for (of, warehouse) in warehouses(&project) {
        let files = json!([{ "path": "data/orders.csv", "stream": "orders", "key_properties": ["id"] }]);
        let tap = json!({ "name": "tap-csv", "config": { "files": files } });
        let defaults = json!({ "replication_method": "FULL_TABLE" });
        project.pipeline(of, &json!({ "tap": tap, "target": warehouse.block(), "defaults": defaults }));
        let planned = project.run(["run", of, "--dry-run", "--json"]).expect_code(0);
        let told: Value = serde_json::from_str(&planned.stdout).expect("a document");
        let statements = told[0]["statements"].clone();
        assert!(statements.to_string().contains("_sdc_table_version"), "{planned}");
        let (code, log) = project.start(of, None).finish();
        assert_eq!(code, Some(0), "{log}");
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let opened = events.filter(|event| event["event"] == "table_opened");
        let made: Vec<Value> = opened.map(|event| event["statements"].clone()).collect();
        assert_eq!(made, [statements], "{of}: {log}");
    }
}
