//! What the tests are written with.

use columns::{Column, StreamName, TableSchema};
use target_api::{Checkpoint, FullRefresh, Result, RunIdentity, StateChange, Table, Target, table_name};
use target_postgres::PostgresTarget;
use target_testkit::cells::batch;
use target_testkit::postgres::Database;

/// A run of pipeline `shop`.
pub(crate) fn run(id: &str) -> RunIdentity {
    RunIdentity {
        environment: String::new(),
        pipeline: "shop".to_owned(),
        shard: String::new(),
        tap: "tap-shop".to_owned(),
        run: id.to_owned(),
        full_refresh: FullRefresh::No,
        takes_over: false,
        keeps_state: true,
    }
}

/// The same, starting over.
pub(crate) fn fresh_run(id: &str) -> RunIdentity {
    RunIdentity { full_refresh: FullRefresh::All, ..run(id) }
}

/// A table from words: `orders: id int64, name text`, with its key apart.
pub(crate) fn table(words: &str, key: &[&str]) -> Table {
    let (stream, columns) = words.split_once(": ").unwrap();
    let column = |words: &str| {
        let (name, column_type) = words.split_once(' ').unwrap();
        let nullable = !key.contains(&name);
        Column { name: name.to_owned(), column_type: column_type.parse().unwrap(), nullable }
    };
    let columns = columns.split(", ").map(column).collect();
    let key_properties = key.iter().map(|name| (*name).to_owned()).collect();
    let schema =
        TableSchema { stream: StreamName::from(stream), columns, key_properties, keeps_absent: false };
    Table::new(schema, table_name(stream))
}

/// A commit that sets the STATE.
pub(crate) fn state(text: &str) -> Checkpoint {
    Checkpoint { state: StateChange::Set(text.into()) }
}

/// A new target on this database.
pub(crate) fn target(database: &Database) -> PostgresTarget {
    PostgresTarget::new(&database.settings().to_string()).unwrap()
}

/// A new target that has resumed.
pub(crate) async fn start(database: &Database, run: &RunIdentity) -> PostgresTarget {
    let mut target = target(database);
    target.resume(run).await.unwrap();
    target
}

/// Writes records like `1|one|~` as one batch.
pub(crate) async fn try_write(target: &mut PostgresTarget, table: &Table, records: &[&str]) -> Result<()> {
    let cells: Vec<Vec<Option<&str>>> = records
        .iter()
        .map(|record| record.split('|').map(|cell| (cell != "~").then_some(cell)).collect())
        .collect();
    let cells: Vec<&[Option<&str>]> = cells.iter().map(Vec::as_slice).collect();
    target.write(&table.schema.stream, batch(&table.schema, &cells)).await
}

/// The same, expected to work.
pub(crate) async fn write(target: &mut PostgresTarget, table: &Table, records: &[&str]) {
    try_write(target, table, records).await.unwrap_or_else(|error| panic!("{error} {:?}", error.source));
}

/// A whole run: open, one batch, commit.
pub(crate) async fn load(database: &Database, run: &RunIdentity, table: &Table, records: &[&str]) {
    let mut target = start(database, run).await;
    target.open(table).await.unwrap_or_else(|error| panic!("{error}"));
    write(&mut target, table, records).await;
    target.commit(&state(&format!("{{\"run\":\"{}\"}}", run.run))).await.unwrap();
}

/// The rows of a query as `1|one|~`.
pub(crate) async fn rows(database: &Database, sql: &str) -> Vec<String> {
    let rows = database.rows(sql).await;
    let line = |row: Vec<Option<String>>| {
        row.into_iter().map(|cell| cell.unwrap_or("~".into())).collect::<Vec<_>>().join("|")
    };
    rows.into_iter().map(line).collect()
}
