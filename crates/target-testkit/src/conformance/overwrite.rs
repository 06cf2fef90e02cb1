//! Tables that are overwritten.

use target_api::{LoadMethod, Table};

use super::scene::{Scene, run, table};

fn overwritten(words: &str, key: &[&str]) -> Table {
    Table { load_method: LoadMethod::Overwrite, ..table(words, key) }
}

pub(crate) async fn an_overwritten_table_holds_what_the_run_sent(scene: &Scene<'_>) {
    let tables = [overwritten("orders: id int64", &["id"]), overwritten("events: seq int64", &[])];
    for (at, records) in [&["1", "2"][..], &["2", "3"], &[]].into_iter().enumerate() {
        let mut session = scene.start(&run(&at.to_string())).await;
        for table in &tables {
            session.open(table).await;
            session.write(table, records).await;
        }
        session.commit(Some("{}")).await;
        drop(session);
        for table in &tables {
            assert_eq!(scene.records(table).await, records);
        }
    }
    let appended = table("events: seq int64", &[]);
    scene.load("after", &appended, &["4"]).await;
    assert_eq!(scene.records(&appended).await, ["4"], "the next run may append again");
}

pub(crate) async fn an_overwritten_table_is_emptied_once(scene: &Scene<'_>) {
    let table = overwritten("events: seq int64", &[]);
    scene.load("one", &table, &["1"]).await;
    let mut session = scene.start(&run("two")).await;
    for record in ["2", "3"] {
        session.open(&table).await;
        session.write(&table, &[record]).await;
        session.commit(Some(&format!("{{\"at\":{record}}}"))).await;
    }
    drop(session);
    assert_eq!(scene.records(&table).await, ["2", "3"]);
}

pub(crate) async fn an_overwrite_that_dies_changes_nothing(scene: &Scene<'_>) {
    let table = overwritten("events: seq int64", &[]);
    scene.load("one", &table, &["1"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    session.write(&table, &["2"]).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1"]);
    scene.load("three", &table, &["3"]).await;
    assert_eq!(scene.records(&table).await, ["3"]);
}

/// What is there neither conflicts nor must differ in the new key, since it goes.
pub(crate) async fn an_overwrite_gives_the_table_its_own_key_and_types(scene: &Scene<'_>) {
    scene.load("one", &table("items: id int64, name text", &[]), &["1|a", "1|b"]).await;
    let items = overwritten("items: id int64, name json", &["id"]);
    scene.load("two", &items, &["1|{}", "1|[]", "2|[]"]).await;
    assert_eq!(scene.records(&items).await, ["1|[]", "2|[]"]);
}

pub(crate) async fn an_overwritten_table_may_have_vanished(scene: &Scene<'_>) {
    let table = overwritten("orders: id int64", &[]);
    scene.load("one", &table, &["1"]).await;
    scene.warehouse.drop_table(&scene.place(&table)).await;
    scene.load("two", &table, &["2"]).await;
    assert_eq!(scene.records(&table).await, ["2"]);
}
