//! Records whose `_sdc_deleted_at` is set.

use target_api::{Deletes, Table};

use super::scene::{Scene, run, table};

const AT: &str = "2024-01-02 03:04:05";

fn orders(deletes: Deletes) -> Table {
    let words = "id int64, name text, _sdc_deleted_at timestamptz";
    Table { deletes, ..table(&format!("{}: {words}", format!("{deletes:?}").to_lowercase()), &["id"]) }
}

/// Records in order: 1 is deleted, 2 is deleted and comes again, 3 comes and is deleted, 4 was never there, 5 stays.
async fn played(scene: &Scene<'_>, table: &Table) -> Vec<String> {
    scene.load("one", table, &["1|a|~", "2|a|~", "5|a|~"]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(table).await;
    let gone = |id: &str| format!("{id}|~|{AT}");
    let acts = [gone("1"), gone("2"), "2|b|~".to_owned(), "3|a|~".to_owned(), gone("3"), gone("4")];
    // In one batch, and each in its own.
    session.write(table, &acts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for act in &acts {
        session.write(table, &[act]).await;
    }
    session.commit(Some("{}")).await;
    drop(session);
    scene.records(table).await
}

pub(crate) async fn a_hard_delete_removes_by_key_in_order(scene: &Scene<'_>) {
    assert_eq!(played(scene, &orders(Deletes::Hard)).await, ["2|b|~", "5|a|~"]);
}

pub(crate) async fn a_soft_delete_marks_and_touches_nothing_else(scene: &Scene<'_>) {
    for deletes in [Deletes::Soft, Deletes::Unsaid] {
        let found = played(scene, &orders(deletes)).await;
        let marked = |id: &str| found.iter().any(|line| line.starts_with(&format!("{id}|a|2024-01-02")));
        assert!(marked("1") && marked("3"), "{deletes:?} {found:?}");
        assert_eq!((found.len(), &*found[1], &*found[3]), (4, "2|b|~", "5|a|~"), "{deletes:?}");
        scene.load("three", &orders(deletes), &["1|c|~"]).await;
        assert_eq!(scene.records(&orders(deletes)).await[0], "1|c|~", "it came back");
    }
}

pub(crate) async fn an_ignored_delete_is_a_record(scene: &Scene<'_>) {
    let table = orders(Deletes::Ignore);
    scene.load("one", &table, &["1|a|~"]).await;
    scene.load("two", &table, &[&format!("1|~|{AT}")]).await;
    let found = scene.records(&table).await;
    assert!(found.len() == 1 && found[0].starts_with("1|~|2024"), "{found:?}");
}

pub(crate) async fn a_soft_delete_marks_older_versions(scene: &Scene<'_>) {
    let mut table = table("items: id int64, _sdc_table_version int64, _sdc_deleted_at timestamptz", &["id"]);
    table.deletes = Deletes::Soft;
    scene.load("one", &table, &["1|10|~", "2|10|~", &format!("3|10|{AT}")]).await;
    let mut session = scene.start(&run("two")).await;
    session.open(&table).await;
    session.write(&table, &["1|20|~"]).await;
    session.activate(&table, 20).await;
    session.commit(Some("{}")).await;
    drop(session);
    let found = scene.records(&table).await;
    assert_eq!(found[0], "1|20|~");
    assert!(found.len() == 2 && found[1].starts_with("2|10|2"), "{found:?}");
}
