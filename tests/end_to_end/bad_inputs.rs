//! What people and taps get wrong: each prints a coded error with place and fix, exits with its documented code,
//! and loses nothing. The snapshots are the contract.

mod messages;

use std::path::Path;

use serde_json::{Value, json};
use tests::programs::{file, workspace};
use tests::project::{Outcome, Project};
use tests::script::Script;
use tests::warehouse::Warehouse;

use crate::support::{Gate, assert_exact, cluster, scripted};

/// Compares with the snapshot, and holds what is true of every error.
#[track_caller]
fn refused(name: &str, outcome: &Outcome) {
    let text = outcome.to_string();
    let code =
        outcome.stderr.split_once("error[").and_then(|(_, rest)| rest.split_once(']')).map(|(code, _)| code);
    let code = code.unwrap_or_else(|| panic!("no coded error: {text}"));
    let page = workspace().join(format!("docs/errors/{code}.md"));
    assert!(page.exists(), "{code} has no page: {text}");
    assert!(!text.contains("4711"), "a value or a secret is shown: {text}");
    // E0353 holds three commands to type.
    assert!(
        code == "E0353" || length(&outcome.stderr) <= 400,
        "{} characters: {text}",
        length(&outcome.stderr)
    );
    insta::with_settings!({
        snapshot_path => "bad_inputs",
        prepend_module_to_snapshot => false,
        omit_expression => true,
        filters => filters(),
    }, {
        insta::assert_snapshot!(name, text);
    });
}

/// Characters of an error, without the lines that it quotes: of the file, or of the tap.
fn length(stderr: &str) -> usize {
    let told = stderr.lines().filter(|line| !line.contains(" | ") && !line.starts_with("  tap said: "));
    told.map(|line| line.chars().count()).sum()
}

fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[RUN]"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
        (r"test_\d+", "[DATABASE]"),
        (r"pid \d+ on \w+", "pid [PID] on [HOST]"),
        (r"discover-\d+-\d+", "discover-[N]"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.:+Z]*", "[TIME]"),
        (r"\b\d\d:\d\d:\d\d\b", "[TIME]"),
        (r"\b\d+(\.\d+)? ?(ms|s)\b", "[DURATION]"),
        (r"(position|checksum) \d+", "$1 [N]"),
        (r"the \d+ folders of PATH", "the [N] folders of PATH"),
        (r"/[^ ]*/target/[^ ]*/end-to-end/[0-9-]+", "[PROGRAMS]"),
    ]
}

/// A project with this pipeline, written as people write it; `DATABASE` in it is a DuckDB file.
fn project(pipeline: &str) -> (Project, Warehouse) {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    project.write("pipelines/orders.yml", pipeline);
    project.write("data/orders.csv", "id,name\n1,one\n2,two\n");
    (project, warehouse)
}

const FILE: &str = "tap: { name: tap-csv, config: { files: [ { path: data/orders.csv, stream: orders, key_properties: [id] } ] } }\n";
const TARGET: &str = "target: { name: target-duckdb, config: { path: warehouse.duckdb } }\n";

#[track_caller]
fn file_refused(name: &str, pipeline: &str, code: i32) {
    let (project, _) = project(pipeline);
    refused(name, &project.run(["run", "orders", "--quiet"]).expect_code(code));
    assert!(!project.path().join("warehouse.duckdb").exists(), "the target was touched");
}

#[test]
fn a_size_that_is_none() {
    file_refused("size", &format!("{FILE}{TARGET}limits: {{ batch_bytes: 64MBB }}\n"), 78);
}

#[test]
fn a_port_that_is_none() {
    let target = "target: { name: target-postgres, config: { host: localhost, user: a, port: 70000 } }\n";
    file_refused("port", &format!("{FILE}{target}"), 78);
}

#[test]
fn a_port_with_a_letter_in_it() {
    let target = "target:\n  name: target-postgres\n  config: { host: localhost, user: a, port: \"54a2\" }\n";
    file_refused("port-text", &format!("{FILE}{target}"), 78);
}

#[test]
fn a_key_that_is_misspelt() {
    file_refused("unknown-key", &format!("{FILE}tarjet: {{ name: target-duckdb }}\n"), 78);
}

#[test]
fn a_key_that_is_there_twice() {
    file_refused("duplicate-key", &format!("{FILE}{TARGET}limits: {{}}\n{TARGET}"), 78);
}

#[test]
fn a_tab_in_the_yaml() {
    file_refused("yaml-tab", "tap:\n\tname: tap-csv\n", 78);
}

#[test]
fn yaml_that_grows_without_end() {
    let line = |name: char, of: &str| format!("x-{name}: &{name} [{}]\n", [of; 10].join(", "));
    let rest: String = ('b'..='h').zip('a'..='g').map(|(name, of)| line(name, &format!("*{of}"))).collect();
    let text = line('a', "l") + &rest;
    file_refused("yaml-bomb", &format!("{text}{FILE}{TARGET}"), 78);
}

#[test]
fn a_variable_that_is_not_set() {
    let target = "target: { name: target-postgres, config: { host: localhost, user: a, password: \"${env:PG_PASSWORD}\" } }\n";
    file_refused("variable", &format!("{FILE}{target}"), 78);
}

/// A project whose `config` takes a secret from a file that everybody may read.
#[track_caller]
fn shared_secret(name: &str, file: &str, project_file: &str, secret: &str) {
    let (project, _) = project(&format!("tap: {{ command: [./tap], env: {{ A: \"{secret}\" }} }}\n{TARGET}"));
    project.write("tapster.yml", project_file);
    let path = project.write(file, "PG_PASSWORD=secret-4711\n");
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("chmod");
    refused(name, &project.run(["run", "orders", "--quiet"]).expect_code(78));
    assert!(!project.path().join("warehouse.duckdb").exists(), "the target was touched");
}

#[test]
fn an_env_file_that_everybody_may_read() {
    shared_secret("env-file-shared", ".env", "env_file: .env\n", "${env:PG_PASSWORD}");
}

#[test]
fn a_file_with_a_secret_that_everybody_may_read() {
    shared_secret("secret-file-shared", "secrets/pg", "limits: {}\n", "${file:secrets/pg}");
}

#[test]
fn a_program_that_is_missing() {
    file_refused("tap-missing", &format!("tap: {{ command: [tap-nowhere] }}\n{TARGET}"), 78);
}

#[test]
fn a_program_whose_interpreter_is_gone() {
    let (project, _) = project(&format!("tap: {{ command: [./tap.py] }}\n{TARGET}"));
    let tap = project.write("tap.py", "#!/venv/that/has/moved/bin/python\n");
    std::fs::set_permissions(tap, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("chmod");
    refused("tap-interpreter", &project.run(["run", "orders", "--quiet"]).expect_code(78));
}

#[test]
fn a_program_that_is_not_executable() {
    let (project, _) = project(&format!("tap: {{ command: [./tap.py] }}\n{TARGET}"));
    let tap = project.write("tap.py", "#!/bin/sh\n");
    std::fs::set_permissions(tap, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("chmod");
    refused("tap-not-executable", &project.run(["run", "orders", "--quiet"]).expect_code(78));
}

#[test]
fn a_stream_that_the_tap_does_not_offer() {
    file_refused(
        "stream-not-offered",
        &format!("{FILE}{TARGET}streams: {{ order: include, orders: include }}\n"),
        78,
    );
}

#[test]
fn a_selection_of_nothing() {
    file_refused("nothing-selected", &format!("{FILE}{TARGET}streams: {{ \"shop-*\": include }}\n"), 78);
}

#[test]
fn a_catalog_that_is_not_json() {
    let (project, _) = project(&format!("tap: {{ command: [cat], catalog: catalogs/app.json }}\n{TARGET}"));
    project.write("catalogs/app.json", "{\"streams\": [\n  {\"tap_stream_id\": 4711\n");
    let outcome = project.run(["run", "orders", "--quiet"]);
    refused("catalog", &outcome.expect_code(78));
    assert!(!project.path().join("warehouse.duckdb").exists(), "the target was touched");
}

#[test]
fn a_second_run() {
    let project = Project::new();
    let (gate, script) = (Gate::new(&project), Script::plain(7, 2_000));
    let warehouse = Warehouse::duckdb(project.path());
    project.pipeline("orders", &scripted(&script.clone().act(1_011, gate.act()), &warehouse));
    let mut first = project.start("orders", None);
    first.wait_for(|line| line.is_checkpoint_at(1_000));
    refused("second-run", &project.run(["run", "orders", "--quiet"]).expect_code(75));
    gate.open();
    assert_eq!(first.finish().0, Some(0), "it goes on undisturbed");
    assert_exact(&warehouse, &script, 2_000);
}

#[test]
fn a_pipeline_that_is_not_there() {
    let (project, _) = project(&format!("{FILE}{TARGET}"));
    refused("pipeline-missing", &project.run(["run", "order"]).expect_code(78));
}

#[test]
fn a_key_of_the_tap_that_is_misspelt() {
    file_refused(
        "tap-setting",
        &format!("{}{TARGET}", FILE.replace("stream:", "delimeter: \";\", stream:")),
        78,
    );
}

#[test]
fn a_key_that_changes() {
    // One record more, whose new key another one has.
    let both = FILE.replace("[id]", "[id, name]");
    let (project, warehouse) = project(&format!("{both}{TARGET}"));
    project.write("data/orders.csv", "id,name\n1,one\n1,two\n");
    let _ = project.run(["run", "orders"]).expect_code(0);
    project.write("pipelines/orders.yml", format!("{FILE}{TARGET}"));
    project.write("data/orders.csv", "id,name\n1,one\n1,two\n3,three\n");
    refused("key-changes", &project.run(["run", "orders", "--quiet"]).expect_code(78));
    assert_eq!(warehouse.value("SELECT count(*) FROM orders").as_deref(), Some("2"));
}

#[track_caller]
fn postgres_refused(name: &str, change: impl Fn(&mut Value), code: i32) {
    let (project, _) = project("");
    let Warehouse::Postgres(database) = Warehouse::postgres() else { unreachable!("it was asked for") };
    let mut config = database.settings();
    change(&mut config);
    let tap = json!({ "command": ["sh", file("taps/tap_words.sh")] });
    project.pipeline(
        "orders",
        &json!({ "tap": tap, "target": { "name": "target-postgres", "config": config } }),
    );
    refused(name, &project.run(["run", "orders", "--quiet"]).expect_code(code));
}

#[test]
fn a_wrong_password() {
    postgres_refused("password", |config| config["password"] = json!("wrong-4711"), 78);
}

#[test]
fn a_database_that_is_not_there() {
    postgres_refused("database", |config| config["database"] = json!("nowhere"), 78);
}

#[test]
fn a_server_that_is_not_there() {
    // Nobody may listen on it, and nobody does.
    postgres_refused("server", |config| config["port"] = json!(1), 69);
}

#[test]
fn a_server_without_tls() {
    assert!(cluster().port() > 0);
    postgres_refused("tls", |config| config["sslmode"] = json!("verify-full"), 78);
}

#[test]
fn a_file_that_is_no_database() {
    let (project, _) = project(&format!("{FILE}{TARGET}"));
    project.write("warehouse.duckdb", "4711, not a database\n".repeat(1_000));
    let outcome = project.run(["run", "orders", "--quiet"]);
    assert!(outcome.code.is_some_and(|code| [69, 78].contains(&code)), "{outcome}");
    refused("no-database", &outcome);
    assert!(Path::new(&project.path().join("warehouse.duckdb")).exists(), "it is left alone");
}

#[test]
fn a_write_ahead_log_that_is_broken() {
    let project = Project::new();
    let (warehouse, script) = (Warehouse::duckdb(project.path()), Script::plain(7, 2_000));
    project.pipeline("orders", &scripted(&script, &warehouse));
    let mut run = project.start("orders", Some("duckdb::after_commit=20*off->pause"));
    run.wait_for(|line| line.phase() == Some("commit_sent") && line.text.contains("\"sequence\":21"));
    run.kill();
    let (file, log) = (project.path().join("warehouse.duckdb"), project.path().join("warehouse.duckdb.wal"));
    let mut bytes = std::fs::read(&log).expect("a killed run leaves its log");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8].fill(0x47);
    std::fs::write(&log, &bytes).expect("the log");
    let before = std::fs::read(&file).expect("the file");
    refused("broken-log", &project.run(["run", "orders", "--quiet"]).expect_code(69));
    let after = (std::fs::read(&file).expect("the file"), std::fs::read(&log).expect("the log"));
    assert!(after == (before, bytes), "both are left as they are");
    // The way out that the error names.
    std::fs::rename(&log, project.path().join("warehouse.duckdb.wal.broken")).expect("put away");
    let _ = project.run(["run", "orders"]).expect_code(0);
    assert_exact(&warehouse, &script, 2_000);
}

#[test]
fn a_ledger_that_is_broken() {
    let (project, warehouse) = project(&format!("{FILE}{TARGET}"));
    let _ = project.run(["run", "orders"]).expect_code(0);
    project.write(".tapster/ledger.sqlite", "4711, not a database\n".repeat(1_000));
    refused("broken-ledger", &project.run(["run", "orders", "--quiet"]).expect_code(69));
    assert_eq!(warehouse.value("SELECT count(*) FROM orders").as_deref(), Some("2"));
}

#[test]
fn a_table_of_another_pipeline() {
    let (project, warehouse) = project(&format!("{FILE}{TARGET}"));
    let _ = project.run(["run", "orders"]).expect_code(0);
    project.write("pipelines/other.yml", format!("{FILE}{TARGET}"));
    refused("another-pipelines-table", &project.run(["run", "other", "--quiet"]).expect_code(78));
    assert_eq!(warehouse.value("SELECT count(*) FROM orders").as_deref(), Some("2"));
}

#[test]
fn a_state_of_another_tap() {
    let (project, warehouse) = project(&format!("{FILE}{TARGET}"));
    let _ = project.run(["run", "orders"]).expect_code(0);
    let tap = json!({ "command": ["sh", file("taps/tap_words.sh")] });
    project.pipeline("orders", &json!({ "tap": tap, "target": warehouse.block() }));
    refused("another-taps-state", &project.run(["run", "orders", "--quiet"]).expect_code(78));
    assert_eq!(warehouse.value("SELECT count(*) FROM orders").as_deref(), Some("2"));
}
