use std::fs;

use store::{
    NewRun, NewState, PipelineName, RunEnd, RunFailure, RunId, RunStatus, StateCause, Store, StreamFigures,
};

use crate::harness::{document, tapster, told};

const FIRST: &str = "01990c2f-4a1b-7000-8000-000000000001";
const SECOND: &str = "01990c30-0000-7000-8000-000000000002";

/// A project in which `app` succeeded in one run and failed in the next.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let name = PipelineName::new("prod", "app");
    let figures = StreamFigures {
        stream: "orders".into(),
        records_read: 1200,
        records_written: 1000,
        bytes: 4096,
        bookmark_after: Some("{\"id\": 12345678901234567890123}".into()),
        ..StreamFigures::default()
    };
    let failure = RunFailure {
        code: "E0401".into(),
        text: "the tap exited 1 after its last STATE".into(),
        hint: Some("read the primary".into()),
        tap_said: Some("FATAL: conflict".into()),
        target_said: None,
    };
    let ends = [
        RunEnd { status: RunStatus::Succeeded, exit_code: 0, failure: None, state_after: None },
        RunEnd { status: RunStatus::Failed, exit_code: 76, failure: Some(failure), state_after: None },
    ];
    for (id, end) in [FIRST, SECOND].into_iter().zip(ends) {
        let lock = store.lock(&name, RunId::parse(id).unwrap()).unwrap();
        let run = lock.run();
        store
            .begin_run(&lock, &NewRun { tap: "tap-postgres".into(), target: "target-duckdb".into() })
            .unwrap();
        store.record_streams(&run, std::slice::from_ref(&figures)).unwrap();
        let state = Some("{\"bookmarks\": {\"orders\": {\"id\": 12345678901234567890123}}}".to_owned());
        let new = NewState { sequence: 7, run: Some(run), state, how: StateCause::Run };
        store.put_state(&name, &new).unwrap();
        let logs = store.make_run_folder(&run).unwrap();
        fs::write(logs.tap_log, "INFO starting\nFATAL: conflict\n").unwrap();
        fs::write(logs.run_log, "started\n").unwrap();
        store.finish_run(&run, &end).unwrap();
    }
    folder
}

/// Hides clocks, hosts and processes.
fn timeless(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "[time]");
    settings.add_filter(r"\d+\.\d s", "[seconds]");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn runs_are_listed_newest_first() {
    timeless("runs_list", &told(project().path(), &["runs", "list"]));
}

#[test]
fn a_filter_without_hits_is_not_taken_for_a_project_without_runs() {
    let folder = project();
    for args in [&["runs", "list", "n*"][..], &["runs", "list", "-n", "0"], &["runs", "list", "-e", "dev"]] {
        let told = told(folder.path(), args);
        assert!(told.contains("no run fits") && !told.contains("makes the first"), "{args:?}: {told}");
    }
}

#[test]
fn a_failed_run_is_shown_as_it_is_read_at_night() {
    timeless("runs_show", &told(project().path(), &["runs", "show", "app"]));
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_id() {
    let folder = project();
    let run = document(folder.path(), &["runs", "show", "01990c2f", "--json"]);
    assert_eq!((&run["id"], &run["status"]), (&FIRST.into(), &"succeeded".into()));
    let text = tapster(folder.path(), &["runs", "show", "app", "--json"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("12345678901234567890123"), "a bookmark keeps its digits: {text}");
}

#[test]
fn an_unknown_run_says_where_to_look() {
    insta::assert_snapshot!(told(project().path(), &["runs", "show", "shop"]));
}

#[test]
fn logs_are_printed_as_they_were_written() {
    let folder = project();
    let tap = tapster(folder.path(), &["runs", "logs", "app", "--tap"]);
    assert_eq!(tap.stdout, b"INFO starting\nFATAL: conflict\n");
    let both = tapster(folder.path(), &["runs", "logs", "app", "--follow"]);
    assert_eq!(both.stdout, b"started\nINFO starting\nFATAL: conflict\n");
}

#[test]
fn states_are_listed_and_their_history_kept() {
    let folder = project();
    timeless("state_list", &told(folder.path(), &["state", "list"]));
    let history = document(folder.path(), &["state", "history", "app", "-e", "prod", "--json"]);
    assert_eq!(history.as_array().unwrap().len(), 2);
    assert_eq!(history[0]["run"], SECOND);
}

#[test]
fn looking_at_the_past_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    for args in
        [&["runs", "list"][..], &["runs", "show", "a"], &["state", "list"], &["state", "history", "a"]]
    {
        let told = told(folder.path(), args);
        assert!(told.starts_with("exit code 78") && told.contains("error[E0110]"), "{args:?}: {told}");
    }
    fs::create_dir(folder.path().join("pipelines")).unwrap();
    for args in [["runs", "list"], ["state", "list"]] {
        let output = tapster(folder.path(), &args);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
        assert_eq!(document(folder.path(), &[args[0], args[1], "--json"]), serde_json::json!([]));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
