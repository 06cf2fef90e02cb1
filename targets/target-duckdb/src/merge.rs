//! From the staging into the table.

mod absent;

use duckdb::Connection;
use target_api::columns::DELETED_AT;
use target_api::sql::quoted;
use target_api::{ColumnType, OnDelete, Result, StreamName, TargetError, Version, refusal};

use crate::session::OpenTable;
use crate::stage::Staging;
use crate::tables::Place;
use crate::{error, type_map};

/// Merges one staging. Of the records with one key, by DuckDB's equality, the last is kept.
pub(crate) fn merge(connection: &Connection, staging: &Staging, table: &OpenTable) -> Result<()> {
    let fails = |e: duckdb::Error| {
        error::failed(&format!("merge stream `{}` into {}", staging.stream, table.place.written()), &e)
    };
    statements(staging, table).iter().try_for_each(|sql| connection.execute_batch(sql)).map_err(fails)
}

fn statements(staging: &Staging, table: &OpenTable) -> Vec<String> {
    let (place, staged) = (table.place.sql(), staging.place());
    let columns: Vec<Staged> = columns(staging, table);
    let names = columns.iter().map(|column| quoted(column.name)).collect::<Vec<_>>().join(", ");
    let values = columns.iter().map(|column| column.value.as_str()).collect::<Vec<_>>().join(", ");
    let key: Vec<&Staged> =
        columns.iter().filter(|column| staging.merge_key.iter().any(|name| name == column.name)).collect();
    if key.is_empty() {
        return vec![format!("INSERT INTO {place} ({names}) SELECT {values} FROM {staged}")];
    }
    let keys = key.iter().map(|column| column.value.as_str()).collect::<Vec<_>>().join(", ");
    // A delete comes after the load of what was sent before it; what was sent after it is the last of its key.
    let loaded = staging.on_delete.column().map(|at| format!(" WHERE c{at} IS NULL")).unwrap_or_default();
    let last = format!("rowid IN (SELECT max(rowid) FROM {staged}{loaded} GROUP BY {keys})");
    let equal: Vec<String> =
        key.iter().map(|column| format!("{place}.{} = s.v{}", quoted(column.name), column.index)).collect();
    let equal = equal.join(" AND ");
    let whole = table.actual.iter().all(|actual| columns.iter().any(|column| column.name == actual.name));
    let mut statements = if whole && staging.absent.is_empty() {
        // A delete and an insert, because DuckDB checks the index that an upsert needs too early.
        let keys = aliased(&key);
        vec![
            format!("DELETE FROM {place} USING (SELECT {keys} FROM {staged}{loaded}) AS s WHERE {equal}"),
            format!("INSERT INTO {place} ({names}) SELECT {values} FROM {staged} WHERE {last}"),
        ]
    } else {
        let source =
            absent::completed(staging, &last, &keys).unwrap_or_else(|| format!("{staged} WHERE {last}"));
        let there = |name: &str| table.actual.iter().any(|actual| actual.name == name);
        let retired = staging.retired.iter().filter(|(_, name)| there(name));
        let emptied = retired.map(|(of, name)| absent::kept(staging, &place, *of, name, "NULL"));
        update_and_insert((&place, &source, &equal), staging, &columns, emptied.collect())
    };
    let last = format!("rowid IN (SELECT max(rowid) FROM {staged} GROUP BY {keys})");
    statements.extend(deletes(staging, &columns, (&place, &last, &equal)));
    statements
}

/// For a table that has columns which the stream no longer has, and for records that leave cells as they are: those
/// values stay. What is there from before a column's type changed goes with the record that it belonged to.
fn update_and_insert(
    (place, source, equal): (&str, &str, &str),
    staging: &Staging,
    columns: &[Staged],
    emptied: Vec<String>,
) -> Vec<String> {
    let names = columns.iter().map(|column| quoted(column.name)).collect::<Vec<_>>().join(", ");
    let aliased = aliased(&columns.iter().collect::<Vec<_>>());
    let source = format!("(SELECT {aliased}{} FROM {source}) AS s", absent::flags(staging));
    let set = columns.iter().map(|column| {
        absent::kept(staging, place, column.index, column.name, &format!("s.v{}", column.index))
    });
    let set: Vec<String> = set.chain(emptied).collect();
    let values: Vec<String> = columns.iter().map(|column| format!("s.v{}", column.index)).collect();
    vec![
        format!("UPDATE {place} SET {} FROM {source} WHERE {equal}", set.join(", ")),
        format!(
            "INSERT INTO {place} ({names}) SELECT {} FROM {source} WHERE NOT EXISTS (SELECT 1 FROM {place} WHERE {equal})",
            values.join(", ")
        ),
    ]
}

/// What is done to the records whose last message of this staging is a delete.
fn deletes(
    staging: &Staging,
    columns: &[Staged],
    (place, last, equal): (&str, &str, &str),
) -> Option<String> {
    let at = staging.on_delete.column()?;
    let source = aliased(&columns.iter().collect::<Vec<_>>());
    let source =
        format!("(SELECT {source} FROM {} WHERE {last} AND c{at} IS NOT NULL) AS s", staging.place());
    match staging.on_delete {
        OnDelete::Load => None,
        OnDelete::Remove { .. } => Some(format!("DELETE FROM {place} USING {source} WHERE {equal}")),
        OnDelete::Mark { column } => {
            let name = quoted(columns.get(column)?.name);
            Some(format!("UPDATE {place} SET {name} = s.v{column} FROM {source} WHERE {equal}"))
        }
    }
}

/// The values of staged columns, named so that no name of a table's column can be meant.
fn aliased(columns: &[&Staged]) -> String {
    let aliased = columns.iter().map(|column| format!("{} AS v{}", column.value, column.index));
    aliased.collect::<Vec<_>>().join(", ")
}

/// A staged column and the SQL of its value in the table's type.
struct Staged<'a> {
    index: usize,
    name: &'a str,
    value: String,
    from: &'a ColumnType,
    to: &'a ColumnType,
}

fn columns<'a>(staging: &'a Staging, table: &'a OpenTable) -> Vec<Staged<'a>> {
    let column = |(index, column): (usize, &'a crate::stage::StagedColumn)| {
        let from = &column.column_type;
        let to = table.actual_type(&column.name).unwrap_or(from);
        Staged {
            index,
            name: &column.name,
            value: type_map::unstaged(&format!("c{index}"), from, to),
            from,
            to,
        }
    };
    staging.columns.iter().enumerate().map(column).collect()
}

/// Looks for the record that made a merge fail: the first whose text DuckDB cannot read as its column's type, or
/// that has no value for its key.
pub(crate) fn refused_record(
    connection: &Connection,
    staging: &Staging,
    table: &OpenTable,
) -> Option<TargetError> {
    let columns = columns(staging, table);
    let tests = columns.iter().enumerate().map(|(index, column)| {
        let in_key = staging.merge_key.iter().any(|name| name == column.name);
        if type_map::staged_type(column.from) == type_map::duckdb_type(column.to) {
            (column, if in_key { format!("c{index} IS NULL") } else { String::new() })
        } else {
            let kind = type_map::duckdb_type(column.to);
            let unreadable = format!("c{index} IS NOT NULL AND TRY_CAST(c{index} AS {kind}) IS NULL");
            (column, if in_key { format!("c{index} IS NULL OR {unreadable}") } else { unreadable })
        }
    });
    let found = tests.filter(|(_, test)| !test.is_empty()).filter_map(|(column, test)| {
        let sql = format!("SELECT min(rowid) FROM {} WHERE {test}", staging.place());
        let row: Option<i64> = connection.query_row(&sql, [], |row| row.get(0)).ok()?;
        Some((u64::try_from(row?).ok()?, column))
    });
    let (row, column) = found.min_by_key(|(row, _)| *row)?;
    let because = format!("holds what is no {}", type_map::duckdb_type(column.to));
    Some(error::refused(&staging.stream, staging.first_record + row, column.name, &because))
}

/// Removes all records of older versions than one, or marks them as deleted, unless there is none of it.
pub(crate) fn keep_version(connection: &Connection, table: &OpenTable, version: Version) -> Result<()> {
    let Version { number: version, truncated } = version;
    let fails = |e: duckdb::Error| {
        error::failed(&format!("remove the older versions of {}", table.place.written()), &e)
    };
    let place = table.place.written();
    let Some(column) = table.column_of("_sdc_table_version") else {
        tracing::warn!("{place} has no `_sdc_table_version`: nothing is removed for version {version}");
        return Ok(());
    };
    let to = table.actual_type(column).unwrap_or(&ColumnType::Int64);
    let value = type_map::unstaged(&format!("CAST({version} AS BIGINT)"), &ColumnType::Int64, to);
    let (sql, column) = (table.place.sql(), quoted(column));
    let any = format!("SELECT count(*) > 0 FROM {sql} WHERE {column} = {value}");
    if !truncated && !connection.query_row(&any, [], |row| row.get::<_, bool>(0)).map_err(fails)? {
        // An empty table is how a first full load begins.
        let any = format!("SELECT count(*) > 0 FROM {sql}");
        if connection.query_row(&any, [], |row| row.get::<_, bool>(0)).map_err(fails)? {
            tracing::warn!(
                "{place} holds no record of version {version}: it is not emptied; `tapster run --full-refresh` \
                 empties it, if the stream has no records any more"
            );
        }
        return Ok(());
    }
    // Never what is newer: a tap may say again which version it once began.
    let older = format!("({column} IS NULL OR TRY_CAST({column} AS HUGEINT) < {version})");
    let mark = table.column_of(DELETED_AT).filter(|_| table.wanted.marks_versions());
    let change = match mark {
        None => format!("DELETE FROM {sql} WHERE {older}"),
        Some(name) => {
            let kind =
                table.actual_type(name).map_or_else(|| "TIMESTAMPTZ".to_owned(), type_map::duckdb_type);
            let name = quoted(name);
            format!("UPDATE {sql} SET {name} = CAST(now() AS {kind}) WHERE {older} AND {name} IS NULL")
        }
    };
    connection.execute(&change, []).map(drop).map_err(fails)
}

/// Refuses a key by which the records in the table cannot be told apart.
pub(crate) fn refuse_repeated_key(
    connection: &Connection,
    stream: &StreamName,
    place: &Place,
    (old, new): (Option<&[String]>, &[String]),
) -> Result<()> {
    let key: Vec<String> = new.iter().map(|name| quoted(name)).collect();
    let (all, none) = (key.join(", "), key.join(" IS NULL OR "));
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM {0} WHERE {none} IS NULL) \
         OR EXISTS (SELECT 1 FROM {0} GROUP BY {all} HAVING count(*) > 1)",
        place.sql()
    );
    let repeated: bool = connection
        .query_row(&sql, [], |row| row.get(0))
        .map_err(|e| error::failed(&format!("look at the keys in {}", place.written()), &e))?;
    if repeated { Err(refusal::repeated_key(stream, place.written(), old, new)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
