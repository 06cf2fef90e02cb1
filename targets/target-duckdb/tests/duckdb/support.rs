//! What the tests are written with.

use std::path::Path;

use columns::{Column, StreamName, TableSchema};
use duckdb::Connection;
use target_api::{
    Checkpoint, FullRefresh, LoadMethod, RunIdentity, StateChange, Table, Target as _, table_name,
};
use target_duckdb::DuckDbTarget;
use target_testkit::cells::batch;

/// A run of pipeline `shop`.
pub(crate) fn run(id: &str) -> RunIdentity {
    RunIdentity {
        environment: String::new(),
        pipeline: "shop".to_owned(),
        shard: String::new(),
        tap: "tap-shop".to_owned(),
        run: id.to_owned(),
        full_refresh: FullRefresh::No,
    }
}

/// A table from words: `orders: id int64, name text`, with its key apart.
pub(crate) fn table(words: &str, key: &[&str]) -> Table {
    let (stream, columns) = words.split_once(": ").unwrap();
    let column = |words: &str| {
        let (name, column_type) = words.split_once(' ').unwrap();
        let column_type = column_type.parse().unwrap();
        Column { name: name.to_owned(), column_type, nullable: !key.contains(&name) }
    };
    let columns = columns.split(", ").map(column).collect();
    let key_properties = key.iter().map(|name| (*name).to_owned()).collect();
    let schema = TableSchema { stream: StreamName::from(stream), columns, key_properties };
    Table { schema, name: table_name(stream), load_method: LoadMethod::Upsert }
}

/// A commit that sets the STATE.
pub(crate) fn state(text: &str) -> Checkpoint {
    Checkpoint { state: StateChange::Set(text.into()) }
}

/// A new target on this file, which does not wait for a lock.
pub(crate) fn target(path: &Path, prober: Option<&Path>) -> DuckDbTarget {
    let config = serde_json::json!({"path": path, "lock_timeout": "0s"});
    DuckDbTarget::new(&config.to_string(), prober.map(Path::to_owned)).unwrap()
}

/// Writes records like `1|one|~` as one batch.
pub(crate) async fn write(target: &mut DuckDbTarget, table: &Table, records: &[String]) {
    let cells: Vec<Vec<Option<&str>>> = records
        .iter()
        .map(|record| record.split('|').map(|cell| (cell != "~").then_some(cell)).collect())
        .collect();
    let cells: Vec<&[Option<&str>]> = cells.iter().map(Vec::as_slice).collect();
    target.write(&table.schema.stream, batch(&table.schema, &cells)).await.unwrap();
}

/// One cell of one answer, as text.
pub(crate) fn ask(path: &Path, sql: &str) -> String {
    let connection = Connection::open(path).unwrap();
    let sql = format!("SELECT CAST(({sql}) AS VARCHAR)");
    connection.query_row(&sql, [], |row| row.get(0)).unwrap()
}
