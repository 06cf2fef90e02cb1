//! Names that try to be something else.

use columns::{Column, ColumnType};

use super::scene::{Scene, run, table_of};

fn long(end: &str) -> String {
    format!("{}{end}", "é".repeat(100))
}

pub(crate) async fn hostile_columns_stay_apart(scene: &Scene<'_>) {
    let (long_a, long_b) = (long("a"), long("b"));
    let names = [
        "id",
        "Id",
        "ID",
        "",
        " ",
        "a\"b",
        "a'b",
        "a`b",
        "x\"; DROP TABLE names; --",
        "select",
        "order",
        "user",
        "100%",
        "%s",
        "$1",
        "{}",
        "a.b",
        "a-b",
        "a:b",
        "?",
        "\\",
        "a\nb",
        "nul\0l",
        "日本",
        "\u{e9}",
        "e\u{301}",
        "ctid",
        "tableoid",
        "rowid",
        "oid",
        &long_a,
        &long_b,
    ];
    let column =
        |name: &&str| Column { name: (*name).to_owned(), column_type: ColumnType::Text, nullable: true };
    let keyed = table_of("names", names.iter().map(column).collect(), &["id"]);
    let values: Vec<String> = names.iter().enumerate().map(|(at, _)| format!("value {at}")).collect();
    let cells: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).collect();
    for id in ["one", "two"] {
        let mut session = scene.start(&run(id)).await;
        session.open(&keyed).await;
        session.write_cells(&keyed, &[&cells]).await;
        session.commit(Some("{}")).await;
    }
    let records = scene.warehouse.records(&scene.place(&keyed)).await.expect("the table");
    let copies = if scene.capabilities.upsert { 1 } else { 2 };
    assert_eq!(records.len(), copies, "the key is found again");
    for record in records {
        let kept: Vec<&str> = record.values().flatten().map(String::as_str).collect();
        let lost: Vec<&str> = names
            .iter()
            .zip(&values)
            .filter(|(_, value)| !kept.contains(&value.as_str()))
            .map(|(n, _)| *n)
            .collect();
        assert!(lost.is_empty(), "columns that lost their value: {lost:?}");
    }
}

pub(crate) async fn hostile_streams_have_their_tables(scene: &Scene<'_>) {
    let (long_a, long_b) = (long("a"), long("b"));
    let names = [
        "plain",
        "Plain",
        "s",
        "t",
        "user",
        "table",
        "a\"b",
        "a'b",
        "x\"; DROP TABLE plain; --",
        "100%",
        "%s",
        "$1",
        "{}",
        "a.b",
        "test:SpecialChars!in?attributes",
        "日本",
        "shop-orders",
        "db-shop-a-b",
        &long_a,
        &long_b,
    ];
    let folded = scene.capabilities.identifier.case_insensitive;
    let column = || Column { name: "of".to_owned(), column_type: ColumnType::Text, nullable: true };
    let tables = names.iter().filter(|name| !folded || **name != "Plain");
    let tables: Vec<_> = tables.map(|name| table_of(name, vec![column()], &[])).collect();
    let mut session = scene.start(&run("one")).await;
    for table in &tables {
        session.open(table).await;
        session.write_cells(table, &[&[Some(table.schema.stream.as_str())]]).await;
    }
    session.commit(Some("{}")).await;
    drop(session);
    for table in &tables {
        assert_eq!(scene.records(table).await, [table.schema.stream.as_str()]);
    }
}
