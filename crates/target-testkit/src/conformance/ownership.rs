//! Whose table, whose STATE.

use target_api::{Checkpoint, FullRefresh, RunIdentity, StateChange, Status, TargetError};

use super::scene::{Scene, run, table};

fn assert_refused(error: &TargetError) {
    assert_eq!(error.status, Status::Config, "{error}");
}

pub(crate) async fn another_pipelines_table_is_refused(scene: &Scene<'_>) {
    let table = table("orders: id int64", &["id"]);
    scene.load("one", &table, &["1"]).await;
    let other = RunIdentity { pipeline: "other".to_owned(), ..run("two") };
    let mut session = scene.start(&other).await;
    assert_eq!(session.state, None, "the STATE is the pipeline's own");
    let error = session.target.open(&table).await.expect_err("the table is another pipeline's");
    assert_refused(&error);
    drop(session);
    assert_eq!(scene.records(&table).await, ["1"]);
}

pub(crate) async fn another_taps_state_is_refused(scene: &Scene<'_>) {
    let table = table("orders: id int64", &["id"]);
    scene.load("one", &table, &["1"]).await;
    let other = RunIdentity { tap: "tap-other".to_owned(), ..run("two") };
    let error = scene.try_start(&other).await.err().expect("the STATE is another tap's");
    assert_refused(&error);
    let fresh = RunIdentity { full_refresh: FullRefresh::All, ..other };
    let mut session = scene.start(&fresh).await;
    session.open(&table).await;
    session.write(&table, &["2"]).await;
    session.commit(Some("{\"other\":1}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["2"], "a full refresh takes it over");
    assert!(scene.try_start(&run("three")).await.is_err(), "now it is that tap's");
}

pub(crate) async fn another_taps_state_can_be_replaced(scene: &Scene<'_>) {
    let table = table("orders: id int64", &["id"]);
    scene.load("one", &table, &["1"]).await;
    let other = RunIdentity { tap: "tap-other".to_owned(), ..run("two") };
    let mut session = scene.start(&RunIdentity { takes_over: true, ..other.clone() }).await;
    session.commit(Some("{\"other\":1}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1"], "what is loaded stays");
    assert!(scene.try_start(&run("three")).await.is_err(), "now it is that tap's");
    let resumed = scene.start(&RunIdentity { run: "four".to_owned(), ..other }).await;
    assert_eq!(resumed.state.as_deref(), Some("{\"other\":1}"));
}

pub(crate) async fn a_vanished_table_is_refused(scene: &Scene<'_>) {
    let table = table("orders: id int64", &["id"]);
    scene.load("one", &table, &["1"]).await;
    scene.warehouse.drop_table(&scene.place(&table)).await;
    let mut session = scene.start(&run("two")).await;
    let error = session.target.open(&table).await.expect_err("the STATE says that its records are there");
    assert_refused(&error);
    drop(session);
    let fresh = RunIdentity { full_refresh: FullRefresh::All, ..run("three") };
    let mut session = scene.start(&fresh).await;
    session.open(&table).await;
    session.write(&table, &["2"]).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["2"]);
}

pub(crate) async fn a_renamed_pipeline_keeps_its_tables(scene: &Scene<'_>) {
    let table = table("orders: id int64", &["id"]);
    scene.load("one", &table, &["1"]).await;
    let moved = RunIdentity { pipeline: "market".to_owned(), ..run("three") };
    let mut early = scene.start(&moved).await;
    let error = early.target.open(&table).await.expect_err("its old name has the table still");
    assert_refused(&error);
    drop(early);
    let mut session = scene.start(&run("two")).await;
    let renamed = session.target.rename_pipeline("market").await;
    renamed.unwrap_or_else(|error| panic!("rename_pipeline: {error}"));
    drop(session);
    let mut session = scene.start(&moved).await;
    assert_eq!(session.state.as_deref(), Some("{\"run\":\"one\"}"));
    session.open(&table).await;
    session.write(&table, &["2"]).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1", "2"]);
    assert_eq!(scene.next_state().await, None, "nothing is left under the old name");
}

/// The new name has run already: its STATE is not overwritten, and once that is cleared its tables are in nobody's way.
pub(crate) async fn a_name_with_a_state_is_not_given_away(scene: &Scene<'_>) {
    let (orders, refunds) = (table("orders: id int64", &["id"]), table("refunds: id int64", &["id"]));
    scene.load("one", &orders, &["1"]).await;
    let early = RunIdentity { pipeline: "market".to_owned(), ..run("two") };
    let mut session = scene.start(&early).await;
    session.open(&refunds).await;
    session.write(&refunds, &["7"]).await;
    session.commit(Some("{\"early\":1}")).await;
    drop(session);
    let mut session = scene.start(&run("three")).await;
    let error = session.target.rename_pipeline("market").await.expect_err("it has a STATE");
    assert_refused(&error);
    drop(session);
    assert_eq!(scene.next_state().await.as_deref(), Some("{\"run\":\"one\"}"), "nothing was changed");
    let mut session = scene.start(&RunIdentity { run: "four".to_owned(), ..early.clone() }).await;
    let cleared = session.target.commit(&Checkpoint { state: StateChange::Clear }).await;
    cleared.unwrap_or_else(|error| panic!("commit: {error}"));
    drop(session);
    let mut session = scene.start(&run("five")).await;
    let renamed = session.target.rename_pipeline("market").await;
    renamed.unwrap_or_else(|error| panic!("rename_pipeline: {error}"));
    drop(session);
    let mut session = scene.start(&RunIdentity { run: "six".to_owned(), ..early }).await;
    assert_eq!(session.state.as_deref(), Some("{\"run\":\"one\"}"));
    session.open(&orders).await;
    session.write(&orders, &["2"]).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&orders).await, ["1", "2"]);
    assert_eq!(scene.records(&refunds).await, ["7"], "what it had loaded stays");
}
