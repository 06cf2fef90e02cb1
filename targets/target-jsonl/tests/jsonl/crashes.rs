//! All or nothing, whoever dies and wherever.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use target_api::{Checkpoint, FullRefresh, RunIdentity, StateChange, Status, Target as _};

use crate::support::{edit_state, fresh_run, load, names, run, start, state, table, target, text, write};

const FIRST: &str = "{\"seq\":1}\n";

fn append(folder: &Path, file: &str, bytes: &[u8]) {
    let mut data = OpenOptions::new().append(true).open(folder.join(file)).unwrap();
    data.write_all(bytes).unwrap();
}

#[tokio::test]
async fn what_was_written_without_commit_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let (events, new) = (table("events: seq int64"), table("new: seq int64"));
    load(folder.path(), &run("one"), &events, &["1"]).await;
    let mut killed = start(folder.path(), &run("two")).await;
    write(&mut killed, &events, &["2", "3"]).await;
    write(&mut killed, &new, &["1"]).await;
    // As a killed process would: nothing is tidied up.
    std::mem::forget(killed);
    assert_eq!(
        (names(folder.path()), text(folder.path(), "events.jsonl")),
        (vec!["events.jsonl".into()], FIRST.into())
    );
    let mut again = target(folder.path());
    assert_eq!(again.resume(&run("three")).await.unwrap().as_deref(), Some("{\"run\":\"one\"}"));
    write(&mut again, &events, &["20"]).await;
    again.commit(&state("{}")).await.unwrap();
    assert_eq!(text(folder.path(), "events.jsonl"), "{\"seq\":1}\n{\"seq\":20}\n");
}

#[tokio::test]
async fn a_commit_that_died_before_its_state_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let (events, new) = (table("events: seq int64"), table("new: seq int64"));
    load(folder.path(), &run("one"), &events, &["1"]).await;
    load(folder.path(), &run("two"), &new, &["1"]).await;
    let before = fs::read(folder.path().join("_tapster_state.json")).unwrap();
    load(folder.path(), &run("three"), &events, &["2"]).await;
    load(folder.path(), &run("four"), &new, &["2"]).await;
    fs::write(folder.path().join("_tapster_state.json"), before).unwrap();
    append(folder.path(), "events.jsonl", b"{\"seq\":3");
    let mut again = target(folder.path());
    assert_eq!(again.resume(&run("five")).await.unwrap().as_deref(), Some("{\"run\":\"two\"}"));
    assert_eq!(text(folder.path(), "events.jsonl"), FIRST);
    assert_eq!(text(folder.path(), "new.jsonl"), FIRST);
}

/// The first lines of a new file are somebody's before they are written.
#[tokio::test]
async fn a_first_commit_that_died_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let events = table("events: seq int64");
    load(folder.path(), &run("one"), &events, &["1"]).await;
    edit_state(folder.path(), |state| {
        state["tables"][0]["length"] = 0.into();
        state["pipelines"][0]["state"] = serde_json::Value::Null;
    });
    load(folder.path(), &run("two"), &events, &["1"]).await;
    assert_eq!(text(folder.path(), "events.jsonl"), FIRST);
}

#[tokio::test]
async fn a_replacement_is_put_in_its_place_after_the_commit_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let events = table("events: seq int64");
    load(folder.path(), &run("one"), &events, &["1", "2"]).await;
    let new = folder.path().join("events.jsonl.tapster-new");
    fs::write(&new, "{\"seq\":7}\n").unwrap();
    start(folder.path(), &run("two")).await;
    assert_eq!(text(folder.path(), "events.jsonl"), "{\"seq\":1}\n{\"seq\":2}\n", "it was not committed");
    assert_eq!(names(folder.path()), ["events.jsonl"]);
    fs::write(&new, "{\"seq\":7}\n").unwrap();
    edit_state(folder.path(), |state| {
        state["tables"][0]["length"] = 10.into();
        state["tables"][0]["replaced_by"] = "events.jsonl.tapster-new".into();
    });
    start(folder.path(), &run("three")).await;
    assert_eq!(text(folder.path(), "events.jsonl"), "{\"seq\":7}\n", "it was committed");
    assert_eq!(names(folder.path()), ["events.jsonl"]);
    fs::write(&new, "{\"seq\":8}\n").unwrap();
    start(folder.path(), &run("four")).await;
    assert_eq!(text(folder.path(), "events.jsonl"), "{\"seq\":7}\n", "an old commit places nothing twice");
}

/// Two shards of one pipeline start over, and the second one dies in its commit.
#[tokio::test]
async fn a_pending_replacement_is_settled_before_the_next_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let events = table("events: seq int64");
    load(folder.path(), &run("one"), &events, &["1"]).await;
    let shard = |name: &str| RunIdentity { shard: name.to_owned(), ..fresh_run(name) };
    let (mut a, mut b) = (start(folder.path(), &shard("a")).await, start(folder.path(), &shard("b")).await);
    write(&mut a, &events, &["2"]).await;
    write(&mut b, &events, &["3"]).await;
    a.commit(&state("{}")).await.unwrap();
    assert!(text(folder.path(), "_tapster_state.json").contains("replaced_by"));
    write(&mut b, &table("other: seq int64"), &["3"]).await;
    fs::create_dir(folder.path().join("other.jsonl")).unwrap();
    b.commit(&state("{}")).await.unwrap_err();
    assert!(!text(folder.path(), "_tapster_state.json").contains("replaced_by"));
    assert_eq!(text(folder.path(), "events.jsonl"), "{\"seq\":2}\n");
}

#[tokio::test]
async fn a_torn_state_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), &run("one"), &table("events: seq int64"), &["1"]).await;
    let path = folder.path().join("_tapster_state.json");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let mut torn = target(folder.path());
    for error in [
        torn.check().await.err(),
        torn.resume(&run("two")).await.err(),
        torn.stored_state(&run("two")).await.err(),
    ] {
        let error = error.unwrap();
        assert_eq!((error.code, &error.status), ("E0382", &Status::Permanent));
        assert!(error.message.contains("_tapster_state.json") && error.hint.is_some(), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), whole[..whole.len() / 2]);
    assert_eq!(text(folder.path(), "events.jsonl"), FIRST);
}

#[tokio::test]
async fn a_fenced_run_changes_nothing_and_its_epoch_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let events = table("events: seq int64");
    load(folder.path(), &run("one"), &events, &["1"]).await;
    let mut older = start(folder.path(), &run("older")).await;
    write(&mut older, &events, &["2"]).await;
    let _newer = start(folder.path(), &run("newer")).await;
    let error = older.commit(&state("{}")).await.unwrap_err();
    assert_eq!((error.code, &error.status), ("E0321", &Status::Busy));
    assert!(error.message.contains("(run newer)"), "{error}");
    let error = older.commit(&Checkpoint { state: StateChange::Keep }).await.unwrap_err();
    assert_eq!((error.code, &error.status), ("E0391", &Status::Temporary));
    assert_eq!(text(folder.path(), "events.jsonl"), FIRST);
}

#[tokio::test]
async fn a_file_that_was_changed_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let events = table("events: seq int64");
    load(folder.path(), &run("one"), &events, &["1", "2"]).await;
    File::options().write(true).open(folder.path().join("events.jsonl")).unwrap().set_len(5).unwrap();
    let error = start(folder.path(), &run("two")).await.open(&events).await.unwrap_err();
    assert_eq!(error.code, "E0324");
    assert!(error.message.contains("5 bytes") && error.message.contains("20"), "{error}");
    let streams = FullRefresh::Streams(["events".into()].into());
    load(folder.path(), &RunIdentity { full_refresh: streams, ..run("three") }, &events, &["9"]).await;
    assert_eq!(text(folder.path(), "events.jsonl"), "{\"seq\":9}\n");
}

#[tokio::test]
async fn a_file_that_vanishes_during_the_run_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let events = table("events: seq int64");
    let mut running = start(folder.path(), &run("one")).await;
    for seq in ["1", "2"] {
        write(&mut running, &events, &[seq]).await;
        let committed = running.commit(&state("{}")).await;
        assert_eq!(committed.map_err(|error| error.code).err(), (seq == "2").then_some("E0324"));
        let _ = fs::remove_file(folder.path().join("events.jsonl"));
    }
}

#[tokio::test]
async fn a_commit_that_fails_takes_back_what_it_appended() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (table("one: seq int64"), table("other: seq int64"));
    let mut running = start(folder.path(), &run("one")).await;
    for seq in ["1", "2"] {
        write(&mut running, &one, &[seq]).await;
        write(&mut running, &other, &[seq]).await;
        let committed = running.commit(&state("{}")).await;
        assert_eq!(committed.map_err(|error| error.code).err(), (seq == "2").then_some("E0324"));
        let _ = fs::remove_file(folder.path().join("other.jsonl"));
    }
    assert_eq!(text(folder.path(), "one.jsonl"), FIRST);
}
