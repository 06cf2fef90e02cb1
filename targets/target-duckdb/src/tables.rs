//! Who owns which table, and which names were given: `_tapster_tables`.

use duckdb::{Connection, params};
use target_api::sql::quoted;
use target_api::{GivenNames, Result, RunIdentity, StreamName, Table, TargetError, refusal, shortened};

use crate::{ddl, error};

/// Without schema, which could as well be the name of the file: `main`, the first in the search path, has it.
const TABLE: &str = "_tapster_tables";

/// Where a table is, schema and all.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The file, as DuckDB calls it. Without it, the schema `shop` of the file `shop.duckdb` could not be named.
    pub catalog: String,
    pub schema: String,
    pub table: String,
}

impl Place {
    /// Where a run wants a table.
    pub(crate) fn of(connection: &Connection, table: &Table, default_schema: &str) -> Result<Self> {
        let catalog = connection
            .query_row("SELECT current_database()", [], |row| row.get(0))
            .map_err(|e| error::failed("tell the name of the file", &e))?;
        let schema = table.name.schema.as_deref().unwrap_or(default_schema);
        let fitted = |name: &str| shortened(name, ddl::RULE);
        Ok(Self { catalog, schema: fitted(schema), table: fitted(&table.name.table) })
    }

    /// The schema in SQL.
    pub(crate) fn schema_sql(&self) -> String {
        format!("{}.{}", quoted(&self.catalog), quoted(&self.schema))
    }

    /// In SQL.
    pub(crate) fn sql(&self) -> String {
        format!("{}.{}", self.schema_sql(), quoted(&self.table))
    }

    /// As people write it.
    pub(crate) fn written(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

impl PartialEq for Place {
    /// DuckDB's names ignore the case of ASCII letters.
    fn eq(&self, other: &Self) -> bool {
        self.schema.eq_ignore_ascii_case(&other.schema) && self.table.eq_ignore_ascii_case(&other.table)
    }
}

/// One stream's table, as `_tapster_tables` remembers it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OwnedTable {
    pub environment: String,
    pub pipeline: String,
    pub stream: String,
    pub place: Place,
    /// Names given: property → column.
    pub columns: GivenNames,
    /// The key's columns when it was last opened; empty where records are appended.
    pub key: Vec<String>,
    /// Whether other pipelines may load into it, too.
    pub shared: bool,
    /// Whether tapster made the table; the types of others' tables are not changed.
    pub made: bool,
}

impl OwnedTable {
    /// Whether it belongs to this run's pipeline.
    pub(crate) fn is_of(&self, run: &RunIdentity) -> bool {
        self.environment == run.environment && self.pipeline == run.pipeline
    }
}

/// Makes the table of tables.
pub(crate) fn ensure(connection: &Connection) -> Result<()> {
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {TABLE} (environment VARCHAR NOT NULL, pipeline VARCHAR NOT NULL, \
         stream VARCHAR NOT NULL, \"schema\" VARCHAR NOT NULL, \"table\" VARCHAR NOT NULL, \
         columns VARCHAR NOT NULL, key_properties VARCHAR NOT NULL, shared BOOLEAN NOT NULL, \
         made BOOLEAN NOT NULL)"
    );
    connection.execute_batch(&sql).map_err(|e| error::failed("make its table of tables", &e))
}

/// All that is remembered; nothing when there is no table of tables.
pub(crate) fn read(connection: &Connection) -> Result<Vec<OwnedTable>> {
    let there = "SELECT count(*) > 0 FROM duckdb_tables() WHERE database_name = current_database() \
                 AND schema_name = 'main' AND table_name = '_tapster_tables'";
    let fails = |e: duckdb::Error| error::failed("read its table of tables", &e);
    if !connection.query_row(there, [], |row| row.get(0)).map_err(fails)? {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT environment, pipeline, stream, \"schema\", \"table\", columns, key_properties, current_database(), shared, made FROM {TABLE}"
    );
    let mut statement = connection.prepare(&sql).map_err(fails)?;
    let rows = statement
        .query_map([], |row| {
            let text = |index: usize| row.get::<_, String>(index);
            let texts = [text(0)?, text(1)?, text(2)?, text(3)?, text(4)?];
            Ok((texts, text(5)?, text(6)?, text(7)?, [row.get::<_, bool>(8)?, row.get(9)?]))
        })
        .map_err(fails)?;
    rows.map(|row| {
        let ([environment, pipeline, stream, schema, table], columns, key, catalog, [shared, made]) =
            row.map_err(fails)?;
        let unreadable = |cause: serde_json::Error| {
            let message = format!("{TABLE} holds what tapster did not write, at stream `{stream}`");
            TargetError::permanent(error::STATEMENT, message).caused_by(cause)
        };
        let columns = serde_json::from_str(&columns).map_err(unreadable)?;
        let key = serde_json::from_str(&key).map_err(unreadable)?;
        Ok(OwnedTable {
            environment,
            pipeline,
            stream,
            place: Place { catalog, schema, table },
            columns,
            key,
            shared,
            made,
        })
    })
    .collect()
}

/// Remembers a table, within the caller's transaction.
pub(crate) fn write(connection: &Connection, table: &OwnedTable) -> Result<()> {
    let fails = |e: duckdb::Error| error::failed("write its table of tables", &e);
    let delete = format!("DELETE FROM {TABLE} WHERE environment = ? AND pipeline = ? AND stream = ?");
    connection.execute(&delete, params![table.environment, table.pipeline, table.stream]).map_err(fails)?;
    let as_text = |value: serde_json::Result<String>| value.unwrap_or_default();
    let columns = as_text(serde_json::to_string(&table.columns));
    let key = as_text(serde_json::to_string(&table.key));
    let OwnedTable { environment, pipeline, stream, place, shared, made, .. } = table;
    let insert = format!("INSERT INTO {TABLE} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    let values =
        params![environment, pipeline, stream, place.schema, place.table, columns, key, shared, made];
    connection.execute(&insert, values).map(drop).map_err(fails)
}

/// Gives all tables of this run's pipeline to another, within the caller's transaction. Those that it has are nobody's
/// then.
pub(crate) fn rename(connection: &Connection, run: &RunIdentity, new: &str) -> Result<()> {
    let fails = |e: duckdb::Error| error::failed("rename the pipeline", &e);
    let delete = format!("DELETE FROM {TABLE} WHERE environment = ? AND pipeline = ?");
    connection.execute(&delete, params![run.environment, new]).map_err(fails)?;
    let update = format!("UPDATE {TABLE} SET pipeline = ? WHERE environment = ? AND pipeline = ?");
    connection.execute(&update, params![new, run.environment, run.pipeline]).map(drop).map_err(fails)
}

/// The entries of other pipelines with which a table is shared.
pub(crate) fn sharing<'a>(
    owned: &'a [OwnedTable],
    run: &RunIdentity,
    wanted: &Table,
    place: &Place,
) -> Vec<&'a OwnedTable> {
    let others = owned.iter().filter(|table| wanted.shared && table.shared && !table.is_of(run));
    others.filter(|table| table.place == *place).collect()
}

/// Refuses a table that another stream or pipeline owns, unless both share it.
pub(crate) fn refuse_anothers(
    owned: &[OwnedTable],
    run: &RunIdentity,
    wanted: &Table,
    place: &Place,
) -> Result<()> {
    let stream = wanted.schema.stream.as_str();
    let mut others =
        owned.iter().filter(|table| &table.place == place && (!table.is_of(run) || table.stream != stream));
    let other = others.find(|table| table.is_of(run) || !(wanted.shared && table.shared));
    let Some(other) = other else { return Ok(()) };
    let whose = if other.is_of(run) {
        refusal::own_stream(run, &other.stream)
    } else {
        refusal::owner(&other.environment, &other.pipeline, &other.stream)
    };
    Err(refusal::taken(format!("table {}", place.written()), &whose))
}

/// Refuses to go on from a STATE whose table vanished or moved.
pub(crate) fn refuse_vanished(previous: &OwnedTable, place: &Place, exists: bool) -> Result<()> {
    let (stream, old) = (StreamName::from(previous.stream.as_str()), previous.place.written());
    if &previous.place != place {
        let what = format!("was in {old} and shall now be in {}", place.written());
        return Err(refusal::vanished(&stream, what));
    }
    if exists {
        return Ok(());
    }
    Err(refusal::vanished(&stream, format!("was in {old}, and there is no such table any more")))
}
