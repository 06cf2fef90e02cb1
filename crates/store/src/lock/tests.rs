use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{NewRun, PipelineName, RunFilter, RunId, RunStatus, Store, StoreError};

const FOLDER: &str = "TAPSTER_STORE_TEST_FOLDER";

fn name() -> PipelineName {
    PipelineName::new("prod", "finance/orders")
}

/// Not a test of its own: the other process of the tests below. It takes the lock, begins a run, says
/// so, and holds both until its stdin ends or it is killed.
#[test]
#[ignore = "started by other tests as a second process"]
fn second_process() {
    let folder = std::env::var(FOLDER).unwrap();
    let store = Store::open(Path::new(&folder)).unwrap();
    let lock = store.lock(&name(), RunId::generate()).unwrap();
    store.begin_run(&lock, &NewRun { tap: "t".into(), target: "t".into() }).unwrap();
    println!("\nholding {}", lock.run());
    std::io::stdout().flush().unwrap();
    std::io::stdin().lock().lines().for_each(drop);
}

/// Starts the second process and waits for its word; gives the id of its run.
fn hold_elsewhere(folder: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lock::tests::second_process", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let run = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("holding ").map(str::to_owned));
    (child, run.unwrap())
}

#[test]
fn another_process_s_lock_is_refused_with_its_holder_and_free_when_it_is_killed() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (mut child, run) = hold_elsewhere(project.path());

    let error = store.lock(&name(), RunId::generate()).unwrap_err();
    assert_eq!(error.code(), "E0505");
    assert!(!error.hint().unwrap().contains("--wait"), "only `run` has that flag");
    let text = error.to_string();
    assert!(text.starts_with("finance/orders (prod) is already running: run "), "{text}");
    let StoreError::Busy { holder, .. } = error else { panic!("{text}") };
    assert_eq!((holder.run.as_str(), holder.pid), (run.as_str(), child.id()));
    assert_eq!(store.find_run(&run, None).unwrap().status, RunStatus::Running);

    child.kill().unwrap();
    child.wait().unwrap();
    let lost = store.find_run(&run, None).unwrap();
    assert_eq!(lost.status, RunStatus::Lost);
    assert_eq!(lost.failure.unwrap().code, "E0509");
    assert!(lost.ended.is_some());
    store.lock(&name(), RunId::generate()).unwrap();
}

#[test]
fn the_next_run_marks_the_dead_one_lost() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (mut child, run) = hold_elsewhere(project.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let lock = store.lock(&name(), RunId::generate()).unwrap();
    store.begin_run(&lock, &NewRun { tap: "t".into(), target: "t".into() }).unwrap();
    let runs = store.list_runs(&RunFilter::default()).unwrap();
    assert_eq!(runs.iter().map(|run| run.status).collect::<Vec<_>>(), [RunStatus::Running, RunStatus::Lost]);
    assert_eq!(runs[1].id.to_string(), run);
}

#[test]
fn a_waiting_run_starts_when_the_holder_ends() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (child, run) = hold_elsewhere(project.path());
    let mut holder = Some(child);
    let mine = RunId::generate();
    let lock = store.lock_while(&name(), mine, |by| {
        assert_eq!(by.run, run);
        let mut child = holder.take().expect("asked once more after the holder had ended");
        drop(child.stdin.take());
        child.wait().unwrap();
        true
    });
    assert_eq!(lock.unwrap().run(), mine);
}

#[test]
fn a_waiting_run_gives_up_with_the_holder_s_name() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let held = store.lock(&name(), RunId::generate()).unwrap();
    let mut asked = 0;
    let error = store.lock_while(&name(), RunId::generate(), |_| {
        asked += 1;
        asked < 3
    });
    assert_eq!(asked, 3);
    let StoreError::Busy { holder, .. } = error.unwrap_err() else { panic!() };
    assert_eq!(holder.run, held.run().to_string());
    let error = store.lock_while(&name(), RunId::generate(), |_| false);
    assert_eq!(error.unwrap_err().code(), "E0505");
}

#[test]
fn of_many_starts_at_once_exactly_one_wins() {
    let project = tempfile::tempdir().unwrap();
    let (barrier, winners) = (Barrier::new(20), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let store = Store::open(project.path()).unwrap();
                for _ in 0..10 {
                    barrier.wait();
                    let outcome = store.lock(&name(), RunId::generate());
                    // Those who look at the ledger meanwhile must not be taken for holders.
                    store.list_runs(&RunFilter::default()).unwrap();
                    winners.fetch_add(u32::from(outcome.is_ok()), Ordering::SeqCst);
                    barrier.wait();
                    drop(outcome);
                }
            });
        }
    });
    assert_eq!(winners.load(Ordering::SeqCst), 10);
}

#[test]
fn pipelines_and_environments_do_not_block_one_another() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let names = [("", "p"), ("", "q"), ("dev", "p"), ("prod", "p"), ("", "dev@p"), ("", "../p")];
    let locks: Vec<_> = names
        .iter()
        .map(|(environment, pipeline)| {
            store.lock(&PipelineName::new(*environment, *pipeline), RunId::generate()).unwrap()
        })
        .collect();
    assert_eq!(locks.len(), names.len());
    let inside = std::fs::read_dir(store.folder().join("locks")).unwrap().count();
    assert_eq!(inside, names.len());
}
