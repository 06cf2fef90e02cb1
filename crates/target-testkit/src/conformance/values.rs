//! Values arrive as they are.

use target_api::{LoadMethod, Table};

use super::scene::{Scene, run, table};
use crate::cells::canonical;

/// Types with values at their edges.
const EDGES: &[(&str, &[&str])] = &[
    ("bool", &["true", "false"]),
    ("int64", &["-9223372036854775808", "9223372036854775807", "0", "9007199254740993"]),
    ("numeric(5,2)", &["-999.99", "999.99", "0.01", "0"]),
    ("numeric(18,0)", &["-999999999999999999", "999999999999999999"]),
    (
        "numeric(38,10)",
        &[
            "-9999999999999999999999999999.9999999999",
            "9999999999999999999999999999.9999999999",
            "0.0000000001",
        ],
    ),
    (
        "numeric(38,38)",
        &["-0.99999999999999999999999999999999999999", "0.00000000000000000000000000000000000001"],
    ),
    ("numeric", &["1", "-12345.678", "0.1", "1000000"]),
    (
        "float64",
        &["1.7976931348623157e308", "-5e-324", "0.1", "-1.5", "123456789.123456789", "NaN", "inf", "-inf"],
    ),
    ("text", &["a", "naïve café 日本 😀"]),
    ("date", &["0001-01-01", "1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31"]),
    ("time", &["00:00:00.000000", "23:59:59.999999", "12:00:00.000001"]),
    ("timetz", &["00:00:00+00:00", "23:59:59.999999-11:00", "12:30:00.5+05:30"]),
    (
        "timestamp",
        &[
            "0001-01-01 00:00:00",
            "1969-12-31 23:59:59.999999",
            "2024-02-29 12:00:00.000001",
            "9999-12-31 23:59:59.999999",
        ],
    ),
    (
        "timestamptz",
        &[
            "0001-01-01 00:00:00",
            "1969-12-31 23:59:59.999999",
            "2024-03-10 02:30:00",
            "9999-12-31 23:59:59.999999",
        ],
    ),
    ("interval", &["1 year 2 mons 3 days 04:05:06.789", "-1 days", "00:00:00", "-00:00:00.000001"]),
    ("uuid", &["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"]),
    ("json", &[r#"{"a":[1,"x",null,true],"b":{}}"#, "[]", "null", "\"\"", "1.5", r#""é \" \\ \n""#]),
    ("binary", &["\\x", "\\x00", "\\xfffe00ff"]),
    ("int64[]", &["[]", r#"["1",null,"-9223372036854775808"]"#]),
    ("text[]", &["[]", r#"["","a\"b","a,b","{x}","NULL",null,"é\\n"]"#]),
];

/// Types whose values a key may have.
const KEYS: &[&str] = &[
    "bool",
    "int64",
    "numeric(18,0)",
    "numeric",
    "text",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "uuid",
];

pub(crate) async fn every_type_keeps_its_edge_values(scene: &Scene<'_>) {
    let mut wrong = Vec::new();
    for (at, (name, edges)) in EDGES.iter().enumerate() {
        let table = table(&format!("values_{at}: n int64, v {name}"), &[]);
        let lines: Vec<(String, &str)> =
            edges.iter().enumerate().map(|(n, edge)| (n.to_string(), *edge)).collect();
        let cells: Vec<[Option<&str>; 2]> =
            lines.iter().map(|(n, edge)| [Some(n.as_str()), Some(edge)]).collect();
        let mut cells: Vec<&[Option<&str>]> = cells.iter().map(<[_; 2]>::as_slice).collect();
        cells.push(&[Some("999"), None]);
        let mut session = scene.start(&run(name)).await;
        session.open(&table).await;
        session.write_cells(&table, &cells).await;
        session.commit(Some("{}")).await;
        drop(session);
        let column_type = &table.schema.columns[1].column_type;
        let mut expected: Vec<String> =
            lines.iter().map(|(n, edge)| format!("{n}|{}", canonical(column_type, edge))).collect();
        expected.push("999|~".to_owned());
        expected.sort();
        let found = scene.records(&table).await;
        if found != expected {
            wrong.push(format!("{name}: found {found:?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub(crate) async fn every_type_is_a_key_or_holds_null(scene: &Scene<'_>) {
    let keyed = scene.capabilities.upsert;
    for (at, name) in KEYS.iter().enumerate().filter(|_| keyed) {
        let table = table(&format!("keys_{at}: k {name}, n int64"), &["k"]);
        let edges = EDGES.iter().find(|(edge_name, _)| edge_name == name).map_or(&[][..], |(_, edges)| edges);
        let load = async |n: usize| {
            let records: Vec<String> = edges.iter().map(|edge| format!("{edge}|{n}")).collect();
            let records: Vec<&str> = records.iter().map(String::as_str).collect();
            scene.load(&format!("{name} {n}"), &table, &records).await;
        };
        load(1).await;
        load(2).await;
        let found = scene.records(&table).await;
        let second = found.iter().filter(|record| record.ends_with("|2")).count();
        assert_eq!((found.len(), second), (edges.len(), edges.len()), "{name} as key: {found:?}");
    }
}

pub(crate) async fn an_empty_text_is_not_null(scene: &Scene<'_>) {
    let table = table("texts: n int64, v text", &[]);
    scene.load("one", &table, &["1|", "2|~", "3|NULL", "4|\\N"]).await;
    assert_eq!(scene.records(&table).await, ["1|", "2|~", "3|NULL", "4|\\N"]);
}

pub(crate) async fn long_texts_are_whole(scene: &Scene<'_>) {
    let table: Table = table("texts: n int64, v text", &[]);
    let long = "日本 é\n".repeat(400_000);
    let mut session = scene.start(&run("one")).await;
    session.open(&table).await;
    session.write_cells(&table, &[&[Some("1"), Some(&long)], &[Some("2"), Some("short")]]).await;
    session.commit(Some("{}")).await;
    drop(session);
    let found = scene.records(&table).await;
    assert!(found[0].len() == long.len() + 2 && found[0].ends_with(&long), "{} bytes", found[0].len());
    assert_eq!(found[1], "2|short");
}

pub(crate) async fn texts_are_exact(scene: &Scene<'_>) {
    let mut table = table("texts: v text", &[]);
    table.load_method = LoadMethod::AppendOnly;
    let texts = [
        "a\tb",
        "a\nb",
        "a\r\nb",
        "\\n",
        "\u{1}\u{7f}",
        "'\"`",
        " a ",
        "1.0",
        "true",
        "\\.",
        "a,b;c",
        "\u{feff}",
    ];
    let cells: Vec<[Option<&str>; 1]> = texts.iter().map(|text| [Some(*text)]).collect();
    let cells: Vec<&[Option<&str>]> = cells.iter().map(<[_; 1]>::as_slice).collect();
    let mut session = scene.start(&run("one")).await;
    session.open(&table).await;
    session.write_cells(&table, &cells).await;
    session.commit(Some("{}")).await;
    drop(session);
    let mut expected = texts.to_vec();
    expected.sort_unstable();
    assert_eq!(scene.records(&table).await, expected);
}
