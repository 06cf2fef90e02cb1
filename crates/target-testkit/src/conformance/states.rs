//! The STATE.

use target_api::{Checkpoint, StateChange};

use super::scene::{Scene, run, table};

pub(crate) async fn a_first_run_has_no_state(scene: &Scene<'_>) {
    assert_eq!(scene.start(&run("one")).await.state, None);
    assert_eq!(scene.start(&run("two")).await.state, None, "nothing was committed in between");
}

pub(crate) async fn a_state_keeps_its_bytes(scene: &Scene<'_>) {
    let text = r#"{"b": 1,  "a":[1.10, -0.0, 1E+2, 123456789012345678901234567890, "\u00e9é😀", "o'clock\\\" $1 %s"],"b":2}"#;
    let long = format!(r#"{{"bookmarks":"{}"}}"#, "é".repeat(300_000));
    for text in [text, "{}", "null", long.as_str()] {
        let mut session = scene.start(&run("writer")).await;
        session.commit(Some(text)).await;
        drop(session);
        assert_eq!(scene.next_state().await.as_deref(), Some(text));
    }
}

pub(crate) async fn a_state_is_kept_without_records(scene: &Scene<'_>) {
    let mut session = scene.start(&run("one")).await;
    session.commit(Some("{\"a\":1}")).await;
    session.commit(Some("{\"a\":2}")).await;
    drop(session);
    assert_eq!(scene.next_state().await.as_deref(), Some("{\"a\":2}"));
}

pub(crate) async fn keep_keeps_the_state(scene: &Scene<'_>) {
    let table = table("events: seq int64", &[]);
    let mut session = scene.start(&run("one")).await;
    session.open(&table).await;
    session.write(&table, &["1"]).await;
    session.commit(Some("{\"seq\":1}")).await;
    session.write(&table, &["2"]).await;
    session.commit(None).await;
    drop(session);
    assert_eq!(scene.next_state().await.as_deref(), Some("{\"seq\":1}"));
    assert_eq!(scene.records(&table).await, ["1", "2"], "its records are committed");
}

pub(crate) async fn clear_gives_the_state_up(scene: &Scene<'_>) {
    let mut session = scene.start(&run("one")).await;
    session.commit(Some("{\"a\":1}")).await;
    let cleared = session.target.commit(&Checkpoint { state: StateChange::Clear }).await;
    cleared.unwrap_or_else(|error| panic!("commit that clears: {error}"));
    drop(session);
    assert_eq!(scene.next_state().await, None);
}

pub(crate) async fn commits_are_counted(scene: &Scene<'_>) {
    let mut session = scene.start(&run("one")).await;
    let first = session.commit(Some("{\"a\":1}")).await;
    let second = session.commit(Some("{\"a\":1}")).await;
    assert_eq!(second, first + 1);
    drop(session);
    let mut session = scene.start(&run("two")).await;
    let third = session.commit(None).await;
    assert_eq!(third, second + 1, "the next run counts on");
    let stored = session.target.stored_state(&run("two")).await;
    let stored = stored.unwrap_or_else(|error| panic!("stored_state: {error}")).expect("a state row");
    assert_eq!((stored.sequence, stored.state.as_deref()), (third, Some("{\"a\":1}")));
    assert_eq!((stored.tap.as_str(), stored.run.as_str()), ("tap-shop", "two"));
}
