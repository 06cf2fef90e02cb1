//! Whose file, whose STATE.

use std::fs;

use target_api::{RunIdentity, Status, TableName, Target as _};

use crate::support::{load, refusal, run, start, table, target, text, write};

#[tokio::test]
async fn a_file_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let events = table("events: seq int64");
    load(folder.path(), &run("one"), &events, &["1"]).await;
    let other = RunIdentity { pipeline: "other".to_owned(), environment: "test".to_owned(), ..run("two") };
    let error = refusal(folder.path(), &other, &events).await;
    assert_eq!((error.code, &error.status), ("E0323", &Status::Config));
    assert!(error.message.contains("stream `events` of pipeline `shop`"), "{error}");
    let mut second = table("second: seq int64");
    second.name = TableName { schema: None, table: "events".to_owned() };
    let error = refusal(folder.path(), &run("three"), &second).await;
    assert!(error.message.contains("of this pipeline"), "{error}");
    let mut planned = target(folder.path());
    planned.stored_state(&other).await.unwrap();
    assert_eq!(planned.plan(&events).await.unwrap_err().code, "E0323");
}

/// Two runs open the same new table; the second to commit finds it taken.
#[tokio::test]
async fn who_commits_first_owns_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let events = table("events: seq int64");
    let mut slow = start(folder.path(), &RunIdentity { pipeline: "slow".to_owned(), ..run("slow") }).await;
    write(&mut slow, &events, &["2"]).await;
    load(folder.path(), &run("one"), &events, &["1"]).await;
    let error = slow.commit(&crate::support::state("{}")).await.unwrap_err();
    assert_eq!(error.code, "E0323");
    assert_eq!(text(folder.path(), "events.jsonl"), "{\"seq\":1}\n");
}

#[tokio::test]
async fn a_stream_that_moves_is_refused_while_a_state_counts_on_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = table("events: seq int64");
    load(folder.path(), &run("one"), &events, &["1"]).await;
    events.name.table = "moved".to_owned();
    let error = refusal(folder.path(), &run("two"), &events).await;
    assert_eq!(error.code, "E0324");
    assert!(error.message.contains("events.jsonl") && error.message.contains("moved.jsonl"), "{error}");
    fs::write(folder.path().join("moved.jsonl"), "{\"mine\":1}\n").unwrap();
    load(folder.path(), &crate::support::fresh_run("three"), &events, &["2"]).await;
    assert_eq!(text(folder.path(), "moved.jsonl"), "{\"mine\":1}\n{\"seq\":2}\n");
    assert_eq!(text(folder.path(), "events.jsonl"), "{\"seq\":1}\n", "the old one is left as it is");
}

#[tokio::test]
async fn another_taps_state_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), &run("one"), &table("events: seq int64"), &["1"]).await;
    let error = target(folder.path()).resume(&RunIdentity { tap: "tap-b".to_owned(), ..run("two") }).await;
    let error = error.unwrap_err();
    assert_eq!(error.code, "E0322");
    assert!(error.message.contains("`tap-shop`") && error.message.contains("`tap-b`"), "{error}");
}

#[tokio::test]
async fn a_name_that_is_taken_is_not_given_again() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), &run("one"), &table("events: seq int64"), &["1"]).await;
    let other = RunIdentity { pipeline: "other".to_owned(), ..run("two") };
    load(folder.path(), &other, &table("others: seq int64"), &["1"]).await;
    let mut target = start(folder.path(), &other).await;
    assert_eq!(target.rename_pipeline("shop").await.unwrap_err().code, "E0329");
    let stored = target.stored_state(&run("three")).await.unwrap().unwrap();
    assert_eq!((stored.run.as_str(), stored.state.as_deref()), ("one", Some("{\"run\":\"one\"}")));
}
