//! `_tapster_tables`: which pipeline owns a table, and the names that were given to its columns.

use columns::StreamName;
use target_api::sql::{literal, quoted};
use target_api::{GivenNames, Result, RunIdentity, Table, refusal, shortened};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::config::Settings;
use crate::connection::{Parameter, Session};
use crate::error::bug;
use crate::state::{cell, exists};
use crate::target::IDENTIFIER;

/// Schema and table, as the server has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) schema: String,
    pub(crate) table: String,
}

impl Place {
    /// Where a stream's table shall be.
    pub(crate) fn wanted(table: &Table, settings: &Settings) -> Self {
        let schema = table.name.schema.as_deref().unwrap_or(&settings.default_schema);
        Self { schema: plain_name(schema), table: plain_name(&table.name.table) }
    }

    /// For SQL.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.table))
    }
}

/// A name that the server can hold: no NUL, at most 63 bytes.
pub(crate) fn plain_name(name: &str) -> String {
    shortened(&name.replace('\0', "\u{fffd}"), IDENTIFIER)
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// A stream's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) place: Place,
    pub(crate) columns: GivenNames,
    /// Columns by which records are merged; empty when they are appended.
    pub(crate) key: Vec<String>,
    /// Whether tapster made the table; the types of others' tables are not changed.
    pub(crate) made: bool,
    /// Whether other pipelines may load into the table, too.
    pub(crate) shared: bool,
}

/// Whose a place is.
pub(crate) struct Owner {
    pub(crate) environment: String,
    pub(crate) pipeline: String,
    pub(crate) stream: String,
    pub(crate) registered: Registered,
}

impl Owner {
    fn is(&self, run: &RunIdentity, stream: &StreamName) -> bool {
        (&self.environment, &self.pipeline) == (&run.environment, &run.pipeline)
            && self.stream == stream.as_str()
    }

    /// Whether a stream of this run may load into the table as well.
    fn shares_with(&self, run: &RunIdentity, shared: bool) -> bool {
        let is_another = (&self.environment, &self.pipeline) != (&run.environment, &run.pipeline);
        is_another && shared && self.registered.shared
    }
}

pub(crate) fn table(settings: &Settings) -> String {
    format!("{}.\"_tapster_tables\"", quoted(&settings.default_schema))
}

pub(crate) fn create_statement(settings: &Settings) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {} (environment text NOT NULL, pipeline text NOT NULL, stream text NOT NULL, \
         table_schema text NOT NULL, table_name text NOT NULL, columns text NOT NULL, key text NOT NULL, \
         made boolean NOT NULL, shared boolean NOT NULL, \
         PRIMARY KEY (environment, pipeline, stream))",
        table(settings)
    )
}

const DOING: &str = "reading _tapster_tables";

/// The row of a stream.
pub(crate) async fn read(
    session: &Session,
    settings: &Settings,
    run: &RunIdentity,
    stream: &StreamName,
) -> Result<Option<Registered>> {
    if !exists(session, &table(settings)).await? {
        return Ok(None);
    }
    let sql = format!(
        "SELECT table_schema, table_name, columns, key, made, shared, stream FROM {} \
         WHERE environment = $1 AND pipeline = $2 AND stream = $3",
        table(settings)
    );
    let stream = stream.as_str();
    let parameters: [Parameter<'_>; 3] =
        [(&run.environment, Type::TEXT), (&run.pipeline, Type::TEXT), (&stream, Type::TEXT)];
    let rows = session.query(DOING, &sql, &parameters).await?;
    rows.first().map(registered).transpose()
}

/// The row's first seven columns: place, names, key, what is said of it, and the stream.
fn registered(row: &Row) -> Result<Registered> {
    let (columns, key, stream): (String, String, String) = (cell(row, 2)?, cell(row, 3)?, cell(row, 6)?);
    let damaged =
        |_| bug(format!("the row of stream `{stream}` in _tapster_tables is not what tapster wrote"));
    Ok(Registered {
        place: Place { schema: cell(row, 0)?, table: cell(row, 1)? },
        columns: serde_json::from_str(&columns).map_err(damaged)?,
        key: serde_json::from_str(&key).map_err(damaged)?,
        made: cell(row, 4)?,
        shared: cell(row, 5)?,
    })
}

/// Who else has registered a place: those that a stream shares it with. Refuses one that others have alone.
pub(crate) async fn sharing(
    session: &Session,
    settings: &Settings,
    run: &RunIdentity,
    stream: &StreamName,
    (place, shared): (&Place, bool),
) -> Result<Vec<Registered>> {
    if !exists(session, &table(settings)).await? {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT table_schema, table_name, columns, key, made, shared, stream, environment, pipeline FROM {} \
         WHERE table_schema = $1 AND table_name = $2 ORDER BY environment, pipeline, stream",
        table(settings)
    );
    let parameters: [Parameter<'_>; 2] = [(&place.schema, Type::TEXT), (&place.table, Type::TEXT)];
    let rows = session.query(DOING, &sql, &parameters).await?;
    let owner = |row| {
        let registered = registered(row)?;
        Ok(Owner { environment: cell(row, 7)?, pipeline: cell(row, 8)?, stream: cell(row, 6)?, registered })
    };
    let owners: Vec<Owner> = rows.iter().map(owner).collect::<Result<_>>()?;
    let others: Vec<Owner> = owners.into_iter().filter(|owner| !owner.is(run, stream)).collect();
    let Some(owner) = others.iter().find(|other| !other.shares_with(run, shared)) else {
        return Ok(others.into_iter().map(|other| other.registered).collect());
    };
    let Owner { environment, pipeline, stream: other, .. } = owner;
    let is_own = (environment, pipeline) == (&run.environment, &run.pipeline);
    let by =
        if is_own { refusal::own_stream(run, other) } else { refusal::owner(environment, pipeline, other) };
    Err(refusal::taken(format!("table {place}"), &by))
}

/// All places that a pipeline has to itself, by stream.
pub(crate) async fn all(
    session: &Session,
    settings: &Settings,
    run: &RunIdentity,
) -> Result<Vec<(StreamName, Place)>> {
    let sql = format!(
        "SELECT stream, table_schema, table_name FROM {} WHERE environment = $1 AND pipeline = $2 AND NOT shared \
         ORDER BY stream",
        table(settings)
    );
    let parameters: [Parameter<'_>; 2] = [(&run.environment, Type::TEXT), (&run.pipeline, Type::TEXT)];
    let rows = session.query(DOING, &sql, &parameters).await?;
    let place = |row| {
        let stream: &str = cell(row, 0)?;
        Ok((StreamName::from(stream), Place { schema: cell(row, 1)?, table: cell(row, 2)? }))
    };
    rows.iter().map(place).collect()
}

/// Writes the row of a stream, in the open transaction.
pub(crate) async fn register(
    session: &Session,
    settings: &Settings,
    run: &RunIdentity,
    stream: &StreamName,
    row: &Registered,
) -> Result<()> {
    let sql = format!(
        "INSERT INTO {} (environment, pipeline, stream, table_schema, table_name, columns, key, made, shared) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (environment, pipeline, stream) DO UPDATE SET \
         table_schema = excluded.table_schema, table_name = excluded.table_name, columns = excluded.columns, \
         key = excluded.key, made = excluded.made, shared = excluded.shared",
        table(settings)
    );
    // Another pipeline may register the same place since we looked: one at a time, and the later one looks again.
    let place = literal(&row.place.quoted());
    let lock = format!(
        "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('tapster ' || {place}, 0))"
    );
    session.execute("registering a table", &lock).await?;
    sharing(session, settings, run, stream, (&row.place, row.shared)).await?;
    let text = |error| bug(format!("names cannot be written as JSON: {error}"));
    let columns = serde_json::to_string(&row.columns).map_err(text)?;
    let key = serde_json::to_string(&row.key).map_err(text)?;
    let name = stream.as_str();
    let parameters: [Parameter<'_>; 9] = [
        (&run.environment, Type::TEXT),
        (&run.pipeline, Type::TEXT),
        (&name, Type::TEXT),
        (&row.place.schema, Type::TEXT),
        (&row.place.table, Type::TEXT),
        (&columns, Type::TEXT),
        (&key, Type::TEXT),
        (&row.made, Type::BOOL),
        (&row.shared, Type::BOOL),
    ];
    let written = session.client().execute_typed(&sql, &parameters).await;
    written.map(drop).map_err(|error| session.error("writing _tapster_tables", &error))
}
