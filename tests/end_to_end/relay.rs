//! Targets that are programs of their own: what they are given, what is kept of what they say, and who is blamed.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tests::processes::gone_within;
use tests::project::{Outcome, Project};
use tests::script::{Act, Script};
use tests::{programs, python};

use crate::support::{Gate, hostile_tap, scripted_into};

mod verbs;

/// A project whose target writes down what it reads.
struct Relayed {
    project: Project,
    script: Script,
}

impl Relayed {
    /// `more` is the target's config besides its path.
    fn new(script: Script, more: &Value) -> Self {
        let relayed = Self { project: Project::new(), script };
        relayed.pipeline(more, &json!({}));
        relayed
    }

    /// The pipeline once more, with another config and further keys.
    fn pipeline(&self, more: &Value, keys: &Value) {
        let mut config = json!({ "path": self.path(), "password": "hunter2" });
        let entries = more.as_object().expect("a map").clone();
        config.as_object_mut().expect("a map").extend(entries);
        let program = programs::file("targets/hostile_target.py");
        let target = json!({ "command": ["python3", program], "config": config });
        let mut pipeline = scripted_into(&self.script, &target);
        let keys = keys.as_object().expect("a map").clone();
        pipeline.as_object_mut().expect("a map").extend(keys);
        self.project.pipeline("orders", &pipeline);
    }

    fn path(&self) -> PathBuf {
        self.project.path().join("read.singer")
    }

    /// What the target has read in all runs.
    fn read(&self) -> String {
        fs::read_to_string(self.path()).unwrap_or_default()
    }

    fn run(&self, words: &[&str]) -> Outcome {
        self.project.run([&["run", "orders"], words].concat())
    }

    /// The number of the record that the kept STATE names.
    fn kept(&self) -> Option<u64> {
        let text = self.project.run(["state", "get", "orders"]).expect_code(0).stdout;
        let state: Value = serde_json::from_str(text.trim()).ok()?;
        state["bookmarks"]["all"]["at"].as_u64()
    }

    /// What the tap says when nobody is between.
    fn said(&self) -> String {
        let config = self.project.write("script.json", serde_json::to_string(&self.script).expect("JSON"));
        let output = Command::new(hostile_tap()).arg("--config").arg(config).output().expect("the tap");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    #[track_caller]
    fn assert_nothing_left(&self) {
        assert_eq!(gone_within(self.project.path(), Duration::from_secs(2)), []);
        assert_eq!(self.project.private_folders(), Vec::<PathBuf>::new());
    }
}

/// The numbers of the records in what was read.
fn numbers(read: &str) -> Vec<u64> {
    let messages = read.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    messages.filter_map(|message| message["record"]["n"].as_u64()).collect()
}

#[test]
fn every_byte_goes_through_and_the_next_run_goes_on_from_what_the_target_printed() {
    let relayed = Relayed::new(Script::plain(3, 1_000), &json!({}));
    let first = relayed.run(&[]).expect_code(0);
    assert_eq!(relayed.read(), relayed.said());
    assert!(
        first.stdout.contains("orders: 1,000 records") && !first.stdout.contains("The data is in"),
        "{first}"
    );
    assert!(first.stderr.contains("no key in events") && first.stderr.contains("there twice"), "{first}");
    assert_eq!(relayed.kept(), Some(1_000));
    let longer = Relayed { script: Script::plain(3, 1_500), ..relayed };
    longer.pipeline(&json!({}), &json!({}));
    let second = longer.run(&["--json"]).expect_code(0);
    assert!(!second.stderr.contains("no key in"), "{second}");
    let document: Value = serde_json::from_str(&second.stdout).expect("JSON");
    assert_eq!(document["streams"][0]["records_written"], 250, "{second}");
    assert_eq!(numbers(&longer.read()), (1..=1_500).collect::<Vec<_>>());
    let history = longer.project.run(["state", "history", "orders"]).expect_code(0);
    assert!(history.stdout.contains("\"at\": 1500"), "{history}");
    longer.assert_nothing_left();
}

#[test]
fn a_full_refresh_starts_over_and_says_that_the_tables_stay() {
    let relayed = Relayed::new(Script::plain(3, 100), &json!({}));
    let _ = relayed.run(&[]).expect_code(0);
    let again = relayed.run(&["--full-refresh"]).expect_code(0);
    assert!(again.stderr.contains("only python3 hostile_target.py can empty its tables"), "{again}");
    assert_eq!(numbers(&relayed.read()).len(), 200);
    assert_eq!(relayed.kept(), Some(100));
}

#[test]
fn the_state_verbs_change_where_the_next_run_begins() {
    let relayed = Relayed::new(Script::plain(3, 100), &json!({}));
    let _ = relayed.run(&[]).expect_code(0);
    relayed.project.write("state.json", r#"{"bookmarks":{"all":{"at":90}}}"#);
    let _ = relayed.project.run(["state", "set", "orders", "state.json", "--yes"]).expect_code(0);
    assert_eq!(relayed.kept(), Some(90));
    let dry = relayed.run(&["--dry-run"]).expect_code(0);
    assert!(dry.stdout.contains("known to python3 hostile_target.py alone"), "{dry}");
    let _ = relayed.run(&[]).expect_code(0);
    assert_eq!(numbers(&relayed.read()).split_off(100), (91..=100).collect::<Vec<_>>());
    let _ = relayed.project.run(["state", "clear", "orders", "--yes"]).expect_code(0);
    assert_eq!(relayed.kept(), None);
    let _ = relayed.run(&[]).expect_code(0);
    assert_eq!(numbers(&relayed.read()).len(), 210);
    let history = relayed.project.run(["state", "history", "orders"]).expect_code(0);
    assert!(history.stdout.contains(" set ") && history.stdout.contains(" clear "), "{history}");
    // Another tap does not know what this one has written.
    let read = relayed.project.write("other.sh", "exit 0\n");
    let mut pipeline: Value = serde_json::from_str(
        &fs::read_to_string(relayed.project.path().join("pipelines/orders.yml")).expect("the file"),
    )
    .expect("JSON");
    pipeline["tap"] = json!({ "command": ["sh", read], "catalog": false });
    relayed.project.pipeline("orders", &pipeline);
    let refused = relayed.run(&[]).expect_code(78);
    assert!(refused.stderr.contains("E0322"), "{refused}");
}

#[test]
fn what_is_not_selected_does_not_reach_the_target() {
    let relayed = Relayed::new(Script::plain(3, 100), &json!({}));
    relayed.pipeline(&json!({}), &json!({ "streams": { "*": { "columns": { "text": "exclude" } } } }));
    let _ = relayed.run(&[]).expect_code(0);
    let expected: String = relayed
        .said()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["type"] == "RECORD")
        .map(|mut message| {
            message["record"].as_object_mut().expect("a record").remove("text");
            message.to_string() + "\n"
        })
        .collect();
    let records = |text: &str| {
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.filter(|message| message["type"] == "RECORD").collect::<Vec<_>>()
    };
    assert_eq!(records(&relayed.read()), records(&expected));
    assert!(!relayed.read().contains("text"), "{}", relayed.read());
    // A tap that does not obey its catalog.
    relayed.pipeline(&json!({}), &json!({ "streams": { "items": "include" } }));
    let refused = relayed.run(&["--full-refresh"]).expect_code(65);
    assert!(refused.stderr.contains("error[E0206]"), "{refused}");
    relayed.pipeline(&json!({}), &json!({ "streams": { "*": { "target_schema": "raw" } } }));
    let refused = relayed.run(&[]).expect_code(78);
    assert!(refused.stderr.contains("does not go by `target_schema`"), "{refused}");
    let refused = relayed.project.run(["check", "--offline"]).expect_code(78);
    assert!(refused.stdout.contains("E0123") || refused.stderr.contains("E0123"), "{refused}");
}

/// A line in the midst of 1,000 records, a STATE behind each 20.
const MIDST: u64 = 500;

#[test]
fn a_target_that_fails_is_named_and_what_it_printed_is_kept() {
    for (acts, code, exit_code, told) in [
        (json!([[MIDST, "exit 3"]]), "E0420", 69, "the target exited 3"),
        (json!([[MIDST, "kill 9"]]), "E0421", 69, "killed by signal 9"),
        (json!([[MIDST, "exit 0"]]), "E0422", 69, "exited 0 before it had read all"),
        (json!([[MIDST, "close"]]), "E0422", 69, "closed its input before"),
        (json!([[MIDST, "close and-exit"]]), "E0420", 69, "the target exited 1"),
        (json!([[0, "exit 0"]]), "E0422", 69, "exited 0 before it had read all"),
    ] {
        // More than the pipes hold: the tap cannot end before.
        let script = Script::plain(3, 1_000).act(900, Act::BigRecord(8 << 20));
        let relayed = Relayed::new(script, &json!({ "acts": acts }));
        let failed = relayed.run(&[]).expect_code(exit_code);
        assert!(
            failed.stderr.contains(&format!("error[{code}]")) && failed.stderr.contains(told),
            "{failed}"
        );
        assert!(failed.stderr.contains("target said: target does"), "{failed}");
        assert!(failed.stdout.contains("is not known; the run failed"), "{failed}");
        assert!(!failed.stdout.contains("committed") && !failed.stderr.contains("hunter2"), "{failed}");
        relayed.assert_nothing_left();
        let kept = relayed.kept();
        // It has printed the STATE of every 20th record that it had read, two SCHEMAs before them.
        assert_eq!(kept, (acts[0][0] == MIDST).then_some(460), "{acts}");
        let shown = relayed.project.run(["runs", "show", "orders"]).expect_code(0);
        assert!(shown.stdout.contains("target said") && !shown.stdout.contains("nothing after"), "{shown}");
        relayed.pipeline(&json!({}), &json!({}));
        let _ = relayed.run(&[]).expect_code(0);
        assert_eq!(relayed.kept(), Some(1_000));
    }
}

/// All of the tap's output fits into the pipe: whether it was read is asked of the pipe.
#[test]
fn a_target_that_reads_nothing_of_a_short_output_has_not_loaded_it() {
    let relayed = Relayed::new(Script::plain(3, 10), &json!({ "acts": [[0, "exit 0"]] }));
    let failed = relayed.run(&[]).expect_code(69);
    assert!(failed.stderr.contains("error[E0422]"), "{failed}");
}

#[test]
fn what_a_target_prints_besides_is_warned_of_and_not_shown() {
    let acts = json!([[100, "say Loaded hunter of 17 widgets"], [120, "say 42"], [140, "say {\"broken\": "]]);
    let relayed = Relayed::new(Script::plain(3, 1_000), &json!({ "acts": acts, "state_every": 0 }));
    let outcome = relayed.run(&[]).expect_code(0);
    assert_eq!(outcome.stderr.matches("a line that is no STATE").count(), 3, "{outcome}");
    assert!(!outcome.stderr.contains("widgets"), "{outcome}");
    assert_eq!(relayed.kept(), Some(1_000), "the only STATE came at the end");
}

#[test]
fn a_tap_that_fails_is_named_and_the_target_finishes() {
    let relayed = Relayed::new(Script::plain(3, 1_000).act(501, Act::Exit(3)), &json!({ "state_every": 0 }));
    let failed = relayed.run(&[]).expect_code(76);
    assert!(failed.stderr.contains("error[E0401]"), "{failed}");
    assert!(failed.stderr.contains("after sending 500 records"), "{failed}");
    assert_eq!((relayed.kept(), numbers(&relayed.read()).len()), (Some(500), 500));
    relayed.assert_nothing_left();
    // A target that fails because its input ended early is not the cause.
    let end = json!({ "state_every": 1, "end": "exit 5" });
    let relayed = Relayed::new(Script::plain(3, 1_000).act(501, Act::Signal(9)), &end);
    let failed = relayed.run(&[]).expect_code(76);
    assert!(failed.stderr.contains("error[E0402]") && !failed.stderr.contains("target said"), "{failed}");
    assert_eq!(relayed.kept(), Some(500));
    // Half a message of a tap that was cut off does not reach the target.
    let act = Act::Say(r#"{"type":"RECORD","stream":"it"#.into());
    let script = Script::plain(3, 1_000).act(501, act).act(501, Act::Exit(1));
    let relayed = Relayed::new(script, &json!({}));
    let failed = relayed.run(&[]).expect_code(76);
    assert!(failed.stderr.contains("error[E0401]"), "{failed}");
    assert_eq!(numbers(&relayed.read()).len(), 500);
}

#[test]
fn a_target_that_does_not_come_to_its_end_is_ended_by_the_timeout() {
    for config in [json!({ "end": "sleep" }), json!({ "acts": [[0, "ignore"], [1, "sleep"]] })] {
        let relayed = Relayed::new(Script::plain(3, 1_000), &config);
        // The tap is not blamed for its silence.
        relayed.pipeline(
            &config,
            &json!({ "limits": { "timeout": "6s", "idle_timeout": "2s", "grace": "1s" } }),
        );
        let outcome = relayed.run(&[]).expect_code(124);
        assert!(outcome.stderr.contains("error[E0408]"), "{outcome}");
        relayed.assert_nothing_left();
    }
}

#[test]
fn a_signal_lets_the_target_finish_what_it_has() {
    let relayed = Relayed::new(Script::plain(3, 1_000), &json!({}));
    let gate = Gate::new(&relayed.project);
    let script = Script::plain(3, 1_000).act(501, gate.act());
    let relayed = Relayed { script, ..relayed };
    relayed.pipeline(&json!({ "state_every": 5 }), &json!({}));
    let mut run = relayed.project.start("orders", None);
    run.wait_for(|line| line.is_event("state_kept"));
    run.signal(Signal::TERM);
    let (ended, log) = run.finish();
    assert_eq!(ended, Some(143), "{log}");
    assert_eq!(relayed.kept(), Some(500));
    relayed.assert_nothing_left();
}

#[test]
fn a_tap_that_wants_to_be_tried_again_starts_from_the_state_that_the_target_printed() {
    let state = r#"{"type":"STATE","value":{"bookmarks":{"all":{"at":501}}}}"#;
    let script = Script::plain(3, 1_000).act(501, Act::Say(format!("{state}\n"))).act(501, Act::Exit(75));
    let relayed = Relayed::new(script, &json!({}));
    let (ended, log) = relayed.project.start("orders", None).finish();
    assert_eq!(ended, Some(0), "{log}");
    assert!(log.contains(r#""attempt":2"#), "{log}");
    let (first, second) = (1..=500, 502..=1_000);
    assert_eq!(numbers(&relayed.read()), first.chain(second).collect::<Vec<_>>());
    relayed.assert_nothing_left();
}

#[test]
fn both_sides_end_with_a_killed_run_and_the_next_goes_on() {
    let script = Script::plain(3, 1_000).act(501, Act::IgnoreSigterm).act(501, Act::Sleep);
    let relayed = Relayed::new(script, &json!({ "acts": [[0, "ignore"]] }));
    let mut run = relayed.project.start("orders", None);
    run.wait_for(|line| {
        let state = line.field("state").and_then(Value::as_str).unwrap_or_default();
        line.is_event("state_kept") && state.contains("500")
    });
    run.kill();
    relayed.assert_nothing_left();
    let relayed = Relayed { script: Script::plain(3, 1_000), ..relayed };
    relayed.pipeline(&json!({}), &json!({}));
    let _ = relayed.run(&[]).expect_code(0);
    let mut read = numbers(&relayed.read());
    read.dedup();
    assert_eq!(read, (1..=1_000).collect::<Vec<_>>());
}

#[test]
fn a_target_is_found_checked_and_invoked_as_a_tap_is() {
    let relayed = Relayed::new(Script::plain(3, 10), &json!({}));
    let _ = relayed.project.run(["check"]).expect_code(0);
    let _ = relayed.project.run(["discover", "orders"]).expect_code(0);
    let shown = relayed.project.run(["config", "orders"]).expect_code(0);
    assert!(shown.stdout.contains("hostile_target.py"), "{shown}");
    let about = relayed.project.run(["invoke", "orders", "--target", "--", "--about"]).expect_code(7);
    assert!(about.stdout.contains("hunter2"), "its own command line has its config: {about}");
    let mut pipeline = scripted_into(&relayed.script, &json!({ "command": ["target-nowhere"] }));
    relayed.project.pipeline("orders", &pipeline);
    for words in [&["check"][..], &["run", "orders"], &["invoke", "orders", "--target"]] {
        let refused = relayed.project.run(words).expect_code(78);
        assert!(refused.stderr.contains("error[E0423]"), "{refused}");
    }
    pipeline["target"] = json!({ "command": ["./missing.sh"] });
    relayed.project.pipeline("orders", &pipeline);
    let refused = relayed.run(&[]).expect_code(78);
    assert!(refused.stderr.contains("`./missing.sh` is not found"), "{refused}");
}

/// What one types, with pip's settings of this machine.
#[test]
fn target_jsonl_of_pypi_is_installed_and_loads() {
    let project = Project::new();
    fs::create_dir(project.path().join("out")).expect("out");
    let target = json!({ "pip": "target-jsonl==0.1.4", "config": {
        "destination_path": project.path().join("out"), "do_timestamp_file": false,
    } });
    project.pipeline("orders", &scripted_into(&Script::plain(3, 100), &target));
    let online = |words: &[&str]| {
        let mut command = project.tapster(words);
        python::may_install(&mut command);
        project.outcome(&mut command)
    };
    let installed = online(&["install"]).expect_code(0);
    assert!(installed.stdout.contains("target-jsonl of target-jsonl==0.1.4"), "{installed}");
    assert!(
        fs::read_to_string(project.path().join("tapster.lock")).expect("a lock").contains("singer-python")
    );
    let _ = project.run(["check", "--offline"]).expect_code(0);
    let _ = project.run(["run", "orders"]).expect_code(0);
    let lines = |stream: &str| {
        let text = fs::read_to_string(project.path().join(format!("out/{stream}.jsonl"))).expect("a file");
        text.lines().count()
    };
    assert_eq!((lines("items"), lines("events")), (50, 50));
    let state = project.run(["state", "get", "orders"]).expect_code(0);
    assert!(state.stdout.contains("100"), "{state}");
    let again = project.run(["run", "orders"]).expect_code(0);
    assert!(again.stdout.contains("nothing was new"), "{again}");
    assert_eq!(lines("items"), 50);
}
