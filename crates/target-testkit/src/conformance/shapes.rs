//! Tables that change.

use super::scene::{Scene, run, table};

pub(crate) async fn open_again_changes_nothing(scene: &Scene<'_>) {
    let table = table("orders: id int64, name text", &["id"]);
    scene.load("one", &table, &["1|a"]).await;
    let mut session = scene.start(&run("two")).await;
    for _ in 0..2 {
        session.open(&table).await;
        session.write(&table, &["2|b"]).await;
    }
    let again = session.target.open(&table).await.unwrap_or_else(|error| panic!("open: {error}"));
    assert_eq!((again.created, again.statements.len()), (false, 0), "{:?}", again.statements);
    session.commit(Some("{}")).await;
    session.open(&table).await;
    session.commit(Some("{}")).await;
    drop(session);
    let records = scene.records(&table).await;
    assert!(records.contains(&"1|a".to_owned()) && records.contains(&"2|b".to_owned()), "{records:?}");
}

pub(crate) async fn a_column_comes_in_mid_epoch(scene: &Scene<'_>) {
    let (before, after) = (
        table("events: seq int64, note text", &[]),
        table("events: added json, seq int64, note text, late int64", &[]),
    );
    let mut session = scene.start(&run("one")).await;
    session.open(&before).await;
    session.write(&before, &["1|a"]).await;
    session.open(&after).await;
    session.write(&after, &["[2]|2|b|20"]).await;
    session.commit(Some("{}")).await;
    drop(session);
    assert_eq!(scene.records(&after).await, ["[2]|2|b|20", "~|1|a|~"]);
}

pub(crate) async fn a_column_widens_from_run_to_run(scene: &Scene<'_>) {
    let of = |column_type: &str| table(&format!("orders: id int64, amount {column_type}"), &["id"]);
    scene.load("one", &of("int64"), &["1|9007199254740993", "2|-1"]).await;
    scene.load("two", &of("numeric"), &["3|2.5", "4|12345678901234567890.12345"]).await;
    let numbers = ["1|9007199254740993", "2|-1", "3|2.5", "4|12345678901234567890.12345"];
    assert_eq!(scene.records(&of("numeric")).await, numbers);
    scene.load("three", &of("text"), &["5|many", "2|few"]).await;
    let texts = ["1|9007199254740993", "2|few", "3|2.5", "4|12345678901234567890.12345", "5|many"];
    assert_eq!(scene.records(&of("numeric")).await, texts, "numbers as text are still these numbers");
}

pub(crate) async fn a_column_widens_in_mid_epoch(scene: &Scene<'_>) {
    for key in [&["id"][..], &[]] {
        let stream = if key.is_empty() { "keyless" } else { "keyed" };
        let of = |column_type: &str| table(&format!("{stream}: id int64, amount {column_type}"), key);
        let mut session = scene.start(&run(stream)).await;
        session.open(&of("int64")).await;
        session.write(&of("int64"), &["1|10", "2|20"]).await;
        session.open(&of("numeric")).await;
        session.write(&of("numeric"), &["3|2.5"]).await;
        session.open(&of("text")).await;
        session.write(&of("text"), &["4|x"]).await;
        session.commit(Some("{}")).await;
        session.write(&of("text"), &["5|y"]).await;
        session.commit(Some("{}")).await;
        drop(session);
        assert_eq!(scene.records(&of("text")).await, ["1|10", "2|20", "3|2.5", "4|x", "5|y"], "{stream}");
    }
}

pub(crate) async fn a_narrower_record_fits_a_wider_column(scene: &Scene<'_>) {
    let of = |column_type: &str| table(&format!("orders: id int64, amount {column_type}"), &["id"]);
    scene.load("one", &of("numeric"), &["1|1.5"]).await;
    scene.load("two", &of("int64"), &["2|2", "1|1"]).await;
    assert_eq!(scene.records(&of("numeric")).await, ["1|1", "2|2"]);
    scene.load("three", &of("text"), &["3|three"]).await;
    scene.load("four", &of("int64"), &["4|4"]).await;
    assert_eq!(scene.records(&of("text")).await, ["1|1", "2|2", "3|three", "4|4"]);
}

pub(crate) async fn a_plan_changes_nothing(scene: &Scene<'_>) {
    let table = table("planned: id int64", &["id"]);
    let mut session = scene.start(&run("one")).await;
    let plan = session.target.plan(&table).await;
    plan.unwrap_or_else(|error| panic!("plan: {error}"));
    drop(session);
    let place = scene.place(&table);
    assert!(scene.warehouse.records(&place).await.is_none(), "a plan made table {place}");
}
