//! A target that keeps the first records of each stream as text and forgets the rest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use columns::Column;
use singer::Json;
use target_api::arrow_array::RecordBatch;
use target_api::{
    Capabilities, Checkpoint, Committed, IdentifierRule, Promise, Result, RunIdentity, StoredState,
    StreamName, Table, TableChange, Target, TargetError, ValueLimits, Version, async_trait,
};

use crate::output::DIM;
use crate::wiring::json_lines;

/// Longest cell, in characters.
const WIDEST: usize = 40;

/// What was seen.
pub(super) struct Shown {
    most: usize,
    /// How many streams are selected, when that is known.
    streams: Option<usize>,
    tables: BTreeMap<StreamName, Seen>,
}

/// What was seen of one stream.
#[derive(Default)]
struct Seen {
    /// As the batches that are to come have them.
    columns: Vec<Column>,
    /// Each with the columns that it came with.
    records: Vec<Json>,
}

impl Shown {
    pub(super) fn new(most: usize, streams: Option<usize>) -> Self {
        Self { most, streams, tables: BTreeMap::new() }
    }

    /// Whether every selected stream has shown enough.
    pub(super) fn is_enough(&self) -> bool {
        let full = self.tables.values().filter(|seen| seen.records.len() >= self.most).count();
        self.streams.is_some_and(|streams| full >= streams)
    }

    /// The records of each stream, as JSON by the type of each value: numbers with their digits, nothing cut.
    pub(super) fn document(&self) -> BTreeMap<String, Vec<Json>> {
        self.tables.iter().map(|(name, seen)| (name.to_string(), seen.records.clone())).collect()
    }

    /// Each stream with its columns and records.
    pub(super) fn text(&self) -> String {
        let stream = |text: String, (stream, seen): (&StreamName, &Seen)| {
            text + &format!("{stream}\n{}\n", seen.text())
        };
        self.tables.iter().fold(String::new(), stream)
    }

    fn open(&mut self, table: &Table) {
        let seen = self.tables.entry(table.schema.stream.clone()).or_default();
        seen.columns.clone_from(&table.schema.columns);
    }

    fn take(&mut self, stream: &StreamName, batch: &RecordBatch) -> std::result::Result<(), String> {
        let seen = self.tables.entry(stream.clone()).or_default();
        let missing = self.most.saturating_sub(seen.records.len());
        let lines = json_lines(&seen.columns, &batch.slice(0, missing.min(batch.num_rows())))?;
        for line in lines.lines() {
            seen.records.push(Json::parse(line).map_err(|error| error.to_string())?);
        }
        Ok(())
    }
}

impl Seen {
    fn text(&self) -> String {
        let head: Vec<(String, bool)> =
            self.columns.iter().map(|column| (short(&column.name), false)).collect();
        // A record from before a new column has nothing there.
        let cell = |record: &Json, column: &Column| record.get(&column.name).map(cell).unwrap_or_default();
        let record = |record| self.columns.iter().map(|column| cell(record, column)).collect();
        let lines: Vec<Vec<(String, bool)>> =
            std::iter::once(head).chain(self.records.iter().map(record)).collect();
        let mut widths = vec![0; self.columns.len()];
        for line in &lines {
            for (width, (cell, _)) in widths.iter_mut().zip(line) {
                *width = cell.chars().count().max(*width);
            }
        }
        let mut text = String::new();
        for line in &lines {
            let mut shown = String::new();
            for ((cell, is_null), width) in line.iter().zip(&widths) {
                let padding = " ".repeat(width - cell.chars().count());
                let cell = if *is_null { format!("{DIM}{cell}{DIM:#}") } else { cell.clone() };
                shown.push_str(&format!("  {cell}{padding}"));
            }
            text.push_str(shown.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A value as people read it, and whether it is null. A text that could be taken for something else is in quotes.
fn cell(value: &Json) -> (String, bool) {
    match value {
        Json::Null => ("null".to_owned(), true),
        Json::String(text) if text.is_empty() || text == "null" || text.starts_with('"') => {
            (short(&value.to_string()), false)
        }
        Json::String(text) => (short(text), false),
        other => (short(&other.to_string()), false),
    }
}

fn short(cell: &str) -> String {
    let cell = cell.replace(char::is_control, " ");
    if cell.chars().count() <= WIDEST { cell } else { cell.chars().take(WIDEST - 1).chain(['…']).collect() }
}

/// Writes into a [`Shown`].
pub(super) struct ShownTarget {
    shown: Arc<Mutex<Shown>>,
    commits: i64,
}

impl ShownTarget {
    pub(super) fn new(shown: Arc<Mutex<Shown>>) -> Self {
        Self { shown, commits: 0 }
    }
}

#[async_trait]
impl Target for ShownTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            promise: Promise::AtLeastOnce,
            transactional_ddl: false,
            versions: true,
            upsert: false,
            shared_tables: true,
            grants: true,
            identifier: IdentifierRule { max_bytes: 255, case_insensitive: false },
            limits: ValueLimits::default(),
        }
    }

    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn resume(&mut self, _: &RunIdentity) -> Result<Option<String>> {
        Ok(None)
    }

    async fn open(&mut self, table: &Table) -> Result<TableChange> {
        if let Ok(mut shown) = self.shown.lock() {
            shown.open(table);
        }
        Ok(TableChange { place: table.name.to_string(), ..TableChange::default() })
    }

    async fn write(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()> {
        let Ok(mut shown) = self.shown.lock() else { return Ok(()) };
        let unreadable = |reason| {
            let message = format!("the batch of the stream {stream} cannot be shown: {reason}");
            TargetError::permanent("E0399", message)
        };
        shown.take(stream, &batch).map_err(unreadable)
    }

    async fn activate_version(&mut self, _: &StreamName, _: Version) -> Result<()> {
        Ok(())
    }

    async fn commit(&mut self, _: &Checkpoint) -> Result<Committed> {
        self.commits += 1;
        Ok(Committed { sequence: self.commits })
    }

    async fn stored_state(&mut self, _: &RunIdentity) -> Result<Option<StoredState>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use columns::{Column, TableSchema};
    use target_api::{StreamName, Table, TableName};
    use target_testkit::cells::batch;

    use super::Shown;

    /// One record of a stream with these columns.
    fn shown(columns: &[(&str, &str)], cells: &[Option<&str>]) -> Shown {
        let stream = StreamName::from("s");
        let column = |(name, column_type): &(&str, &str)| Column {
            name: (*name).to_owned(),
            column_type: column_type.parse().unwrap(),
            nullable: true,
        };
        let columns = columns.iter().map(column).collect();
        let schema =
            TableSchema { stream: stream.clone(), columns, key_properties: Vec::new(), keeps_absent: false };
        let batch = batch(&schema, &[cells, cells]);
        let name = TableName { schema: None, table: "s".to_owned() };
        let mut shown = Shown::new(1, Some(1));
        shown.open(&Table::new(schema, name));
        assert!(!shown.is_enough());
        shown.take(&stream, &batch).unwrap();
        assert!(shown.is_enough());
        shown
    }

    #[test]
    fn each_value_stands_under_its_column_whatever_its_type() {
        let text = shown(
            &[
                ("id", "int64"),
                ("seen_at", "timestamptz"),
                ("word", "text"),
                ("gone", "text"),
                ("last", "bool"),
            ],
            &[Some("7"), Some("2024-03-10 02:30:00"), Some("null"), None, Some("true")],
        )
        .text();
        let plain = anstream::adapter::strip_str(&text).to_string();
        insta::assert_snapshot!(plain, @r#"
        s
          id  seen_at               word    gone  last
          7   2024-03-10T02:30:00Z  "null"  null  true
        "#);
    }

    #[test]
    fn the_document_has_values_by_their_type_and_nothing_cut() {
        let long = "x".repeat(100);
        let nested = r#"{"a":[1.10,null]}"#;
        let shown = shown(
            &[("n", "numeric(30,2)"), ("t", "text"), ("j", "json"), ("none", "int64"), ("at", "timestamptz")],
            &[
                Some("1234567890123456789012345678.90"),
                Some(&long),
                Some(nested),
                None,
                Some("2024-03-10 02:30:00"),
            ],
        );
        assert_eq!(
            serde_json::to_string(&shown.document()).unwrap(),
            format!(
                r#"{{"s":[{{"n":1234567890123456789012345678.90,"t":"{long}","j":{nested},"none":null,"at":"2024-03-10T02:30:00Z"}}]}}"#
            )
        );
    }
}
