//! Which records are the same.

use target_api::LoadMethod;

use super::scene::{Scene, run, table};

pub(crate) async fn the_last_record_of_a_key_wins_in_a_batch(scene: &Scene<'_>) {
    let table = table("orders: id int64, name text", &["id"]);
    scene.load("one", &table, &["1|a", "2|a", "1|b", "1|c", "2|~"]).await;
    assert_eq!(scene.records(&table).await, ["1|c", "2|~"]);
}

pub(crate) async fn the_last_record_of_a_key_wins_in_an_epoch(scene: &Scene<'_>) {
    let table = table("orders: id int64, name text", &["id"]);
    let mut session = scene.start(&run("one")).await;
    session.open(&table).await;
    session.write(&table, &["1|a", "2|a"]).await;
    session.write(&table, &["2|b", "3|b"]).await;
    session.write(&table, &["3|c", "1|c", "1|d"]).await;
    session.commit(Some("{}")).await;
    session.write(&table, &["1|e", "4|e"]).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&table).await, ["1|e", "2|b", "3|c", "4|e"]);
}

pub(crate) async fn the_last_record_of_a_key_wins_over_runs(scene: &Scene<'_>) {
    let table = table("orders: id int64, name text", &["id"]);
    scene.load("one", &table, &["1|a", "2|a"]).await;
    scene.load("two", &table, &["2|b", "3|b"]).await;
    assert_eq!(scene.records(&table).await, ["1|a", "2|b", "3|b"]);
}

pub(crate) async fn keys_are_compared_part_by_part(scene: &Scene<'_>) {
    let table = table("pairs: a text, b text, n int64", &["a", "b"]);
    let records = ["x,y|z|1", "x|y,z|2", "|x|3", "x||4", "X|y,z|5", "x |y,z|6"];
    scene.load("one", &table, &records).await;
    scene.load("two", &table, &["x|y,z|7"]).await;
    let mut expected: Vec<&str> =
        records.iter().map(|r| if *r == "x|y,z|2" { "x|y,z|7" } else { r }).collect();
    expected.sort_unstable();
    assert_eq!(scene.records(&table).await, expected);
}

pub(crate) async fn records_without_key_are_appended(scene: &Scene<'_>) {
    let table = table("events: seq int64, note text", &[]);
    scene.load("one", &table, &["1|a", "1|a", "2|~"]).await;
    scene.load("two", &table, &["1|a"]).await;
    assert_eq!(scene.records(&table).await, ["1|a", "1|a", "1|a", "2|~"]);
}

pub(crate) async fn append_only_appends(scene: &Scene<'_>) {
    let mut table = table("orders: id int64, name text", &["id"]);
    table.load_method = LoadMethod::AppendOnly;
    scene.load("one", &table, &["1|a", "1|b"]).await;
    scene.load("two", &table, &["1|b"]).await;
    assert_eq!(scene.records(&table).await, ["1|a", "1|b", "1|b"]);
}

pub(crate) async fn a_column_that_the_schema_drops_keeps_its_values(scene: &Scene<'_>) {
    let (wide, narrow) = (table("orders: id int64, name text", &["id"]), table("orders: id int64", &["id"]));
    scene.load("one", &wide, &["1|a", "2|a"]).await;
    scene.load("two", &narrow, &["2", "3"]).await;
    assert_eq!(scene.records(&wide).await, ["1|a", "2|a", "3|~"]);
}
