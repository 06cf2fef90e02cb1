//! Loads whose STATE somebody else keeps, as a target that is a program does.

use target_api::RunIdentity;

use super::scene::{Scene, run, table};

/// A run of no pipeline, that keeps no STATE.
fn alone(id: &str) -> RunIdentity {
    RunIdentity { pipeline: String::new(), tap: String::new(), keeps_state: false, ..run(id) }
}

pub(crate) async fn what_keeps_no_state_commits_all_the_same(scene: &Scene<'_>) {
    let table = table("events: seq int64", &[]);
    let mut session = scene.start(&alone("one")).await;
    assert_eq!(session.state, None);
    session.open(&table).await;
    session.write(&table, &["1"]).await;
    let first = session.commit(Some("{\"seq\":1}")).await;
    session.write(&table, &["2"]).await;
    assert_eq!(session.commit(None).await, first + 1, "commits are counted");
    session.write(&table, &["3"]).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1", "2"], "what was committed, and that alone");
    assert!(!scene.warehouse.keeps_state().await, "something of a STATE is kept");
    assert_eq!(scene.start(&alone("two")).await.state, None);
}

pub(crate) async fn what_keeps_no_state_misses_no_table(scene: &Scene<'_>) {
    let table = table("events: seq int64", &[]);
    let load = async |id: &str, records: &[&str]| {
        let mut session = scene.start(&alone(id)).await;
        session.open(&table).await;
        session.write(&table, records).await;
        session.commit(Some("{}")).await;
    };
    load("one", &["1"]).await;
    load("two", &["2"]).await;
    assert_eq!(scene.records(&table).await, ["1", "2"]);
    scene.warehouse.drop_table(&scene.place(&table)).await;
    load("three", &["3"]).await;
    assert_eq!(scene.records(&table).await, ["3"], "no STATE says that there was more");
}

pub(crate) async fn what_keeps_no_state_knows_its_tables(scene: &Scene<'_>) {
    let first = table("events: seq int64", &[]);
    let mut second = table("others: seq int64", &[]);
    second.name = first.name.clone();
    let mut session = scene.start(&alone("one")).await;
    session.open(&first).await;
    session.write(&first, &["1"]).await;
    session.commit(None).await;
    drop(session);
    let mut session = scene.start(&alone("two")).await;
    assert!(session.target.open(&second).await.is_err(), "another stream's table was taken");
}

pub(crate) async fn what_keeps_no_state_is_not_overtaken(scene: &Scene<'_>) {
    let table = table("events: seq int64", &[]);
    let mut sessions = Vec::new();
    for id in ["one", "two"] {
        let mut session = scene.start(&alone(id)).await;
        session.open(&table).await;
        session.write(&table, &["1"]).await;
        if id == "one" {
            session.commit(None).await;
            session.write(&table, &["2"]).await;
        }
        sessions.push(session);
    }
    for session in sessions.iter_mut().rev() {
        session.commit(Some("{}")).await;
    }
    drop(sessions);
    assert_eq!(scene.records(&table).await, ["1", "1", "2"]);
}
