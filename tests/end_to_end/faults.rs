//! What goes wrong around a run, once each: then a run without it, and the tables are exact.

use rustix::process::Signal;
use serde_json::json;
use target_testkit::postgres::{Cluster, Durability};
use target_testkit::proxy::TcpProxy;
use tests::project::Project;
use tests::script::{Act, Script};
use tests::warehouse::Warehouse;

use crate::support::{Gate, assert_exact, assert_nothing_left, cluster, scripted, scripted_into, warehouses};

const RECORDS: u64 = 2_000;

/// A script that fails, the code of the run, and how many records are then committed. Afterwards the tap behaves.
#[track_caller]
fn fails_then_heals(act: impl Fn(Script) -> Script, code: i32, committed: u64) {
    let project = Project::new();
    let script = Script::plain(7, RECORDS);
    for (name, warehouse) in warehouses(&project) {
        project.pipeline(name, &scripted(&act(script.clone()), &warehouse));
        let failed = project.run(["run", name]).expect_code(code);
        assert!(failed.stderr.contains("error[E"), "{failed}");
        assert_exact(&warehouse, &script, committed);
        project.pipeline(name, &scripted(&script, &warehouse));
        let _ = project.run(["run", name]).expect_code(0);
        assert_exact(&warehouse, &script, RECORDS);
        assert_nothing_left(&project, &warehouse);
    }
}

#[test]
fn a_tap_that_is_killed_loses_nothing() {
    // Not on a STATE: ten records behind the last one are sent again.
    fails_then_heals(|script| script.act(1_011, Act::Signal(9)), 76, 1_000);
}

#[test]
fn a_tap_that_fails_after_its_last_state_has_failed() {
    let act = |script: Script| Script { records: 1_510, ..script }.act(9_999, Act::Exit(3));
    fails_then_heals(act, 76, 1_500);
}

#[test]
fn a_tap_that_fails_at_once_changes_nothing() {
    let project = Project::new();
    for (name, warehouse) in warehouses(&project) {
        let script = Script::plain(7, RECORDS).act(1, Act::Exit(1));
        project.pipeline(name, &scripted(&script, &warehouse));
        let failed = project.run(["run", name]).expect_code(76);
        assert!(failed.stderr.contains("error[E0401]"), "{failed}");
    }
}

#[test]
fn half_a_line_at_the_end_is_a_failure() {
    fails_then_heals(
        |script| script.act(1_005, Act::Say("{\"type\":\"RECO".into())).act(1_005, Act::Exit(0)),
        65,
        1_000,
    );
}

#[test]
fn a_line_that_is_no_message_is_a_failure() {
    fails_then_heals(|script| script.act(1_005, Act::Say("Fetching page 3 of 7\n".into())), 65, 1_000);
}

#[test]
fn a_line_that_is_not_utf_8_is_a_failure() {
    fails_then_heals(|script| script.act(1_005, Act::Bytes(b"{\"type\":\"\xff\"}\n".to_vec())), 65, 1_000);
}

#[test]
fn what_follows_the_last_state_is_committed_after_a_clean_exit() {
    let project = Project::new();
    let script = Script { records: 1_013, ..Script::plain(7, RECORDS) };
    for (name, warehouse) in warehouses(&project) {
        project.pipeline(name, &scripted(&script, &warehouse));
        let _ = project.run(["run", name]).expect_code(0);
        assert_exact(&warehouse, &script, 1_013);
    }
}

#[test]
fn a_stream_that_widens_is_whole() {
    let project = Project::new();
    let script = Script { keys: 100_000, ..Script::plain(7, RECORDS) }.act(1_005, Act::Widen);
    for (name, warehouse) in warehouses(&project) {
        project.pipeline(name, &scripted(&script, &warehouse));
        let _ = project.run(["run", name]).expect_code(0);
        let expected = script.expected(RECORDS);
        let rows = warehouse.rows("SELECT n, amount, extra FROM items ORDER BY n");
        let mut items = expected.items;
        items.sort_by_key(|record| record.n);
        let number = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
        for (row, record) in rows.iter().zip(&items) {
            let amount =
                row[1].as_deref().map(|text| if text.contains('.') { number(text) } else { text.to_owned() });
            assert_eq!(
                (row[0].clone(), amount),
                (Some(record.n.to_string()), Some(record.amount.clone())),
                "{name}"
            );
            assert_eq!(row[2], record.extra, "{name}");
        }
        assert_eq!(rows.len(), items.len());
    }
}

#[test]
fn signals_stop_a_run_in_order() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let project = Project::new();
        let gate = Gate::new(&project);
        let script = Script::plain(7, RECORDS);
        for (name, warehouse) in warehouses(&project) {
            project.pipeline(name, &scripted(&script.clone().act(1_011, gate.act()), &warehouse));
            let mut run = project.start(name, None);
            run.wait_for(|line| line.is_checkpoint_at(1_000));
            run.signal(signal);
            let (ended, log) = run.finish();
            assert_eq!(ended, Some(code), "{name}: {log}");
            assert_exact(&warehouse, &script, 1_000);
            project.pipeline(name, &scripted(&script, &warehouse));
            let _ = project.run(["run", name]).expect_code(0);
            assert_exact(&warehouse, &script, RECORDS);
            assert_nothing_left(&project, &warehouse);
        }
    }
}

#[test]
fn a_zombie_that_wakes_after_another_run_commits_nothing() {
    let (asleep, other) = (Project::new(), Project::new());
    let (gate, script, warehouse) = (Gate::new(&asleep), Script::plain(7, RECORDS), Warehouse::postgres());
    asleep.pipeline("orders", &scripted(&script.clone().act(1_011, gate.act()), &warehouse));
    other.pipeline("orders", &scripted(&script, &warehouse));
    let mut zombie = asleep.start("orders", None);
    zombie.wait_for(|line| line.is_checkpoint_at(1_000));
    zombie.signal(Signal::STOP);
    let _ = other.run(["run", "orders"]).expect_code(0);
    assert_exact(&warehouse, &script, RECORDS);
    gate.open();
    zombie.signal(Signal::CONT);
    let (ended, log) = zombie.finish();
    assert_eq!(ended, Some(75), "{log}");
    assert_exact(&warehouse, &script, RECORDS);
    assert_nothing_left(&asleep, &warehouse);
}

/// The counter-proof: what keeps the zombie out is what stands in the state row, and nothing else.
#[test]
fn a_zombie_whose_fence_is_put_back_would_double_its_records() {
    let (asleep, other) = (Project::new(), Project::new());
    let (gate, script, warehouse) = (Gate::new(&asleep), Script::plain(7, RECORDS), Warehouse::postgres());
    asleep.pipeline("orders", &scripted(&script.clone().act(1_011, gate.act()), &warehouse));
    other.pipeline("orders", &scripted(&script, &warehouse));
    let mut zombie = asleep.start("orders", None);
    zombie.wait_for(|line| line.is_checkpoint_at(1_000));
    zombie.signal(Signal::STOP);
    let row = warehouse.rows("SELECT fence, sequence FROM _tapster_state").remove(0);
    let [Some(fence), Some(sequence)] = row.as_slice() else { panic!("{row:?}") };
    let _ = other.run(["run", "orders"]).expect_code(0);
    let put_back = format!("UPDATE _tapster_state SET fence = {fence}, sequence = {sequence}");
    assert_eq!(warehouse.rows(&put_back), Vec::<Vec<Option<String>>>::new());
    gate.open();
    zombie.signal(Signal::CONT);
    let (ended, log) = zombie.finish();
    assert_eq!(ended, Some(0), "{log}");
    let events = warehouse.value("SELECT count(*) FROM events").expect("a number");
    assert_eq!(events, (RECORDS / 2 + 500).to_string(), "the records behind the sleep are there twice");
}

#[test]
fn a_duckdb_file_has_one_run_at_a_time() {
    let (holding, other) = (Project::new(), Project::new());
    let (gate, script) = (Gate::new(&holding), Script::plain(7, RECORDS));
    let warehouse = Warehouse::duckdb(holding.path());
    holding.pipeline("orders", &scripted(&script.clone().act(1_011, gate.act()), &warehouse));
    let mut block = warehouse.block();
    block["config"]["lock_timeout"] = json!("100ms");
    other.pipeline("orders", &scripted_into(&script, &block));
    let mut holder = holding.start("orders", None);
    holder.wait_for(|line| line.is_checkpoint_at(1_000));
    let refused = other.run(["run", "orders"]).expect_code(75);
    assert!(
        refused.stderr.contains("error[E") && refused.stderr.contains(&holder.pid().to_string()),
        "{refused}"
    );
    gate.open();
    let (ended, log) = holder.finish();
    assert_eq!(ended, Some(0), "{log}");
    // Another store, the same target: it goes on from what the target says, which is the end.
    let _ = other.run(["run", "orders"]).expect_code(0);
    assert_exact(&warehouse, &script, RECORDS);
}

#[test]
fn a_second_run_of_a_pipeline_is_told_who_runs_it() {
    let project = Project::new();
    let (gate, script) = (Gate::new(&project), Script::plain(7, RECORDS));
    let warehouse = Warehouse::duckdb(project.path());
    project.pipeline("orders", &scripted(&script.clone().act(1_011, gate.act()), &warehouse));
    let mut first = project.start("orders", None);
    first.wait_for(|line| line.is_checkpoint_at(1_000));
    let second = project.run(["run", "orders"]).expect_code(75);
    assert!(second.stderr.contains(&format!("pid {} on", first.pid())), "{second}");
    gate.open();
    assert_eq!(first.finish().0, Some(0));
    assert_exact(&warehouse, &script, RECORDS);
}

#[test]
fn a_server_that_is_stopped_hard_and_started_again_loses_nothing() {
    let cluster = Cluster::start(Durability::Full);
    let (project, warehouse) = (Project::new(), Warehouse::postgres_in(&cluster));
    let (gate, script) = (Gate::new(&project), Script::plain(7, RECORDS));
    project.pipeline("orders", &scripted(&script.clone().act(1_011, gate.act()), &warehouse));
    let mut run = project.start("orders", None);
    run.wait_for(|line| line.is_checkpoint_at(1_000));
    cluster.stop_immediate();
    cluster.start_again();
    gate.open();
    // The tap starts again behind the gate's record only if that is committed: open it once more.
    run.wait_for(|line| line.is_event("retrying"));
    run.wait_for(|line| line.is_event("tap_started"));
    gate.open();
    let (ended, log) = run.finish();
    assert_eq!(ended, Some(0), "{log}");
    assert_exact(&warehouse, &script, RECORDS);
    assert_nothing_left(&project, &warehouse);
}

#[test]
fn the_reply_to_a_commit_may_be_lost() {
    let proxy = TcpProxy::start(cluster().port());
    let (project, warehouse) = (Project::new(), Warehouse::postgres());
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
    let script = Script::plain(7, RECORDS);
    let target = json!({ "name": "target-postgres", "config": database.settings_through(proxy.port()) });
    project.pipeline("orders", &scripted_into(&script, &target));
    for (round, commits) in [0, 3, 40].into_iter().enumerate() {
        let _ = project.run(["run", "orders", "--full-refresh"]).expect_code(0);
        proxy.drop_reply("COMMIT", commits);
        let _ = project.run(["run", "orders", "--full-refresh"]).expect_code(0);
        assert_eq!(proxy.dropped(), round + 1, "the fault happened");
        assert_exact(&warehouse, &script, RECORDS);
    }
    assert_nothing_left(&project, &warehouse);
}

#[test]
fn a_connection_that_is_cut_starts_the_tap_again() {
    let proxy = TcpProxy::start(cluster().port());
    let (project, warehouse) = (Project::new(), Warehouse::postgres());
    let Warehouse::Postgres(database) = &warehouse else { unreachable!("it was asked for") };
    let script = Script::plain(7, RECORDS);
    let target = json!({ "name": "target-postgres", "config": database.settings_through(proxy.port()) });
    project.pipeline("orders", &scripted_into(&script, &target));
    let mut run = project.start("orders", None);
    for _ in 0..2 {
        run.wait_for(|line| line.is_event("checkpointed"));
        proxy.reset();
        run.wait_for(|line| line.is_event("retrying"));
    }
    let (ended, log) = run.finish();
    assert_eq!(ended, Some(0), "{log}");
    assert_exact(&warehouse, &script, RECORDS);
    assert_nothing_left(&project, &warehouse);
}
