//! A target that keeps the first records of each stream as text and forgets the rest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow_cast::display::{ArrayFormatter, FormatOptions};
use target_api::arrow_array::RecordBatch;
use target_api::{
    Capabilities, Checkpoint, Committed, IdentifierRule, Promise, Result, RunIdentity, StoredState,
    StreamName, Table, TableChange, Target, ValueLimits, async_trait,
};

/// Longest cell, in characters.
const WIDEST: usize = 40;

/// What was seen.
pub(super) struct Shown {
    most: usize,
    /// How many streams are selected, when that is known.
    streams: Option<usize>,
    tables: BTreeMap<StreamName, Vec<Vec<String>>>,
}

impl Shown {
    pub(super) fn new(most: usize, streams: Option<usize>) -> Self {
        Self { most, streams, tables: BTreeMap::new() }
    }

    /// Whether every selected stream has shown enough.
    pub(super) fn is_enough(&self) -> bool {
        let full = self.tables.values().filter(|lines| lines.len() > self.most).count();
        self.streams.is_some_and(|streams| full >= streams)
    }

    /// Each stream with its records, by column; every value as the text that is shown.
    pub(super) fn document(&self) -> serde_json::Value {
        let stream = |lines: &Vec<Vec<String>>| {
            let (head, records) = lines.split_first()?;
            let record = |cells: &Vec<String>| -> serde_json::Value {
                head.iter().cloned().zip(cells.iter().cloned().map(serde_json::Value::from)).collect()
            };
            Some(records.iter().map(record).collect::<serde_json::Value>())
        };
        self.tables.iter().map(|(name, lines)| (name.to_string(), stream(lines))).collect()
    }

    /// Each stream with its columns and records.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (stream, lines) in &self.tables {
            let columns = lines.first().map_or(0, Vec::len);
            let width = |column: usize| {
                lines
                    .iter()
                    .filter_map(|line| line.get(column))
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or(0)
            };
            let widths: Vec<usize> = (0..columns).map(width).collect();
            text.push_str(&format!("{stream}\n"));
            for line in lines {
                let cells: Vec<String> =
                    line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
                text.push_str(&format!("  {}\n", cells.join("  ").trim_end()));
            }
            text.push('\n');
        }
        text
    }

    fn take(&mut self, stream: &StreamName, batch: &RecordBatch) {
        let head = || batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let lines = self.tables.entry(stream.clone()).or_insert_with(|| vec![head()]);
        let options = FormatOptions::default().with_null("null");
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .filter_map(|column| ArrayFormatter::try_new(column, &options).ok())
            .collect();
        for record in 0..batch.num_rows().min((self.most + 1).saturating_sub(lines.len())) {
            lines.push(columns.iter().map(|column| short(&column.value(record).to_string())).collect());
        }
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
        Ok(TableChange { place: table.name.to_string(), ..TableChange::default() })
    }

    async fn write(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()> {
        if let Ok(mut shown) = self.shown.lock() {
            shown.take(stream, &batch);
        }
        Ok(())
    }

    async fn activate_version(&mut self, _: &StreamName, _: i64) -> Result<()> {
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
