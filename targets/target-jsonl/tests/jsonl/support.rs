//! What the tests are written with.

use std::fs;
use std::path::Path;

use columns::{Column, StreamName, TableSchema};
use serde_json::Value;
use target_api::{
    Checkpoint, FullRefresh, RunIdentity, StateChange, Table, Target as _, TargetError, table_name,
};
use target_jsonl::JsonlTarget;
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

/// The same, starting over.
pub(crate) fn fresh_run(id: &str) -> RunIdentity {
    RunIdentity { full_refresh: FullRefresh::All, ..run(id) }
}

/// A keyless table from words: `events: seq int64, note text`.
pub(crate) fn table(words: &str) -> Table {
    let (stream, columns) = words.split_once(": ").unwrap();
    let column = |words: &str| {
        let (name, column_type) = words.split_once(' ').unwrap();
        Column { name: name.to_owned(), column_type: column_type.parse().unwrap(), nullable: true }
    };
    let columns = columns.split(", ").map(column).collect();
    let schema = TableSchema {
        stream: StreamName::from(stream),
        columns,
        key_properties: Vec::new(),
        keeps_absent: false,
    };
    Table::new(schema, table_name(stream))
}

/// A commit that sets the STATE.
pub(crate) fn state(text: &str) -> Checkpoint {
    Checkpoint { state: StateChange::Set(text.into()) }
}

/// A new target on this folder.
pub(crate) fn target(folder: &Path) -> JsonlTarget {
    JsonlTarget::new(&serde_json::json!({ "path": folder }).to_string()).unwrap()
}

/// A new target that has resumed.
pub(crate) async fn start(folder: &Path, run: &RunIdentity) -> JsonlTarget {
    let mut target = target(folder);
    target.resume(run).await.unwrap_or_else(|error| panic!("{error}"));
    target
}

/// Opens the table and writes records like `1|one|~` as one batch.
pub(crate) async fn write(target: &mut JsonlTarget, table: &Table, records: &[&str]) {
    target.open(table).await.unwrap_or_else(|error| panic!("{error}"));
    let cells: Vec<Vec<Option<&str>>> = records
        .iter()
        .map(|record| record.split('|').map(|cell| (cell != "~").then_some(cell)).collect())
        .collect();
    let cells: Vec<&[Option<&str>]> = cells.iter().map(Vec::as_slice).collect();
    let written = target.write(&table.schema.stream, batch(&table.schema, &cells)).await;
    written.unwrap_or_else(|error| panic!("{error}"));
}

/// A whole run: open, one batch, commit.
pub(crate) async fn load(folder: &Path, run: &RunIdentity, table: &Table, records: &[&str]) {
    let mut target = start(folder, run).await;
    write(&mut target, table, records).await;
    let committed = target.commit(&state(&format!("{{\"run\":\"{}\"}}", run.run))).await;
    committed.unwrap_or_else(|error| panic!("{error}"));
}

/// What opening the table says.
pub(crate) async fn refusal(folder: &Path, run: &RunIdentity, table: &Table) -> TargetError {
    start(folder, run).await.open(table).await.unwrap_err()
}

/// The bytes of a file of the folder.
pub(crate) fn text(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The names in the folder, but for what target-jsonl remembers and its locks.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let own = ["_tapster_state.json", "_tapster_state.lock", "_tapster_tables.json", "_tapster_tables.lock"];
    let mut names: Vec<String> = entries.filter(|name| !own.contains(&name.as_str())).collect();
    names.sort();
    names
}

/// Changes the state file.
pub(crate) fn edit_state(folder: &Path, edit: impl FnOnce(&mut Value)) {
    let path = folder.join("_tapster_state.json");
    let mut state = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    edit(&mut state);
    fs::write(path, state.to_string()).unwrap();
}
