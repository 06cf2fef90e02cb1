//! The catalog: a stream for each table, view and query.

use std::collections::HashMap;
use std::fmt::Write as _;

use singer::{Catalog, CatalogStream, Json};
use tap_sdk::{TapError, log};

use crate::config::Config;
use crate::relation::{Kind, Relation, TableColumn, Wanted, relations};
use crate::session::{Session, cell};
use crate::statement::quoted;
use crate::type_catalog::TypeCatalog;

/// Looks at all that the config names.
pub(crate) async fn discover(config: &Config) -> Result<Catalog, TapError> {
    let session = Session::first(config).await?;
    require_schemas(&session, &config.filter_schemas).await?;
    let found = relations(&session, Wanted::Schemas(&config.filter_schemas)).await?;
    refuse_twins(&found)?;
    warn_of_unreadable(&found, &config.server.user);
    let mut streams = Vec::with_capacity(found.len());
    for relation in &found {
        streams.push(stream_of(relation, &config.server.database)?);
    }
    for (name, sql) in &config.queries {
        if let Some(twin) = streams.iter().find(|stream| stream.tap_stream_id == *name) {
            let id = &twin.tap_stream_id;
            return Err(TapError::config(format!("the query `{id}` has the name of a table's stream")));
        }
        let columns = query_columns(&session, name, sql).await?;
        streams.push(stream_of_query(name, &columns)?);
    }
    Ok(Catalog { streams, ..Catalog::default() })
}

async fn require_schemas(session: &Session, schemas: &[String]) -> Result<(), TapError> {
    let sql = "SELECT nspname::text FROM pg_catalog.pg_namespace \
               WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY 1";
    if schemas.is_empty() {
        return Ok(());
    }
    let rows = session.query("reading the names of schemas", sql, &[]).await?;
    let known = rows.iter().map(|row| cell(row, 0)).collect::<Result<Vec<String>, _>>()?;
    match schemas.iter().find(|schema| !known.contains(schema)) {
        None => Ok(()),
        Some(missing) => {
            let place = session.place();
            Err(TapError::config(format!("`filter_schemas` names `{missing}`, which is not at {place}"))
                .with_hint(format!("there are: {}", known.join(", "))))
        }
    }
}

/// A dash may be part of a schema's name and of a table's.
fn refuse_twins(relations: &[Relation]) -> Result<(), TapError> {
    let mut known = HashMap::new();
    for relation in relations {
        if let Some(twin) = known.insert(relation.id(), relation) {
            let place =
                |relation: &Relation| format!("{}.{}", quoted(&relation.schema), quoted(&relation.name));
            let (id, one, other) = (relation.id(), place(twin), place(relation));
            return Err(TapError::config(format!("`{id}` would be the stream of {one} and of {other}"))
                .with_hint(
                    "name the schema of one of them in `filter_schemas`, and read the other by `queries`",
                ));
        }
    }
    Ok(())
}

fn warn_of_unreadable(relations: &[Relation], role: &str) {
    let names: Vec<_> =
        relations.iter().filter(|relation| !relation.is_readable()).map(Relation::id).collect();
    if !names.is_empty() {
        let (count, first) = (names.len(), names.iter().take(10).cloned().collect::<Vec<_>>().join(", "));
        let more = if count > 10 { ", …" } else { "" };
        log::warning(&format!(
            "{role} may not read {count} of the tables found, which are listed as unsupported: {first}{more}"
        ));
    }
}

/// The columns that a query gives.
pub(crate) async fn query_columns(
    session: &Session,
    name: &str,
    sql: &str,
) -> Result<Vec<TableColumn>, TapError> {
    let doing = format!("preparing the query `{name}`");
    let statement = session
        .client()
        .prepare(&format!("SELECT * FROM ({sql}\n) AS q"))
        .await
        .map_err(|error| session.error(&doing, &error))?;
    let oids: Vec<u32> = statement.columns().iter().map(|column| column.type_().oid()).collect();
    let types = TypeCatalog::read(session, &oids).await?;
    let mut columns: Vec<TableColumn> = Vec::with_capacity(oids.len());
    for column in statement.columns() {
        let (oid, modifier) = (column.type_().oid(), column.type_modifier());
        if columns.iter().any(|other| other.name == column.name()) {
            let twice = column.name();
            return Err(TapError::config(format!("the query `{name}` gives two columns named `{twice}`"))
                .with_hint("give each its own name with AS"));
        }
        columns.push(TableColumn {
            name: column.name().to_owned(),
            sql_type: column.type_().name().to_owned(),
            column_type: types.column_type(oid, modifier, 0),
            readable: true,
            generated: false,
        });
    }
    Ok(columns)
}

fn stream_of(relation: &Relation, database: &str) -> Result<CatalogStream, TapError> {
    let mut stream = stream(&relation.id(), &relation.columns, &relation.key)?;
    stream.other.insert("table_name".to_owned(), text(&relation.name));
    let usual = matches!(relation.kind, Kind::Table | Kind::Partitioned);
    let readable = relation.is_readable();
    let mut root = |key: &str, value: Json| stream.set_metadata(&[], key, value);
    root("inclusion", text(if readable { "available" } else { "unsupported" }));
    // A view costs what its query costs, and a foreign table is another server's: only when they are asked for.
    root("selected-by-default", Json::Bool(readable && usual));
    root("schema-name", text(&relation.schema));
    root("database-name", text(database));
    root("is-view", Json::Bool(relation.is_view()));
    if let Some(rows) = relation.rows {
        root("row-count", Json::Number(rows.to_string()));
    }
    let keys = if relation.is_view() { "view-key-properties" } else { "table-key-properties" };
    root(keys, list(&relation.key));
    Ok(stream)
}

fn stream_of_query(name: &str, columns: &[TableColumn]) -> Result<CatalogStream, TapError> {
    let mut stream = stream(name, columns, &[])?;
    stream.set_metadata(&[], "inclusion", text("available"));
    stream.set_metadata(&[], "selected-by-default", Json::Bool(true));
    stream.set_metadata(&[], "is-view", Json::Bool(true));
    stream.set_metadata(&[], "view-key-properties", list(&[]));
    Ok(stream)
}

fn stream(id: &str, columns: &[TableColumn], key: &[String]) -> Result<CatalogStream, TapError> {
    let mut stream = CatalogStream::new(id, schema(id, columns, key)?);
    stream.key_properties = Some(key.to_vec());
    let ordered = columns.iter().filter(|column| column.readable && column.column_type.is_ordered());
    let ordered: Vec<String> = ordered.map(|column| column.name.clone()).collect();
    stream.set_metadata(&[], "valid-replication-keys", list(&ordered));
    for column in columns {
        let breadcrumb = ["properties", column.name.as_str()];
        let inclusion = match (column.readable, key.contains(&column.name)) {
            (false, _) => "unsupported",
            (true, true) => "automatic",
            (true, false) => "available",
        };
        stream.set_metadata(&breadcrumb, "inclusion", text(inclusion));
        stream.set_metadata(&breadcrumb, "selected-by-default", Json::Bool(column.readable));
        stream.set_metadata(&breadcrumb, "sql-datatype", text(&column.sql_type));
    }
    Ok(stream)
}

/// The JSON Schema of these columns' records.
pub(crate) fn schema(id: &str, columns: &[TableColumn], key: &[String]) -> Result<Json, TapError> {
    let mut properties = String::new();
    for column in columns {
        let separator = if properties.is_empty() { "" } else { "," };
        let name = Json::String(column.name.clone());
        let node = column.column_type.schema(!key.contains(&column.name));
        let _ = write!(properties, "{separator}{name}:{node}");
    }
    Json::parse(&format!(r#"{{"type":"object","properties":{{{properties}}}}}"#))
        .map_err(|error| TapError::failed(format!("{id}: the schema cannot be written: {error}")))
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

fn list(names: &[String]) -> Json {
    Json::Array(names.iter().map(|name| text(name)).collect())
}
