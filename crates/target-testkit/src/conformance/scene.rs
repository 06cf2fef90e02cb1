//! What the checks are written with.

use columns::{Column, StreamName, TableSchema};
use target_api::{
    Capabilities, Checkpoint, FullRefresh, Result, RunIdentity, StateChange, Table, TableName, Target,
    Version, shortened, table_name,
};

use super::Warehouse;
use crate::cells::{batch, canonical};

/// One check's stage.
pub(crate) struct Scene<'a> {
    pub(crate) warehouse: &'a dyn Warehouse,
    pub(crate) capabilities: Capabilities,
}

/// The run of this id, of the pipeline `shop` with the tap `tap-shop`.
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
    let (stream, columns) = words.split_once(": ").expect("stream: columns");
    let column = |words: &str| {
        let (name, column_type) = words.split_once(' ').expect("name type");
        let column_type = column_type.parse().expect("a column type");
        Column { name: name.to_owned(), column_type, nullable: !key.contains(&name) }
    };
    table_of(stream, columns.split(", ").map(column).collect(), key)
}

pub(crate) fn table_of(stream: &str, columns: Vec<Column>, key: &[&str]) -> Table {
    let key_properties = key.iter().map(|name| (*name).to_owned()).collect();
    let schema =
        TableSchema { stream: StreamName::from(stream), columns, key_properties, keeps_absent: false };
    Table::new(schema, table_name(stream))
}

/// A commit that sets the STATE.
pub(crate) fn state(text: &str) -> Checkpoint {
    Checkpoint { state: StateChange::Set(text.into()) }
}

/// `1|one|~` is three cells, the last NULL.
fn cells(record: &str) -> Vec<Option<&str>> {
    record.split('|').map(|cell| (cell != "~").then_some(cell)).collect()
}

/// A target that has resumed.
pub(crate) struct Session {
    pub(crate) target: Box<dyn Target>,
    pub(crate) state: Option<String>,
}

impl Session {
    pub(crate) async fn open(&mut self, table: &Table) {
        let opened = self.target.open(table).await;
        opened.unwrap_or_else(|error| panic!("open of {}: {error}", table.schema.stream));
    }

    /// Writes one batch.
    pub(crate) async fn write(&mut self, table: &Table, records: &[&str]) {
        let cells: Vec<Vec<Option<&str>>> = records.iter().map(|record| cells(record)).collect();
        let cells: Vec<&[Option<&str>]> = cells.iter().map(Vec::as_slice).collect();
        self.write_cells(table, &cells).await;
    }

    pub(crate) async fn write_cells(&mut self, table: &Table, cells: &[&[Option<&str>]]) {
        let stream = &table.schema.stream;
        let written = self.target.write(stream, batch(&table.schema, cells)).await;
        written.unwrap_or_else(|error| panic!("write of {stream}: {error}"));
    }

    pub(crate) async fn activate(&mut self, table: &Table, number: i64) {
        self.version(table, Version { number, truncated: false }).await;
    }

    pub(crate) async fn truncate(&mut self, table: &Table, number: i64) {
        self.version(table, Version { number, truncated: true }).await;
    }

    async fn version(&mut self, table: &Table, version: Version) {
        let activated = self.target.activate_version(&table.schema.stream, version).await;
        activated.unwrap_or_else(|error| panic!("activate_version: {error}"));
    }

    /// Commits with this STATE, or keeps the one that is there.
    pub(crate) async fn commit(&mut self, text: Option<&str>) -> i64 {
        let checkpoint = text.map_or(Checkpoint { state: StateChange::Keep }, state);
        self.target.commit(&checkpoint).await.unwrap_or_else(|error| panic!("commit: {error}")).sequence
    }
}

impl Scene<'_> {
    /// A new target that has resumed for this run.
    pub(crate) async fn start(&self, run: &RunIdentity) -> Session {
        self.try_start(run).await.unwrap_or_else(|error| panic!("resume of {}: {error}", run.run))
    }

    pub(crate) async fn try_start(&self, run: &RunIdentity) -> Result<Session> {
        let mut target = self.warehouse.target().await;
        let state = target.resume(run).await?;
        Ok(Session { target, state })
    }

    /// A whole run: these records as one batch, and a commit.
    pub(crate) async fn load(&self, id: &str, table: &Table, records: &[&str]) {
        let mut session = self.start(&run(id)).await;
        session.open(table).await;
        session.write(table, records).await;
        session.commit(Some(&format!("{{\"run\":\"{id}\"}}"))).await;
    }

    /// The STATE that the next run would get.
    pub(crate) async fn next_state(&self) -> Option<String> {
        self.start(&run("reader")).await.state
    }

    /// Where a table is once its name fits.
    pub(crate) fn place(&self, table: &Table) -> TableName {
        let fitted = |name: &String| shortened(&name.replace('\0', "\u{fffd}"), self.capabilities.identifier);
        TableName { schema: table.name.schema.as_ref().map(fitted), table: fitted(&table.name.table) }
    }

    /// The records of a table as `1|one|~`, sorted; the columns are the table's own, under their plain names.
    pub(crate) async fn records(&self, table: &Table) -> Vec<String> {
        let place = self.place(table);
        let records = self.warehouse.records(&place).await;
        let records = records.unwrap_or_else(|| panic!("there is no table {place}"));
        let mut lines: Vec<String> = records
            .iter()
            .map(|record| {
                let cell = |column: &Column| match record.get(&column.name) {
                    None => format!("no column {}", column.name),
                    Some(None) => "~".to_owned(),
                    Some(Some(text)) => canonical(&column.column_type, text),
                };
                table.schema.columns.iter().map(cell).collect::<Vec<_>>().join("|")
            })
            .collect();
        lines.sort();
        lines
    }

    /// How many records a table has; none where there is no table.
    pub(crate) async fn count(&self, table: &Table) -> usize {
        self.warehouse.records(&self.place(table)).await.map_or(0, |records| records.len())
    }
}
