//! All or nothing, and by one run alone.

use target_api::Status;

use super::scene::{Scene, run, state, table};

pub(crate) async fn an_older_run_cannot_commit(scene: &Scene<'_>) {
    let table = table("events: seq int64", &[]);
    let mut older = scene.start(&run("older")).await;
    older.open(&table).await;
    older.write(&table, &["1"]).await;
    older.commit(Some("{\"seq\":1}")).await;
    let mut newer = scene.start(&run("newer")).await;
    assert_eq!(newer.state.as_deref(), Some("{\"seq\":1}"));
    // The older one notices at the latest when it commits; it may notice before.
    let written = async {
        let batch = crate::cells::batch(&table.schema, &[&[Some("2")]]);
        older.target.write(&table.schema.stream, batch).await?;
        older.target.commit(&state("{\"seq\":2}")).await
    };
    let error = written.await.expect_err("the older run must not commit");
    assert_eq!(error.status, Status::Busy, "{error}");
    drop(older);
    newer.open(&table).await;
    newer.write(&table, &["20"]).await;
    newer.commit(Some("{\"seq\":20}")).await;
    drop(newer);
    assert_eq!(scene.next_state().await.as_deref(), Some("{\"seq\":20}"));
    assert_eq!(scene.records(&table).await, ["1", "20"]);
}

pub(crate) async fn what_was_not_committed_leaves_nothing(scene: &Scene<'_>) {
    let (kept, new) = (table("kept: id int64, name text", &["id"]), table("new: seq int64", &[]));
    scene.load("one", &kept, &["1|one"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&kept).await;
    session.open(&new).await;
    session.write(&kept, &["1|changed", "2|two"]).await;
    session.write(&new, &["1"]).await;
    session.write(&kept, &["3|three"]).await;
    drop(session);
    assert_eq!(scene.records(&kept).await, ["1|one"]);
    assert_eq!(scene.count(&new).await, 0);
    assert_eq!(scene.next_state().await.as_deref(), Some("{\"run\":\"one\"}"));
    assert_eq!(scene.warehouse.left_over().await, Vec::<String>::new());
}

pub(crate) async fn records_are_visible_with_their_commit(scene: &Scene<'_>) {
    let table = table("events: seq int64", &[]);
    scene.load("one", &table, &["1"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    session.write(&table, &["2"]).await;
    assert_eq!(scene.records(&table).await, ["1"]);
    session.commit(Some("{}")).await;
    assert_eq!(scene.records(&table).await, ["1", "2"]);
}

pub(crate) async fn several_streams_are_committed_together(scene: &Scene<'_>) {
    let (one, other) = (table("one: id int64, a text", &["id"]), table("other: seq int64", &[]));
    let mut session = scene.start(&run("first")).await;
    session.open(&one).await;
    session.write(&one, &["1|x"]).await;
    session.open(&other).await;
    for record in ["1", "2", "3"] {
        session.write(&other, &[record]).await;
        session.write(&one, &[&format!("{record}|{record}")]).await;
    }
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&one).await, ["1|1", "2|2", "3|3"]);
    assert_eq!(scene.records(&other).await, ["1", "2", "3"]);
    assert_eq!(scene.warehouse.left_over().await, Vec::<String>::new());
}
