use crate::{NewRun, PipelineName, RunEnd, RunFailure, RunFilter, RunId, RunStatus, Store, StreamFigures};

fn begin(store: &Store, name: &PipelineName) -> (crate::PipelineLock, RunId) {
    let lock = store.lock(name, RunId::generate()).unwrap();
    store.begin_run(&lock, &NewRun { tap: "tap-csv".into(), target: "target-duckdb".into() }).unwrap();
    let id = lock.run();
    (lock, id)
}

fn succeeded() -> RunEnd {
    RunEnd {
        status: RunStatus::Succeeded,
        exit_code: 0,
        failure: None,
        state_after: Some("{\"b\": 2}".into()),
    }
}

#[test]
fn a_run_is_told_as_it_was_written() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let name = PipelineName::new("prod", "finance/orders");
    let (_lock, id) = begin(&store, &name);
    let streams = [
        StreamFigures { stream: "z".into(), records_read: 5, seconds: 0.25, ..StreamFigures::default() },
        StreamFigures {
            stream: "a".into(),
            records_written: 4,
            records_rejected: 1,
            place: "ods.a".into(),
            bytes: 1 << 40,
            bookmark_before: Some("1.10".into()),
            bookmark_after: Some("{\"at\": 12345678901234567890123}".into()),
            ..StreamFigures::default()
        },
    ];
    store.record_state_before(&id, Some("{\"b\": 1}")).unwrap();
    store.record_streams(&id, &[StreamFigures::default()]).unwrap();
    store.record_streams(&id, &streams).unwrap();

    let running = store.find_run("finance/orders", None).unwrap();
    assert_eq!((running.status, running.ended), (RunStatus::Running, None));
    store.finish_run(&id, &succeeded()).unwrap();

    let run = store.find_run(&id.to_string(), None).unwrap();
    let document = serde_json::to_string(&run).unwrap();
    assert!(document.contains("\"bookmark_after\":{\"at\": 12345678901234567890123}"), "{document}");
    assert_eq!(run.name, name);
    assert_eq!((run.tap.as_str(), run.target.as_str()), ("tap-csv", "target-duckdb"));
    assert_eq!((run.status, run.exit_code, run.failure), (RunStatus::Succeeded, Some(0), None));
    assert_eq!(run.pid, std::process::id());
    assert!(run.ended.unwrap() >= run.started);
    assert_eq!(run.state_before.as_deref(), Some("{\"b\": 1}"));
    assert_eq!(run.state_after.as_deref(), Some("{\"b\": 2}"));
    assert_eq!(run.streams, streams);
    assert_eq!(run.log, store.make_run_folder(&id).unwrap().path);
}

#[test]
fn a_failure_keeps_its_words() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (_lock, id) = begin(&store, &PipelineName::new("", "p"));
    let failure = RunFailure {
        code: "E0401".into(),
        text: "the tap exited 1".into(),
        hint: Some("read the primary".into()),
        tap_said: Some("FATAL: conflict with recovery".into()),
        target_said: None,
    };
    let end = RunEnd {
        status: RunStatus::Failed,
        exit_code: 76,
        failure: Some(failure.clone()),
        state_after: None,
    };
    store.finish_run(&id, &end).unwrap();
    let run = store.find_run("p", None).unwrap();
    assert_eq!((run.failure, run.exit_code), (Some(failure), Some(76)));
    assert_eq!(store.finish_run(&id, &succeeded()).unwrap_err().code(), "E0510");
}

#[test]
fn runs_are_listed_newest_first_and_filtered() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let (dev, prod) = (PipelineName::new("dev", "p"), PipelineName::new("prod", "p"));
    let mut ids = Vec::new();
    for name in [&dev, &prod, &dev] {
        let (_lock, id) = begin(&store, name);
        store.finish_run(&id, &succeeded()).unwrap();
        ids.push(id);
    }
    let list =
        |filter| -> Vec<RunId> { store.list_runs(&filter).unwrap().into_iter().map(|run| run.id).collect() };
    let all = RunFilter::default();
    assert_eq!(list(all.clone()), [ids[2], ids[1], ids[0]]);
    assert_eq!(list(RunFilter { limit: Some(1), ..all.clone() }), [ids[2]]);
    assert_eq!(list(RunFilter { environment: Some("prod".into()), ..all.clone() }), [ids[1]]);
    assert_eq!(list(RunFilter { pipeline: Some("q".into()), ..all.clone() }), []);
    assert_eq!(list(RunFilter { status: Some(RunStatus::Failed), ..all }), []);
    assert_eq!(store.find_run("p", Some("prod")).unwrap().id, ids[1]);
    assert_eq!(store.find_run("p", None).unwrap().id, ids[2]);
}

#[test]
fn a_run_is_found_by_a_unique_beginning_of_its_id() {
    let project = tempfile::tempdir().unwrap();
    let store = Store::open(project.path()).unwrap();
    let name = PipelineName::new("", "p");
    // Ids of the same millisecond share their short form; two runs of a person never do.
    let ids = ["01990000-0000-7000-8000-000000000001", "01990000-0001-7000-8000-000000000001"];
    for id in ids {
        let lock = store.lock(&name, RunId::parse(id).unwrap()).unwrap();
        store.begin_run(&lock, &NewRun { tap: "t".into(), target: "t".into() }).unwrap();
        store.finish_run(&lock.run(), &succeeded()).unwrap();
    }
    for id in ids {
        assert_eq!(store.find_run(&RunId::parse(id).unwrap().short(), None).unwrap().id.to_string(), id);
    }
    let error = store.find_run("01990000", None).unwrap_err();
    assert_eq!(error.code(), "E0507");
    assert!(ids.iter().all(|id| error.to_string().contains(id)), "{error}");
    for nothing in ["0198", "q", "", "%", "0199_"] {
        assert_eq!(store.find_run(nothing, None).unwrap_err().code(), "E0506", "{nothing}");
    }
}
