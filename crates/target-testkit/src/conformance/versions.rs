//! `ACTIVATE_VERSION`.

use target_api::{Deletes, Table};

use super::scene::{Scene, run, table};

fn versioned() -> Table {
    table("items: id int64, _sdc_table_version int64", &["id"])
}

pub(crate) async fn a_version_replaces_the_others(scene: &Scene<'_>) {
    let table = versioned();
    scene.load("one", &table, &["1|10", "2|10", "3|~"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    session.write(&table, &["1|20"]).await;
    session.write(&table, &["4|20"]).await;
    session.activate(&table, 20).await;
    session.write(&table, &["5|20"]).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1|20", "4|20", "5|20"]);
}

pub(crate) async fn a_version_is_activated_with_the_commit(scene: &Scene<'_>) {
    let table = versioned();
    scene.load("one", &table, &["1|10", "2|20"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    session.activate(&table, 20).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1|10", "2|20"]);
}

pub(crate) async fn the_same_version_again_removes_nothing(scene: &Scene<'_>) {
    let table = versioned();
    scene.load("one", &table, &["1|10", "2|10"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    session.activate(&table, 10).await;
    session.write(&table, &["3|10"]).await;
    session.activate(&table, 10).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1|10", "2|10", "3|10"]);
}

pub(crate) async fn a_version_without_records_empties_nothing(scene: &Scene<'_>) {
    let table = versioned();
    scene.load("one", &table, &["1|10", "2|10"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    session.activate(&table, 20).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1|10", "2|10"]);
}

pub(crate) async fn an_older_version_removes_nothing_newer(scene: &Scene<'_>) {
    let table = versioned();
    scene.load("one", &table, &["1|9", "2|10", "3|100"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    session.activate(&table, 10).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["2|10", "3|100"]);
}

pub(crate) async fn a_truncated_stream_is_emptied(scene: &Scene<'_>) {
    let table = versioned();
    scene.load("one", &table, &["1|10", "2|~", "3|30"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    session.write(&table, &["4|10"]).await;
    session.truncate(&table, 20).await;
    session.write(&table, &["5|20"]).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["3|30", "5|20"]);
}

pub(crate) async fn a_truncated_stream_is_marked_where_versions_are(scene: &Scene<'_>) {
    let words = "items: id int64, _sdc_table_version int64, _sdc_deleted_at timestamptz";
    let table = Table { deletes: Deletes::Soft, ..table(words, &["id"]) };
    scene.load("one", &table, &["1|10|~"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    session.truncate(&table, 20).await;
    session.commit(Some("{}")).await;
    drop(session);
    let found = scene.records(&table).await;
    assert!(found.len() == 1 && found[0].starts_with("1|10|2"), "{found:?}");
}
