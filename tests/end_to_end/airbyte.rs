//! Airbyte sources: a source that says what each test has it say, and real ones from `PyPI`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};
use tests::programs::workspace;
use tests::project::{Outcome, Project};
use tests::python;
use tests::warehouse::Warehouse;

use crate::support::warehouses;

/// A pipeline of the source that says this when it is to read its stream `users`, which has a key or none.
fn pipeline(project: &Project, name: &str, warehouse: &Warehouse, keyed: bool, read: &[Value]) {
    let source = std::fs::read(workspace().join("taps/tap-airbyte/tests/tap/source.py")).expect("the source");
    project.write("source.py", source);
    let mut users = json!({
        "name": "users",
        "json_schema": { "properties": { "id": { "type": "integer" } } },
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": true,
        "is_resumable": true,
    });
    if keyed {
        users["source_defined_primary_key"] = json!([["id"]]);
    }
    let catalog = json!({ "type": "CATALOG", "catalog": { "streams": [users] } });
    let config = json!({ "discover": [catalog], "read": read, "token": "hunter2" });
    let method = if keyed { "INCREMENTAL" } else { "FULL_TABLE" };
    project.pipeline(
        name,
        &json!({
            "tap": { "command": ["python3", "source.py"], "protocol": "airbyte", "config": config },
            "target": warehouse.block(),
            "defaults": { "replication_method": method },
            "limits": { "checkpoint_bytes": "1KiB", "checkpoint_every": "1ms" },
        }),
    );
}

fn record(id: u64) -> Value {
    json!({ "type": "RECORD", "record": { "stream": "users", "data": { "id": id }, "emitted_at": 1_700_000_000_000_u64 } })
}

fn state(at: u64) -> Value {
    json!({ "type": "STATE", "state": {
        "type": "STREAM",
        "stream": { "stream_descriptor": { "name": "users" }, "stream_state": { "at": at } },
        "sourceStats": { "recordCount": 1.0 },
    } })
}

fn complete() -> Value {
    let status = json!({ "stream_descriptor": { "name": "users" }, "status": "COMPLETE" });
    json!({ "type": "TRACE", "trace": { "type": "STREAM_STATUS", "emitted_at": 1.5, "stream_status": status } })
}

fn error(kind: &str) -> Value {
    let error = json!({ "message": "no luck with hunter2", "failure_type": kind });
    json!({ "type": "TRACE", "trace": { "type": "ERROR", "emitted_at": 1.5, "error": error } })
}

fn ids(warehouse: &Warehouse) -> String {
    let ids = warehouse.rows("SELECT id FROM users ORDER BY id");
    ids.into_iter().flatten().flatten().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_full_table_is_replaced_in_one_commit_and_goes_on_where_it_was_broken_off() {
    let project = Project::new();
    for (name, warehouse) in warehouses(&project) {
        let run = |read: &[Value], code: i32| {
            pipeline(&project, name, &warehouse, false, read);
            let _ = project.run(["run", name]).expect_code(code);
            ids(&warehouse)
        };
        assert_eq!(run(&[record(1), state(1), record(2), state(2), complete()], 0), "1 2");
        assert_eq!(
            run(&[record(3), state(1), record(4), error("system_error")], 76),
            "1 2 3",
            "not whole yet"
        );
        assert_eq!(run(&[record(5), state(2), complete()], 0), "3 5", "the old ones go with the last");
        let given = std::fs::read_to_string(project.path().join("read.json")).expect("what it was given");
        assert!(given.contains("--state") && given.contains("at"), "{given}");
        assert_eq!(run(&[record(6), state(1), complete()], 0), "6");
    }
}

#[test]
fn a_source_that_fails_for_now_is_started_again_from_the_committed_state() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let read = [record(1), state(1), json!({ "fail once": [error("transient_error")] }), complete()];
    pipeline(&project, "users", &warehouse, true, &read);
    let (code, log) = project.start("users", None).finish();
    assert_eq!(code, Some(0), "{log:?}");
    let given = std::fs::read_to_string(project.path().join("read.json")).expect("what it was given");
    assert!(given.contains("--state"), "{given}");
    assert_eq!(ids(&warehouse), "1");
    let asked = std::fs::read_to_string(project.path().join("asked")).expect("what it was asked");
    assert_eq!(asked, "spec\ndiscover\nread\nread\n");
}

#[test]
fn a_source_that_needs_a_person_is_not_tried_again() {
    let project = Project::new();
    for (name, warehouse) in warehouses(&project) {
        pipeline(&project, name, &warehouse, true, &[record(1), state(1), record(2), error("config_error")]);
        let failed = project.run(["run", name]).expect_code(78);
        assert!(
            failed.stderr.contains("error[E0416]") && failed.stderr.contains("no luck with ***"),
            "{failed}"
        );
        assert!(!failed.stderr.contains("hunter2"), "{failed}");
        assert_eq!(ids(&warehouse), "1");
        let asked = std::fs::read_to_string(project.path().join("asked")).expect("what it was asked");
        assert_eq!(asked.lines().filter(|word| *word == "read").count(), 1);
        std::fs::remove_file(project.path().join("asked")).expect("the note");
    }
}

#[test]
fn a_stream_that_is_not_complete_is_a_failure_that_resumes() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let mut incomplete = complete();
    incomplete["trace"]["stream_status"]["status"] = json!("INCOMPLETE");
    pipeline(&project, "users", &warehouse, true, &[record(1), state(1), record(2), incomplete]);
    let failed = project.run(["run", "users"]).expect_code(76);
    assert!(failed.stderr.contains("without completing users: it exited 0"), "{failed}");
    assert_eq!(ids(&warehouse), "1");
    pipeline(&project, "users", &warehouse, true, &[record(2), state(2), complete()]);
    let _ = project.run(["run", "users"]).expect_code(0);
    assert_eq!(ids(&warehouse), "1 2");
}

#[test]
fn check_tells_what_breaks_the_sources_specification() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    pipeline(&project, "users", &warehouse, true, &[]);
    let path = project.path().join("pipelines/users.yml");
    let text = std::fs::read_to_string(&path).expect("the pipeline");
    std::fs::write(&path, text.replace("hunter2", "zz")).expect("the pipeline");
    let refused = project.run(["check", "users"]).expect_code(78);
    assert!(refused.stderr.contains("`/token` breaks the rule `minLength`"), "{refused}");
    assert!(!refused.stderr.contains("zz"), "{refused}");
    std::fs::write(&path, text.replace("INCREMENTAL", "LOG_BASED")).expect("the pipeline");
    let refused = project.run(["check", "users", "--offline"]).expect_code(78);
    assert!(refused.stderr.contains("E0123") && refused.stderr.contains("INCREMENTAL"), "{refused}");
}

/// The pipeline once more, edited.
fn edit(project: &Project, name: &str, edit: impl FnOnce(&mut Value)) {
    let path = project.path().join(format!("pipelines/{name}.yml"));
    let text = std::fs::read_to_string(path).expect("the pipeline");
    let mut pipeline = serde_json::from_str(&text).expect("JSON");
    edit(&mut pipeline);
    project.pipeline(name, &pipeline);
}

fn asked(project: &Project, word: &str) -> usize {
    let asked = std::fs::read_to_string(project.path().join("asked")).expect("what it was asked");
    asked.lines().filter(|line| *line == word).count()
}

#[test]
fn check_asks_the_source_whether_it_reaches_what_it_reads_from() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    pipeline(&project, "users", &warehouse, true, &[]);
    let ready = project.run(["check", "users"]).expect_code(0);
    assert!(ready.stdout.contains("users: ready, 1 stream selected"), "{ready}");
    assert_eq!(asked(&project, "check"), 1);
    let status = json!({ "status": "FAILED", "message": "no luck with hunter2" });
    let failed = json!([{ "type": "CONNECTION_STATUS", "connectionStatus": status }]);
    edit(&project, "users", |pipeline| pipeline["tap"]["config"]["check"] = failed);
    let refused = project.run(["check", "users"]).expect_code(78);
    assert!(refused.stderr.contains("E0416") && refused.stderr.contains("no luck with ***"), "{refused}");
    let _ = project.run(["run", "users", "--dry-run"]).expect_code(0);
    assert_eq!(asked(&project, "check"), 2, "a run finds out by itself");
}

#[test]
fn an_edited_manifest_ends_the_catalog_that_is_kept() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    pipeline(&project, "users", &warehouse, true, &[complete()]);
    edit(&project, "users", |pipeline| {
        pipeline["tap"]["manifest"] = json!("m.yaml");
        pipeline["tap"]["discovery_cache"] = json!("12h");
    });
    for (manifest, discoveries) in [("one", 1), ("one", 1), ("two", 2)] {
        project.write("m.yaml", format!("spec: {{ connection_specification: {{ title: {manifest} }} }}\n"));
        let _ = project.run(["run", "users"]).expect_code(0);
        assert_eq!(asked(&project, "discover"), discoveries, "{manifest}");
    }
}

#[test]
fn a_key_in_a_nested_object_is_one_where_that_is_flattened() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let record = |id: u64, name: &str| {
        let data = json!({ "meta": { "id": id }, "name": name });
        json!({ "type": "RECORD", "record": { "stream": "users", "data": data, "emitted_at": 1 } })
    };
    pipeline(
        &project,
        "users",
        &warehouse,
        true,
        &[record(1, "a"), record(2, "b"), record(1, "c"), complete()],
    );
    edit(&project, "users", |pipeline| {
        let stream = &mut pipeline["tap"]["config"]["discover"][0]["catalog"]["streams"][0];
        let id = json!({ "type": "object", "properties": { "id": { "type": "integer" } } });
        stream["json_schema"]["properties"] = json!({ "meta": id, "name": { "type": "string" } });
        stream["source_defined_primary_key"] = json!([["meta", "id"]]);
        pipeline["streams"] = json!({ "users": { "flatten": 1, "key_properties": ["meta__id"] } });
    });
    let run = project.run(["run", "users"]).expect_code(0);
    let found = warehouse.rows("SELECT meta__id, name FROM users ORDER BY meta__id");
    let text = |cell: &str| Some(cell.to_owned());
    assert_eq!(found, [[text("1"), text("c")], [text("2"), text("b")]], "{run}");
    let log = project.run(["discover", "users"]).expect_code(0);
    assert!(log.stdout.contains("users"), "{log}");
}

/// tapster that may install from `PyPI`.
fn tapster(project: &Project, words: &[&str]) -> Outcome {
    let mut command = project.tapster(words);
    python::may_install(&mut command);
    project.outcome(&mut command)
}

#[test]
fn the_faker_of_airbyte_is_read_on_and_its_full_table_replaced() {
    let project = Project::new();
    let example = std::fs::read_to_string(workspace().join("pipelines/faker.yml")).expect("the example");
    let target = example.lines().find(|line| line.starts_with("target: ")).expect("its target");
    for (name, warehouse) in warehouses(&project) {
        let pipeline = example.replace(target, &format!("target: {}", warehouse.block()));
        project.write(&format!("pipelines/{name}.yml"), pipeline);
        let checked = tapster(&project, &["check", name]).expect_code(0);
        assert!(checked.stdout.contains("ready, 3 streams selected"), "{checked}");
        let _ = tapster(&project, &["run", name]).expect_code(0);
        let count = |table: &str| warehouse.value(&format!("SELECT count(*) FROM {table}"));
        assert_eq!(count("users").as_deref(), Some("60"));
        assert_eq!(count("products").as_deref(), Some("60"));
        let first = warehouse.value("SELECT name || email || created_at FROM users WHERE id = 33");
        let (purchases, updated) = (count("purchases"), "SELECT max(updated_at) FROM users");
        let read = warehouse.value(updated);
        // So nothing of the two is read again; the third is replaced.
        let _ = tapster(&project, &["run", name]).expect_code(0);
        assert_eq!((count("users").as_deref(), count("purchases")), (Some("60"), purchases));
        assert_eq!(warehouse.value(updated), read);
        assert_eq!(warehouse.value("SELECT name || email || created_at FROM users WHERE id = 33"), first);
        let versions = "SELECT count(DISTINCT _sdc_table_version) FROM products";
        assert_eq!(
            (count("products").as_deref(), warehouse.value(versions).as_deref()),
            (Some("60"), Some("1"))
        );
    }
    let state = project.run(["state", "get", "duckdb"]).expect_code(0);
    assert!(state.stdout.contains("loop_offset"), "{state}");
}

#[test]
fn a_manifest_makes_a_source() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            let _ = lines.take_while(|line| !line.is_empty()).count();
            let found = first.starts_with("GET /words ");
            let body = r#"{"items":[{"id":1,"word":"be"},{"id":2,"word":"or"}]}"#;
            let (status, body) = if found { ("200 OK", body) } else { ("404 Not Found", "{}") };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}",
                body.len()
            );
            let _ = write!(&stream, "{head}\r\nConnection: close\r\n\r\n{body}");
        }
    });
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    project.write("sources/words.yaml", MANIFEST);
    project.write("sources/components.py", COMPONENTS);
    let describe = |config: Value| {
        let tap = json!({
            "airbyte": "airbyte-cdk==6.61.6",
            "python": "3.11",
            "manifest": "sources/words.yaml",
            "config": config,
        });
        project.pipeline("words", &json!({ "tap": tap, "target": warehouse.block() }));
    };
    describe(json!({}));
    let refused = tapster(&project, &["check", "words"]).expect_code(78);
    assert!(refused.stderr.contains("it lacks `url`"), "{refused}");
    describe(json!({ "url": url }));
    let _ = tapster(&project, &["run", "words"]).expect_code(0);
    let found = warehouse.value("SELECT string_agg(word, ' ' ORDER BY id) FROM words");
    assert_eq!(found.as_deref(), Some("be! or!"));
    let state = warehouse.value("SELECT tap FROM _tapster_state");
    assert_eq!(state.as_deref(), Some("airbyte-cdk words.yaml"));
}

const MANIFEST: &str = r#"
version: 6.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [words] }
streams:
  - type: DeclarativeStream
    name: words
    primary_key: [id]
    retriever:
      type: SimpleRetriever
      requester: { type: HttpRequester, url_base: "{{ config['url'] }}", path: /words, http_method: GET }
      record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [items] } }
    transformations: [{ type: CustomTransformation, class_name: source_declarative_manifest.components.Shout }]
    schema_loader:
      type: InlineSchemaLoader
      schema: { type: object, properties: { id: { type: integer }, word: { type: string } } }
spec:
  type: Spec
  connection_specification:
    type: object
    required: [url]
    properties: { url: { type: string, description: Where the words are. } }
"#;

/// A class of the manifest's own.
const COMPONENTS: &str = r#"
from dataclasses import dataclass

from airbyte_cdk.sources.declarative.transformations import RecordTransformation


@dataclass
class Shout(RecordTransformation):
    def transform(self, record, config=None, stream_state=None, stream_slice=None):
        record["word"] += "!"
"#;
