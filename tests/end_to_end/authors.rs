//! What tapster gives to people who write taps and targets: new taps, tests of theirs, and the code of the guides.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tests::processes::{gone_within, of_folder};
use tests::programs::{self, workspace};
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

/// By whatever death: neither the tested program nor the folder with its config is left.
#[test]
fn a_test_that_is_killed_leaves_nothing() {
    let project = Project::new();
    fs::create_dir(project.path().join("tmp")).expect("tmp/");
    let mut command = project.tapster(["test", "tap", "--", "sh", "-c", "echo > started; sleep 600; true"]);
    command.env("TMPDIR", project.path().join("tmp")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut test = command.spawn().expect("tapster starts");
    while !project.path().join("started").exists() {
        assert_eq!(test.try_wait().expect("it is our child"), None, "the test ends by itself");
    }
    let temporary = || fs::read_dir(project.path().join("tmp")).expect("tmp/").count();
    assert_ne!((temporary(), of_folder(project.path()).len()), (0, 0));
    test.kill().expect("it still runs");
    test.wait().expect("it is our child");
    assert_eq!(gone_within(project.path(), Duration::from_secs(10)), []);
    assert_eq!(temporary(), 0);
}

/// A new tap passes every check, loads, goes on, leaves out what is not selected, and ends when it is asked in the middle.
fn new_tap_works(language: &str) {
    let project = Project::new();
    let said = project.run(["new", "tap", "made", "--lang", language]).expect_code(0);
    assert!(said.stdout.contains("tapster test tap --pipeline made"), "{said}");
    if language == "rust" {
        build_rust(&project.path().join("taps/made"));
    }
    let all = verdicts(&project, "tap", &["--pipeline", "made"], 0);
    holds_but_for(&all, &["selection"]);
    let one = verdicts(&project, "tap", &["--pipeline", "made", "--select", "numbers"], 0);
    holds_but_for(&one, &[]);

    let warehouse = Warehouse::duckdb(project.path());
    let set_count = |count: u64| {
        let path = project.path().join("pipelines/made.yml");
        let text = fs::read_to_string(&path).expect("written by `new tap`");
        let line = text.lines().find(|line| line.contains("count:")).expect("a count").to_owned();
        fs::write(&path, text.replace(&line, &format!("    count: {count}"))).expect("the pipeline");
    };
    let loaded =
        || warehouse.rows("SELECT count(*), sum(square), (SELECT count(*) FROM colours) FROM numbers");
    let row = |values: [&str; 3]| vec![values.map(|value| Some(value.to_owned())).to_vec()];
    let _ = project.run(["run", "made"]).expect_code(0);
    assert_eq!(loaded(), row(["1000", "333833500", "2"]));
    set_count(1010);
    let told = project.run(["run", "made", "--json"]).expect_code(0);
    assert_eq!(loaded(), row(["1010", "343943885", "2"]));
    let document: Value = serde_json::from_str(&told.stdout).expect("a document");
    let streams = document["streams"].as_array().expect("streams").iter();
    let read: Vec<_> = streams.map(|stream| stream["records_read"].clone()).collect();
    assert_eq!(read, [10, 2], "only what is new: {document:#}");

    set_count(1_000_000_000);
    let words = ["--pipeline", "made", "--records", "2000"];
    let cut = verdicts(&project, "tap", &words, 0);
    assert_eq!(
        (&cut["sigterm"], &cut["closed-pipe"], &cut["exit"]),
        (&json!("ok"), &json!("ok"), &json!("skipped"))
    );
}

/// Builds as its author would, from what this workspace has downloaded.
fn build_rust(folder: &Path) {
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("its versions");
    let target = workspace().join("target/new-tap");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--offline", "--target-dir"]).arg(&target).current_dir(folder);
    let built = cargo.env("RUSTFLAGS", "-Dwarnings").output().expect("cargo starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let release = folder.join("target/release");
    fs::create_dir_all(&release).expect("its folder");
    fs::copy(target.join("debug/made"), release.join("made")).expect("the program");
}

#[test]
fn a_new_tap_in_python_works() {
    new_tap_works("python");
}

#[test]
fn a_new_tap_in_node_works() {
    new_tap_works("node");
}

#[test]
fn a_new_tap_in_bash_works() {
    new_tap_works("bash");
}

#[test]
fn a_new_tap_in_rust_works() {
    new_tap_works("rust");
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

/// The first block of a guide in this language that begins so.
fn block(guide: &str, language: &str, start: &str) -> String {
    let text = fs::read_to_string(workspace().join("docs/guides").join(guide)).expect("the guide");
    let fence = format!("```{language}\n{start}");
    let from = text.find(&fence).unwrap_or_else(|| panic!("{guide} has no block that begins with {start}"));
    let code = &text[from + language.len() + 4..];
    code[..code.find("```").expect("its end")].to_owned()
}

#[test]
fn the_messages_of_the_guide_load() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let stream = project.write("orders.singer", block("write-a-tap.md", "json", "{\"type\""));
    project.pipeline("orders", &json!({ "tap": Project::replay(&stream), "target": warehouse.block() }));
    let _ = project.run(["run", "orders"]).expect_code(0);
    let found = warehouse.rows("SELECT id, total FROM orders ORDER BY id");
    assert_eq!(found, [[Some("1".into()), Some("12.5".into())], [Some("2".into()), None]]);
}

#[test]
fn the_tap_of_the_guide_passes_the_test_of_taps_and_goes_on() {
    let project = Project::new();
    project.write("words.sh", block("write-a-tap.md", "sh", "#!"));
    let told = verdicts(&project, "tap", &["--", "sh", "words.sh"], 0);
    holds_but_for(&told, &["discovery", "catalog", "selection"]);
    let warehouse = Warehouse::duckdb(project.path());
    let tap = json!({ "command": ["sh", "words.sh"], "catalog": false });
    project.pipeline("words", &json!({ "tap": tap, "target": warehouse.block() }));
    for _ in 0..2 {
        let _ = project.run(["run", "words"]).expect_code(0);
    }
    assert_eq!(warehouse.value("SELECT count(*) FROM words").as_deref(), Some("6"));
}

#[test]
fn the_target_of_the_guide_passes_the_test_of_targets() {
    let project = Project::new();
    project.write("target.py", block("write-a-target.md", "python", "#!"));
    project.write("config.json", r#"{"path": "out"}"#);
    let words = ["--config", "config.json", "--", "python3", "target.py"];
    holds_but_for(&verdicts(&project, "target", &words, 0), &[]);

    let stream = project.write("orders.singer", block("write-a-tap.md", "json", "{\"type\""));
    let target = json!({ "command": ["python3", "target.py"], "config": { "path": "relayed" } });
    project.pipeline("orders", &json!({ "tap": Project::replay(&stream), "target": target }));
    let _ = project.run(["run", "orders"]).expect_code(0);
    let loaded = fs::read_to_string(project.path().join("relayed/orders.jsonl")).expect("the target's file");
    assert_eq!(loaded.lines().count(), 3, "{loaded}");
}
