//! What is sent of each stream: decided from the catalog and the server before the first message.

use singer::{Catalog, CatalogStream, Json};
use tap_sdk::{TapError, log};

use crate::column_type::ColumnType;
use crate::config::Config;
use crate::discover::{query_columns, schema};
use crate::incremental::ReplicationKey;
use crate::log_based;
use crate::relation::{Kind, Relation, TableColumn, Wanted, relations};
use crate::session::Session;
use crate::statement::{copy, quoted, select};

/// One selected stream.
#[derive(Debug)]
pub(crate) struct StreamPlan {
    pub(crate) id: String,
    /// The name that its messages carry.
    pub(crate) name: String,
    pub(crate) columns: Vec<PlannedColumn>,
    pub(crate) keys: Vec<String>,
    pub(crate) method: Method,
    pub(crate) schema: Json,
    /// The number of the table, where it has pages of its own, or its partitions have.
    pub(crate) paged: Option<u32>,
    pub(crate) is_partitioned: bool,
    /// The number of a table whose changes the server logs.
    pub(crate) logged: Option<u32>,
    /// Its name as SQL has it; of a query, its text.
    pub(crate) from: String,
    condition: Option<String>,
}

/// One property of the records and where it comes from.
#[derive(Debug)]
pub(crate) struct PlannedColumn {
    pub(crate) name: String,
    pub(crate) column_type: ColumnType,
    expression: String,
}

#[derive(Debug)]
pub(crate) enum Method {
    FullTable,
    Incremental(ReplicationKey),
    LogBased,
}

impl StreamPlan {
    /// The COPY of the rows that fulfil these conditions, too.
    pub(crate) fn copy(&self, more: impl IntoIterator<Item = String>, order: Option<&str>) -> String {
        copy(&self.select(more, order))
    }

    /// What stands behind FROM.
    pub(crate) fn from(&self) -> &str {
        &self.from
    }

    /// The COPY of rows of a partition.
    pub(crate) fn copy_partition(&self, partition: &str, more: impl IntoIterator<Item = String>) -> String {
        copy(&self.select_from(partition, more, None))
    }

    /// The query of the rows that fulfil these conditions, too.
    pub(crate) fn select(&self, more: impl IntoIterator<Item = String>, order: Option<&str>) -> String {
        self.select_from(&self.from, more, order)
    }

    fn select_from(&self, from: &str, more: impl IntoIterator<Item = String>, order: Option<&str>) -> String {
        let expressions: Vec<_> = self.columns.iter().map(|column| column.expression.clone()).collect();
        let conditions: Vec<_> = self.condition.iter().cloned().chain(more).collect();
        select(&expressions, from, &conditions, order)
    }
}

/// Plans all selected streams, in the catalog's order.
pub(crate) async fn plans(
    session: &Session,
    config: &Config,
    catalog: &Catalog,
) -> Result<Vec<StreamPlan>, TapError> {
    let selected: Vec<_> = catalog.selected_streams().collect();
    plans_of(session, config, &selected).await
}

/// Plans one of them anew.
pub(crate) async fn plan_of(
    session: &Session,
    config: &Config,
    catalog: &Catalog,
    id: &str,
) -> Result<StreamPlan, TapError> {
    let selected: Vec<_> = catalog.selected_streams().filter(|stream| stream.tap_stream_id == id).collect();
    let plan = plans_of(session, config, &selected).await?.pop();
    plan.ok_or_else(|| TapError::failed(format!("the catalog no longer selects `{id}`")))
}

async fn plans_of(
    session: &Session,
    config: &Config,
    selected: &[&CatalogStream],
) -> Result<Vec<StreamPlan>, TapError> {
    let query =
        |stream: &CatalogStream| config.queries.iter().find(|(name, _)| *name == stream.tap_stream_id);
    let tables = selected.iter().filter(|stream| query(stream).is_none());
    let pairs = tables.map(|stream| table_of(stream)).collect::<Result<Vec<_>, _>>()?;
    let found = relations(session, Wanted::Named(&pairs)).await?;
    let mut plans = Vec::new();
    for stream in selected.iter().copied() {
        if let Some((name, sql)) = query(stream) {
            let columns = query_columns(session, name, sql).await?;
            plans.push(plan(
                stream,
                columns,
                Origin { from: format!("({sql}\n) AS q"), ..Origin::default() },
            )?);
            continue;
        }
        let (schema, table) = table_of(stream)?;
        let relation = found.iter().find(|relation| relation.schema == schema && relation.name == table);
        plans.push(plan_table(stream, relation, &schema, &table, session.place())?);
    }
    Ok(plans)
}

/// Schema and name of a stream's table.
fn table_of(stream: &CatalogStream) -> Result<(String, String), TapError> {
    let id = stream.tap_stream_id.as_str();
    let schema = stream.metadata(&[]).and_then(|root| root.get("schema-name")?.as_str());
    let table = stream.other.get("table_name").and_then(Json::as_str);
    let pair = match (schema, table) {
        (Some(schema), Some(table)) => Some((schema, table)),
        (Some(schema), None) => {
            id.strip_prefix(schema).and_then(|rest| Some((schema, rest.strip_prefix('-')?)))
        }
        (None, _) => id.split_once('-'),
    };
    pair.map(|(schema, table)| (schema.to_owned(), table.to_owned())).ok_or_else(|| {
        TapError::config(format!("the catalog selects `{id}`, which names no schema and table"))
            .with_hint("discover again: the catalog belongs to another config")
    })
}

fn plan_table(
    stream: &CatalogStream,
    relation: Option<&Relation>,
    schema: &str,
    table: &str,
    place: &str,
) -> Result<StreamPlan, TapError> {
    let id = stream.tap_stream_id.as_str();
    let Some(relation) = relation else {
        return Err(TapError::config(format!(
            "the catalog selects `{id}`, but there is no table {schema}.{table} at {place}"
        ))
        .with_hint("discover again: it was dropped or renamed, or the catalog belongs to another database"));
    };
    if !relation.is_readable() {
        let right = if relation.reachable { "SELECT on it" } else { "USAGE on its schema" };
        return Err(TapError::config(format!(
            "{schema}.{table} cannot be read at {place}: {right} is missing"
        ))
        .with_hint(format!(
            "GRANT USAGE ON SCHEMA {0} TO the role; GRANT SELECT ON {0}.{1} TO the role",
            quoted(schema),
            quoted(table)
        )));
    }
    let from = format!("{}.{}", quoted(schema), quoted(table));
    let columns = relation.columns.iter().map(TableColumn::clone).collect();
    let is_logged = matches!(relation.kind, Kind::Table | Kind::Partitioned);
    let origin = Origin {
        from,
        paged: relation.has_pages.then_some(relation.oid),
        logged: is_logged.then_some(relation.oid),
    };
    let plan = plan(stream, columns, origin)?;
    Ok(StreamPlan { is_partitioned: relation.kind == Kind::Partitioned, ..plan })
}

/// Where a stream's records come from.
#[derive(Debug, Default)]
struct Origin {
    from: String,
    paged: Option<u32>,
    logged: Option<u32>,
}

fn plan(
    stream: &CatalogStream,
    mut offered: Vec<TableColumn>,
    origin: Origin,
) -> Result<StreamPlan, TapError> {
    let id = stream.tap_stream_id.as_str();
    let root = |name: &str| stream.metadata(&[]).and_then(|root| root.get(name));
    let keys = stream.key();
    let method = method(stream, &offered)?;
    let is_log_based = matches!(method, Method::LogBased);
    if is_log_based {
        require_log(id, &origin, root("where"))?;
        leave_out_generated(id, &mut offered);
    }
    let replication_key = match &method {
        Method::Incremental(key) => Some(key.column.as_str()),
        Method::FullTable | Method::LogBased => None,
    };
    let missing = |name: &&str| !offered.iter().any(|column| column.name == **name);
    if let Some(key) = keys.iter().map(String::as_str).find(missing) {
        return Err(TapError::config(format!("`{id}` has no column `{key}`, which is to be a key"))
            .with_hint("names must be exactly those of the table, capitals too"));
    }
    for name in stream.property_names().filter(missing) {
        if stream.is_property_selected(&[name]) {
            log::warning(&format!("{id}: the catalog's column `{name}` is no longer there"));
        }
    }
    let known: Vec<&str> = stream.property_names().collect();
    let wanted = |column: &TableColumn| {
        let name = column.name.as_str();
        let must = keys.iter().any(|key| key == name) || replication_key == Some(name);
        must || (column.readable
            // A log is not read twice: what is new in it is taken along.
            && (known.is_empty() || known.contains(&name) || is_log_based)
            && stream.is_property_selected(&[name]))
    };
    let (selected, left_out): (Vec<_>, Vec<_>) = offered.into_iter().partition(wanted);
    for column in left_out.iter().filter(|column| !known.is_empty() && !known.contains(&column.name.as_str()))
    {
        log::warning(&format!(
            "{id}: column `{}` is not in the catalog: discover again to have it",
            column.name
        ));
    }
    let schema =
        if is_log_based { log_based::schema(id, &selected, &keys)? } else { schema(id, &selected, &keys)? };
    let condition = match root("where") {
        None | Some(Json::Null) => None,
        Some(Json::String(sql)) => Some(sql.clone()).filter(|sql| !sql.trim().is_empty()),
        Some(_) => return Err(TapError::config(format!("the metadata `where` of `{id}` is no text"))),
    };
    let planned = |column: TableColumn| PlannedColumn {
        expression: column.column_type.expression(&quoted(&column.name)),
        name: column.name,
        column_type: column.column_type,
    };
    let columns = selected.into_iter().map(planned).collect();
    Ok(StreamPlan {
        id: id.to_owned(),
        name: stream.stream.clone(),
        columns,
        keys,
        method,
        schema,
        paged: origin.paged,
        is_partitioned: false,
        logged: origin.logged,
        from: origin.from,
        condition,
    })
}

/// What `LOG_BASED` asks of a stream.
fn require_log(id: &str, origin: &Origin, condition: Option<&Json>) -> Result<(), TapError> {
    if origin.logged.is_none() {
        return Err(TapError::config(format!(
            "`{id}` is LOG_BASED and no table: the server's log has tables only"
        ))
        .with_hint("choose FULL_TABLE or INCREMENTAL"));
    }
    if condition.is_some_and(|condition| *condition != Json::Null) {
        return Err(TapError::config(format!("`{id}` is LOG_BASED and has a `where`: a log has all rows"))
            .with_hint("leave one of them out, or filter by a transform of the pipeline"));
    }
    Ok(())
}

/// The log does not have what the server computes from other columns.
fn leave_out_generated(id: &str, columns: &mut Vec<TableColumn>) {
    columns.retain(|column| {
        if column.generated {
            log::warning(&format!(
                "{id}: column `{}` is generated, which a log has not: it is left out",
                column.name
            ));
        }
        !column.generated
    });
}

fn method(stream: &CatalogStream, offered: &[TableColumn]) -> Result<Method, TapError> {
    let id = stream.tap_stream_id.as_str();
    match stream.effective_replication_method().unwrap_or("FULL_TABLE") {
        "FULL_TABLE" => Ok(Method::FullTable),
        "INCREMENTAL" => {
            let lag = stream.metadata(&[]).and_then(|root| root.get("replication_key_lag"));
            ReplicationKey::new(id, stream.effective_replication_key(), lag, offered).map(Method::Incremental)
        }
        "LOG_BASED" => Ok(Method::LogBased),
        other => Err(TapError::config(format!(
            "the stream `{id}` has the replication method {other}, which tap-postgres does not offer"
        ))
        .with_hint("choose FULL_TABLE, INCREMENTAL or LOG_BASED")),
    }
}
