//! `--full-refresh`.

use target_api::{FullRefresh, RunIdentity, StreamName};

use super::scene::{Scene, run, table};

pub(crate) async fn a_full_refresh_empties_in_the_first_commit_only(scene: &Scene<'_>) {
    let (keyed, keyless) = (table("orders: id int64", &["id"]), table("events: seq int64", &[]));
    scene.load("one", &keyed, &["1", "2"]).await;
    scene.load("two", &keyless, &["1", "2"]).await;
    let mut session = scene.start(&RunIdentity { full_refresh: FullRefresh::All, ..run("three") }).await;
    for (at, record) in ["2", "3"].into_iter().enumerate() {
        session.open(&keyed).await;
        session.open(&keyless).await;
        session.write(&keyed, &[record]).await;
        session.write(&keyless, &[record]).await;
        session.commit(Some(&format!("{{\"at\":{at}}}"))).await;
    }
    drop(session);
    assert_eq!(scene.records(&keyed).await, ["2", "3"]);
    assert_eq!(scene.records(&keyless).await, ["2", "3"]);
    assert_eq!(scene.next_state().await.as_deref(), Some("{\"at\":1}"));
}

pub(crate) async fn a_full_refresh_that_dies_changes_nothing(scene: &Scene<'_>) {
    let table = table("orders: id int64", &["id"]);
    scene.load("one", &table, &["1", "2"]).await;
    let mut session = scene.start(&RunIdentity { full_refresh: FullRefresh::All, ..run("two") }).await;
    session.open(&table).await;
    session.write(&table, &["3"]).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1", "2"]);
    assert_eq!(scene.next_state().await.as_deref(), Some("{\"run\":\"one\"}"));
}

pub(crate) async fn a_full_refresh_of_one_stream_leaves_the_others(scene: &Scene<'_>) {
    let (one, other) = (table("one: seq int64", &[]), table("other: seq int64", &[]));
    scene.load("first", &one, &["1"]).await;
    scene.load("second", &other, &["1"]).await;
    let streams = FullRefresh::Streams([StreamName::from("one")].into());
    let mut session = scene.start(&RunIdentity { full_refresh: streams, ..run("third") }).await;
    for table in [&one, &other] {
        session.open(table).await;
        session.write(table, &["2"]).await;
    }
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&one).await, ["2"]);
    assert_eq!(scene.records(&other).await, ["1", "2"]);
}
