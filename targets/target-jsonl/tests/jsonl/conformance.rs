//! The contract that all targets share.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use columns::arrow_array::RecordBatch;
use columns::{ColumnType, StreamName};
use serde_json::value::RawValue;
use target_api::{
    Capabilities, Checkpoint, Committed, Promise, Result, RunIdentity, StoredState, Table, TableChange,
    TableName, Target, async_trait,
};
use target_jsonl::{JsonlTarget, file_name};
use target_testkit::conformance::{self, Record, Warehouse};
use tempfile::TempDir;

use crate::support::{names, target};

/// Columns whose values are documents. The files do not say it, so the tests remember it.
type Documents = Arc<Mutex<HashMap<TableName, HashSet<String>>>>;

struct Folder {
    place: TempDir,
    documents: Documents,
    promise: Promise,
}

impl Folder {
    fn new(promise: Promise) -> Self {
        Self { place: tempfile::tempdir().unwrap(), documents: Documents::default(), promise }
    }
}

#[async_trait]
impl Warehouse for Folder {
    async fn target(&self) -> Box<dyn Target> {
        let inner = target(self.place.path());
        Box::new(Watched { inner, documents: Arc::clone(&self.documents), promise: self.promise })
    }

    async fn records(&self, table: &TableName) -> Option<Vec<Record>> {
        let lines = fs::read_to_string(self.place.path().join(file_name(table))).ok()?;
        let documents = self.documents.lock().unwrap().get(table).cloned().unwrap_or_default();
        let record = |line: &str| {
            let values: BTreeMap<String, Box<RawValue>> = serde_json::from_str(line).unwrap();
            let cell = |(name, value): (String, Box<RawValue>)| {
                let cell = match value.get() {
                    "null" => None,
                    text if text.starts_with('"') && !documents.contains(&name) => {
                        Some(serde_json::from_str(text).unwrap())
                    }
                    raw => Some(raw.to_owned()),
                };
                (name, cell)
            };
            values.into_iter().map(cell).collect()
        };
        let mut records: Vec<Record> = lines.lines().map(record).collect();
        // A column that came later is NULL in the lines before it, as every reader of such files has it.
        let columns: HashSet<String> = records.iter().flat_map(|record| record.keys().cloned()).collect();
        for record in &mut records {
            for name in &columns {
                record.entry(name.clone()).or_insert(None);
            }
        }
        Some(records)
    }

    async fn keeps_state(&self) -> bool {
        let entries = fs::read_dir(self.place.path()).unwrap();
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("_tapster_state"))
    }

    async fn drop_table(&self, table: &TableName) {
        fs::remove_file(self.place.path().join(file_name(table))).unwrap();
    }

    async fn left_over(&self) -> Vec<String> {
        let is_data = |name: &String| Path::new(name).extension().is_some_and(|ending| ending == "jsonl");
        names(self.place.path()).into_iter().filter(|name| !is_data(name)).collect()
    }
}

/// The target, with its documents written down, promising what the test wants to see examined.
struct Watched {
    inner: JsonlTarget,
    documents: Documents,
    promise: Promise,
}

#[async_trait]
impl Target for Watched {
    fn capabilities(&self) -> Capabilities {
        Capabilities { promise: self.promise, ..self.inner.capabilities() }
    }

    async fn check(&mut self) -> Result<()> {
        self.inner.check().await
    }

    async fn resume(&mut self, run: &RunIdentity) -> Result<Option<String>> {
        self.inner.resume(run).await
    }

    async fn open(&mut self, table: &Table) -> Result<TableChange> {
        let columns = table.schema.columns.iter().filter(|column| column.column_type == ColumnType::Json);
        let names = columns.map(|column| column.name.clone());
        self.documents.lock().unwrap().entry(table.name.clone()).or_default().extend(names);
        self.inner.open(table).await
    }

    async fn write(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()> {
        self.inner.write(stream, batch).await
    }

    async fn activate_version(&mut self, stream: &StreamName, version: target_api::Version) -> Result<()> {
        self.inner.activate_version(stream, version).await
    }

    async fn commit(&mut self, checkpoint: &Checkpoint) -> Result<Committed> {
        self.inner.commit(checkpoint).await
    }

    async fn stored_state(&mut self, run: &RunIdentity) -> Result<Option<StoredState>> {
        self.inner.stored_state(run).await
    }

    async fn plan(&mut self, table: &Table) -> Result<TableChange> {
        self.inner.plan(table).await
    }

    async fn rename_pipeline(&mut self, new: &str) -> Result<()> {
        self.inner.rename_pipeline(new).await
    }
}

/// What no file of lines can do.
const IMPOSSIBLE: &[&str] = &[
    // The JSON document `null` and NULL are written alike.
    "every_type_keeps_its_edge_values",
];

/// What these checks ask beside STATE: that a record takes the place of the one with its key.
const MERGING: &[&str] = &[
    "several_streams_are_committed_together",
    "a_column_widens_from_run_to_run",
    "a_narrower_record_fits_a_wider_column",
];

#[tokio::test]
async fn the_contract_holds() {
    let (ran, failures) = conformance::try_run(async || Folder::new(Promise::AtLeastOnce)).await;
    let failed: Vec<&str> = failures.iter().map(|failure| failure.check).collect();
    assert_eq!(failed, IMPOSSIBLE, "{failures:?}");
    let found = &failures[0].found;
    assert!(ran > 8 && found.starts_with("json: ") && found.lines().count() == 1, "of {ran}: {found}");
}

/// On one machine the commit is as whole as a database's: all checks of STATE, fence and ownership hold, too.
#[tokio::test]
async fn what_is_asked_of_exactly_once_holds_but_for_merging() {
    let (ran, failures) = conformance::try_run(async || Folder::new(Promise::ExactlyOnce)).await;
    let failed: HashSet<&str> = failures.iter().map(|failure| failure.check).collect();
    let expected: HashSet<&str> = IMPOSSIBLE.iter().chain(MERGING).copied().collect();
    assert_eq!(failed, expected, "of {ran}: {failures:?}");
}
