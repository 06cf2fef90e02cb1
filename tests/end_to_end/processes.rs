//! The tap's process: whatever it does, the run ends, and nothing of it is left.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use tests::processes::{gone_within, of_folder};
use tests::project::Project;
use tests::script::{Act, Script};
use tests::warehouse::Warehouse;

use crate::support::{assert_exact, assert_nothing_left, scripted};

fn project(script: &Script) -> (Project, Warehouse) {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    project.pipeline("orders", &scripted(script, &warehouse));
    (project, warehouse)
}

#[test]
fn all_that_a_tap_started_ends_with_a_killed_run() {
    let script = Script::plain(7, 1_000).act(501, Act::Fork(3)).act(502, Act::Sleep);
    let (project, _) = project(&script);
    let mut run = project.start("orders", None);
    run.wait_for(|line| line.is_checkpoint_at(500));
    while of_folder(project.path()).iter().filter(|process| process.words.contains("--linger")).count() < 3 {}
    run.kill();
    assert_eq!(gone_within(project.path(), Duration::from_secs(2)), []);
    assert_eq!(project.private_folders().len(), 0);
}

#[test]
fn what_a_tap_leaves_behind_is_ended() {
    let script = Script::plain(7, 1_000).act(501, Act::Fork(3));
    let (project, warehouse) = project(&script);
    let _ = project.run(["run", "orders"]).expect_code(0);
    assert_exact(&warehouse, &script, 1_000);
    assert_nothing_left(&project, &warehouse);
}

#[test]
fn a_tap_that_does_not_listen_is_killed() {
    let script = Script::plain(7, 1_000).act(501, Act::IgnoreSigterm).act(502, Act::Sleep);
    let (project, warehouse) = project(&script);
    let mut run = project.start("orders", None);
    run.wait_for(|line| line.is_checkpoint_at(500));
    run.signal(Signal::TERM);
    let (ended, log) = run.finish();
    assert_eq!(ended, Some(143), "{log}");
    assert_exact(&warehouse, &script, 500);
    assert_nothing_left(&project, &warehouse);
}

#[test]
fn a_silent_tap_is_ended_after_its_time() {
    let script = Script::plain(7, 1_000).act(501, Act::Sleep);
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let mut pipeline = scripted(&script, &warehouse);
    pipeline["limits"]["idle_timeout"] = json!("1s");
    project.pipeline("orders", &pipeline);
    let outcome = project.run(["run", "orders"]).expect_code(124);
    assert!(outcome.stderr.contains("error[E0403]"), "{outcome}");
    assert_exact(&warehouse, &script, 500);
    assert_nothing_left(&project, &warehouse);
}

#[test]
fn a_timeout_ends_a_run_and_keeps_what_is_complete() {
    let script = Script::plain(7, 1_000).act(501, Act::Sleep);
    let (project, warehouse) = project(&script);
    let outcome = project.run(["run", "orders", "--timeout", "10s"]).expect_code(124);
    assert!(outcome.stderr.contains("error[E0408]"), "{outcome}");
    assert_exact(&warehouse, &script, 500);
    assert_nothing_left(&project, &warehouse);
}

#[test]
fn a_tap_may_close_its_output_before_it_ends() {
    let script = Script::plain(7, 1_000).act(9_999, Act::CloseStdout).act(9_999, Act::Flood(1_000_000));
    let (project, warehouse) = project(&script);
    let _ = project.run(["run", "orders"]).expect_code(0);
    assert_exact(&warehouse, &script, 1_000);
    assert_nothing_left(&project, &warehouse);
}

#[test]
fn noise_on_stderr_neither_blocks_nor_fills_the_disk() {
    let script = Script::plain(7, 1_000).act(501, Act::Flood(300 << 20));
    let (project, warehouse) = project(&script);
    let started = Instant::now();
    let _ = project.run(["run", "orders"]).expect_code(0);
    assert!(started.elapsed() < Duration::from_mins(1), "{:?}", started.elapsed());
    assert_exact(&warehouse, &script, 1_000);
    assert!(kept(&project) < 100 << 20, "{} bytes are kept in .tapster", kept(&project));
    assert_nothing_left(&project, &warehouse);
}

fn kept(project: &Project) -> u64 {
    let mut folders = vec![project.path().join(".tapster")];
    let mut bytes = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => bytes += metadata.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}

#[test]
fn a_tap_reads_nothing_and_has_no_terminal() {
    let project = Project::new();
    let warehouse = Warehouse::duckdb(project.path());
    let tap = project.write(
        "tap.sh",
        "echo '{\"type\":\"STATE\",\"value\":{}}'; cat; if (: </dev/tty) 2>/dev/null; then exit 9; fi\n",
    );
    let tap = json!({ "command": ["sh", tap] });
    project.pipeline("silent", &json!({ "tap": tap, "target": warehouse.block() }));
    let _ = project.run(["run", "silent"]).expect_code(0);
}
