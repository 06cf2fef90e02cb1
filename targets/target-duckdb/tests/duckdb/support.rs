//! What the tests are written with.

use std::path::Path;

use columns::{Column, StreamName, TableSchema};
use duckdb::Connection;
use target_api::{Checkpoint, FullRefresh, RunIdentity, StateChange, Table, Target as _, table_name};
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
        takes_over: false,
        keeps_state: true,
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
    let schema =
        TableSchema { stream: StreamName::from(stream), columns, key_properties, keeps_absent: false };
    Table::new(schema, table_name(stream))
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

/// Writes records like `1|one|~` as one batch, expected to work.
pub(crate) async fn write(target: &mut DuckDbTarget, table: &Table, records: &[String]) {
    try_write(target, table, records).await.unwrap();
}

/// The same, whatever comes of it.
pub(crate) async fn try_write(
    target: &mut DuckDbTarget,
    table: &Table,
    records: &[String],
) -> target_api::Result<()> {
    let cells: Vec<Vec<Option<&str>>> = records
        .iter()
        .map(|record| record.split('|').map(|cell| (cell != "~").then_some(cell)).collect())
        .collect();
    let cells: Vec<&[Option<&str>]> = cells.iter().map(Vec::as_slice).collect();
    target.write(&table.schema.stream, batch(&table.schema, &cells)).await
}

/// One cell of one answer, as text.
pub(crate) fn ask(path: &Path, sql: &str) -> String {
    let connection = Connection::open(path).unwrap();
    let sql = format!("SELECT CAST(({sql}) AS VARCHAR)");
    connection.query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// Anything that can be a record's cells.
pub(crate) fn records(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// A file in a folder of its own.
pub(crate) struct File {
    _folder: tempfile::TempDir,
    pub(crate) path: std::path::PathBuf,
}

impl File {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.duckdb");
        Self { _folder: folder, path }
    }

    /// A new target that has resumed.
    pub(crate) async fn start(&self, run: &RunIdentity) -> DuckDbTarget {
        let mut target = target(&self.path, None);
        target.resume(run).await.unwrap();
        target
    }

    /// The same with further settings.
    pub(crate) async fn start_with(&self, settings: serde_json::Value) -> DuckDbTarget {
        let mut config = settings;
        config["path"] = self.path.to_str().into();
        let mut target = DuckDbTarget::new(&config.to_string(), None).unwrap();
        target.resume(&run("with")).await.unwrap();
        target
    }

    /// A whole run: open, one batch, commit.
    pub(crate) async fn load(&self, table: &Table, lines: &[&str]) {
        self.load_by(&run("load"), table, lines).await;
    }

    /// The same for another run.
    pub(crate) async fn load_by(&self, run: &RunIdentity, table: &Table, lines: &[&str]) {
        let mut target = self.start(run).await;
        target.open(table).await.unwrap();
        write(&mut target, table, &records(lines)).await;
        target.commit(&state("{}")).await.unwrap();
    }

    pub(crate) fn ask(&self, sql: &str) -> String {
        ask(&self.path, sql)
    }

    /// Runs a statement, as a person would.
    pub(crate) fn execute(&self, sql: &str) {
        Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
    }
}
