//! What a source's end is worth.

use std::io::Read as _;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::scene::{
    BOTH, FULL, Outcome, Scene, error, estimate, keyed, outcome, record, state, status, stream,
};

fn ends(says: &[Value], exit: i32, code: i32) -> Outcome {
    let scene =
        Scene::new(&[keyed("users", BOTH), keyed("orders", BOTH)]).reads(says).set("exit", json!(exit));
    scene.run(&[]).expect(code)
}

#[test]
fn only_complete_streams_are_a_success_whatever_the_exit_code() {
    let (users, orders) = (status("users", "COMPLETE"), status("orders", "COMPLETE"));
    let _ = ends(&[users.clone(), orders.clone()], 0, 0);
    let missing = ends(&[status("users", "STARTED"), users.clone()], 0, 1);
    assert!(missing.stderr.contains("without completing orders: it exited 0"), "{}", missing.stderr);
    let incomplete = ends(&[users.clone(), status("orders", "INCOMPLETE")], 0, 1);
    assert!(incomplete.stderr.contains("without completing orders"), "{}", incomplete.stderr);
    let late = ends(&[users, orders], 3, 1);
    assert!(late.stderr.contains("although every stream is complete: it exited 3"), "{}", late.stderr);
}

#[test]
fn a_source_without_statuses_is_judged_by_its_exit() {
    let says = [record("users", 1), state("users", 1, None)];
    let old = |exit: i32, code: i32| {
        let scene = Scene::new(&[stream("users", FULL)]).reads(&says).set("exit", json!(exit));
        scene.run(&[]).expect(code)
    };
    assert_eq!(old(0, 0).told(), ["RECORD users 1", "STATE", "ACTIVATE_VERSION users", "STATE"]);
    assert_eq!(old(1, 1).told(), ["RECORD users 1", "STATE"]);
}

#[test]
fn errors_decide_by_their_kind_and_are_told_without_secrets() {
    for (kind, code) in [("transient_error", 75), ("config_error", 78), ("system_error", 1)] {
        let says = [
            record("users", 1),
            state("users", 1, 1),
            error("no luck with hunter2", kind),
            status("users", "INCOMPLETE"),
        ];
        for exit in [0, 1] {
            let failed = ends(&says, exit, code);
            assert_eq!(failed.told(), ["RECORD users 1", "STATE"], "what came before counts");
            assert!(failed.stderr.contains("failed: no luck with ***"), "{}", failed.stderr);
            assert!(!failed.stderr.contains("x.py"), "{}", failed.stderr);
            assert!(failed.stderr.lines().last().unwrap().contains("hint: "), "{}", failed.stderr);
        }
    }
    let complete = [status("users", "COMPLETE"), status("orders", "COMPLETE"), error("late", "system_error")];
    let _ = ends(&complete, 0, 1);
}

#[test]
fn logs_go_to_stderr_at_their_level() {
    let log = |level: &str| json!({ "type": "LOG", "log": { "level": level, "message": format!("a {level} of hunter2") } });
    let levels = ["FATAL", "ERROR", "WARN", "INFO", "DEBUG"].map(log);
    let says = [
        &levels[..],
        &[
            json!({ "stderr": "raw hunter2" }),
            estimate("users", 100.0),
            status("users", "COMPLETE"),
            status("orders", "COMPLETE"),
        ],
    ]
    .concat();
    let read = ends(&says, 0, 0);
    for line in [
        "CRITICAL a FATAL of ***",
        "ERROR a ERROR of ***",
        "WARNING a WARN of ***",
        "INFO a INFO of ***",
        "raw ***",
        "INFO users: about 100 records, the source believes",
        "INFO users: complete",
    ] {
        assert!(read.stderr.lines().any(|said| said == line), "{line}: {}", read.stderr);
    }
    assert!(!read.stderr.contains("DEBUG") && !read.stderr.contains("hunter2"), "{}", read.stderr);
}

#[test]
fn a_torn_or_overlong_line_is_a_failure() {
    let torn =
        ends(&[json!("{\"type\":\"RECORD\",\"record\":{\"stream\":\"users\",\"data\":{\"id\":77777")], 0, 1);
    assert!(torn.stderr.contains("cannot be read") && !torn.stderr.contains("77777"), "{}", torn.stderr);
    let long = json!({ "type": "RECORD", "record": { "stream": "users", "data": { "id": 1, "text": "x".repeat(3 << 20) }, "emitted_at": 1 } });
    let scene = Scene::new(&[keyed("users", BOTH)]).reads(&[long, status("users", "COMPLETE")]);
    let refused = scene.run(&["--line-bytes", "1000000"]).expect(1);
    assert!(refused.stderr.contains("longer than 1000000 bytes"), "{}", refused.stderr);
    assert!(refused.stderr.contains("limits.line_bytes"), "{}", refused.stderr);
    assert_eq!(scene.run(&[]).expect(0).told(), ["RECORD users 1"]);
}

#[test]
fn a_closed_pipe_ends_it_without_a_word() {
    let scene = Scene::new(&[keyed("users", BOTH)])
        .reads(&[json!({ "flood": 100_000, "line": record("users", 1) }), json!("wait")]);
    let mut child = scene.command(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut some = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let ended = outcome(child.wait_with_output().unwrap()).expect(141);
    assert!(!ended.stderr.contains("CRITICAL"), "{}", ended.stderr);
}

#[test]
fn a_signal_reaches_the_source_and_what_it_said_counts() {
    let scene =
        Scene::new(&[keyed("users", BOTH)]).reads(&[record("users", 1), state("users", 1, 1), json!("wait")]);
    let mut child = scene.command(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut said = String::new();
    while !said.contains("\"STATE\"") {
        let mut some = [0; 4096];
        let count = stdout.read(&mut some).unwrap();
        assert!(count > 0, "{said}");
        said.push_str(std::str::from_utf8(&some[..count]).unwrap());
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let _ = outcome(child.wait_with_output().unwrap()).expect(143);
}

#[test]
fn what_a_source_leaves_running_does_not_hold_up_the_end() {
    let says = [json!("grandchild"), record("users", 1), status("users", "COMPLETE")];
    let scene = Scene::new(&[keyed("users", BOTH)]).reads(&says);
    assert_eq!(scene.run(&[]).expect(0).told(), ["RECORD users 1"]);
}
