//! The files as others read them.

use std::fs;

use columns::StreamName;
use target_api::{FullRefresh, RunIdentity, Status, Target as _};

use crate::support::{fresh_run, load, names, refusal, run, start, state, table, target, text, write};

#[tokio::test]
async fn new_columns_stand_in_later_lines() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (table("events: seq int64"), table("events: seq text, at timestamptz"));
    load(folder.path(), &run("one"), &before, &["1"]).await;
    load(folder.path(), &run("two"), &after, &["x|2024-03-10 02:30:00", "~|~"]).await;
    let lines = "{\"seq\":1}\n{\"seq\":\"x\",\"at\":\"2024-03-10T02:30:00Z\"}\n{\"seq\":null,\"at\":null}\n";
    assert_eq!(text(folder.path(), "events.jsonl"), lines);
}

#[tokio::test]
async fn streams_that_alternate_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (table("one: seq int64"), table("shop-other: seq int64"));
    let mut target = start(folder.path(), &run("one")).await;
    for seq in ["1", "2", "3"] {
        write(&mut target, &one, &[seq]).await;
        write(&mut target, &other, &[seq, seq]).await;
    }
    target.commit(&state("{}")).await.unwrap();
    assert_eq!(text(folder.path(), "one.jsonl"), "{\"seq\":1}\n{\"seq\":2}\n{\"seq\":3}\n");
    assert_eq!(text(folder.path(), "shop.other.jsonl").lines().count(), 6);
}

#[tokio::test]
async fn a_full_refresh_empties_what_no_record_came_for() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (table("one: seq int64"), table("other: seq int64"));
    load(folder.path(), &run("1"), &one, &["1"]).await;
    load(folder.path(), &run("2"), &other, &["1"]).await;
    load(folder.path(), &fresh_run("3"), &one, &["2"]).await;
    assert_eq!(
        (text(folder.path(), "one.jsonl").as_str(), text(folder.path(), "other.jsonl").as_str()),
        ("{\"seq\":2}\n", "")
    );
    assert_eq!(names(folder.path()), ["one.jsonl", "other.jsonl"]);
}

#[tokio::test]
async fn lines_that_were_there_before_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let events = table("events: seq int64");
    fs::write(folder.path().join("events.jsonl"), "{\"seq\":0}").unwrap();
    let error = refusal(folder.path(), &run("one"), &events).await;
    assert_eq!(error.code, "E0393");
    fs::write(folder.path().join("events.jsonl"), "{\"seq\":0}\n").unwrap();
    load(folder.path(), &fresh_run("two"), &events, &["1"]).await;
    assert_eq!(
        text(folder.path(), "events.jsonl"),
        "{\"seq\":0}\n{\"seq\":1}\n",
        "it was not this pipeline's"
    );
}

#[tokio::test]
async fn check_changes_nothing_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("a/b");
    target(&missing).check().await.unwrap();
    target(folder.path()).check().await.unwrap();
    assert_eq!(names(folder.path()), Vec::<String>::new());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::write(folder.path().join("file"), "").unwrap();
    for path in ["file", "file/below"] {
        let error = target(&folder.path().join(path)).check().await.unwrap_err();
        assert_eq!((error.code, &error.status), ("E0381", &Status::Config), "{error}");
        assert!(target(&folder.path().join(path)).resume(&run("one")).await.is_err());
    }
    start(&missing, &run("one")).await;
    assert!(missing.is_dir(), "a run makes the folder");
}

#[tokio::test]
async fn a_refused_record_is_named_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let events = table("events: a json");
    let mut target = start(folder.path(), &run("one")).await;
    write(&mut target, &events, &["1", "2"]).await;
    let batch = target_testkit::cells::batch(&events.schema, &[&[Some("3")], &[Some("{secret")]]);
    let stream = StreamName::from("events");
    let error = target.write(&stream, batch).await.unwrap_err();
    assert_eq!((error.code, &error.status), ("E0328", &Status::Record { stream, record: 4 }));
    assert!(!error.to_string().contains("secret"));
    assert_eq!(target.commit(&state("{}")).await.unwrap_err().code, "E0391");
}

#[tokio::test]
async fn a_full_refresh_of_a_stream_keeps_the_state() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), &run("one"), &table("events: seq int64"), &["1"]).await;
    let streams = FullRefresh::Streams([StreamName::from("events")].into());
    let resumed = target(folder.path()).resume(&RunIdentity { full_refresh: streams, ..run("two") }).await;
    assert_eq!(resumed.unwrap().as_deref(), Some("{\"run\":\"one\"}"));
    assert_eq!(target(folder.path()).resume(&fresh_run("three")).await.unwrap(), None);
}
