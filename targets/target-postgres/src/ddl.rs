//! The statements that make a table fit, and what a staged value becomes on its way into it.

use columns::{Column, ColumnType};
use target_api::sql::quoted;
use target_api::{ColumnChange, Result, TargetError, refusal, table_diff};

use crate::actual::{ActualTable, TableColumn, same_names};
use crate::after::after;
use crate::tables::Place;
use crate::version::depends;

/// A table as a stream wants it, under the server's names.
pub(crate) struct Wanted<'a> {
    pub(crate) place: &'a Place,
    pub(crate) columns: &'a [Column],
    /// Name of each column at the server.
    pub(crate) names: &'a [String],
    /// Columns by which records are merged; empty when they are appended.
    pub(crate) key: &'a [String],
}

/// What is to be done to an existing table.
#[derive(Debug, Default)]
pub(crate) struct Alteration {
    /// In order; empty when the table fits.
    pub(crate) statements: Vec<String>,
    /// Whether the records that are there must differ in the key, since it becomes the table's.
    pub(crate) rekeyed: bool,
    /// What an existing table is afterwards, when it changes.
    pub(crate) after: Option<ActualTable>,
}

/// The server's name of a type.
pub(crate) fn sql_type(column_type: &ColumnType) -> String {
    match column_type {
        ColumnType::Bool => "boolean".into(),
        ColumnType::Int64 => "bigint".into(),
        ColumnType::Float64 => "double precision".into(),
        ColumnType::Json => "jsonb".into(),
        ColumnType::Binary => "bytea".into(),
        // One type holds arrays of every depth.
        ColumnType::Array(item) => format!("{}[]", sql_type(item).trim_end_matches("[]")),
        other => other.to_string(),
    }
}

/// The type of a staging column: what the server must read itself comes as text.
pub(crate) fn staged_type(column_type: &ColumnType) -> String {
    match column_type {
        ColumnType::TimeTz | ColumnType::Interval => "text".into(),
        ColumnType::Array(item) => format!("{}[]", staged_type(item).trim_end_matches("[]")),
        other => sql_type(other),
    }
}

/// Whether COPY BINARY can write it without a cast.
pub(crate) fn is_staged_as_itself(column_type: &ColumnType) -> bool {
    staged_type(column_type) == sql_type(column_type)
}

/// Whether both are one type here: arrays of every depth are.
pub(crate) fn same(one: &ColumnType, other: &ColumnType) -> bool {
    match (one, other) {
        (ColumnType::Array(_), ColumnType::Array(_)) => sql_type(one) == sql_type(other),
        _ => one == other,
    }
}

/// Whether others keep in this type what we keep in that one, as Meltano's target does: instants without their zone,
/// which say the same in UTC, this session's zone; and lists as arrays, whose items are refused if they do not fit.
fn says_the_same(ours: &ColumnType, theirs: &ColumnType) -> bool {
    matches!(
        (ours, theirs),
        (ColumnType::TimestampTz, ColumnType::Timestamp) | (ColumnType::Json, ColumnType::Array(_))
    )
}

/// A JSON list as an array of this type. What is no list is refused by the server.
fn list_as_array(expression: &str, array: &str) -> String {
    let item = array.trim_end_matches("[]");
    let items = if item == "jsonb" { "jsonb_array_elements" } else { "jsonb_array_elements_text" };
    format!(
        "CASE WHEN pg_catalog.jsonb_typeof({expression}) <> 'null' THEN ARRAY(SELECT i.v::{item} \
         FROM pg_catalog.{items}({expression}) WITH ORDINALITY i (v, n) ORDER BY i.n) END"
    )
}

/// An expression of type `from`, as the type `to` (in the server's words). Lossless where `from` widens to it.
pub(crate) fn cast(expression: &str, from: &ColumnType, to: &str) -> String {
    match from {
        // The server's own cast from double to numeric keeps 15 digits only.
        ColumnType::Float64 if to.starts_with("numeric") => format!("{expression}::text::{to}"),
        // As text, these take the form that the server gives them.
        ColumnType::TimeTz | ColumnType::Interval if to != sql_type(from) => {
            format!("{expression}::{}::{to}", sql_type(from))
        }
        _ => format!("{expression}::{to}"),
    }
}

/// A staged column as the type of its table's column.
pub(crate) fn cast_staged(expression: &str, staged: &ColumnType, actual: &TableColumn) -> String {
    let as_is = is_staged_as_itself(staged)
        && actual.exact
        && actual.column_type.as_ref().is_some_and(|column_type| same(staged, column_type));
    match (staged, &actual.column_type) {
        _ if as_is => expression.to_owned(),
        (ColumnType::Json, Some(ColumnType::Array(_))) => list_as_array(expression, &actual.written),
        _ => cast(expression, staged, &actual.written),
    }
}

/// The statement that makes a new table.
pub(crate) fn create(wanted: &Wanted<'_>) -> String {
    let mut parts: Vec<String> = wanted
        .columns
        .iter()
        .zip(wanted.names)
        .map(|(column, name)| format!("{} {}", quoted(name), sql_type(&column.column_type)))
        .collect();
    if !wanted.key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", list(wanted.key)));
    }
    format!("CREATE TABLE {} ({})", wanted.place.quoted(), parts.join(", "))
}

/// The statement that empties a table.
pub(crate) fn empty(place: &Place, actual: &ActualTable) -> String {
    let verb = if actual.can_truncate { "TRUNCATE" } else { "DELETE FROM" };
    format!("{verb} {}", place.quoted())
}

/// Names for SQL, with commas.
pub(crate) fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// What is known of an existing table besides its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// The key that this stream had before, if the table was its own.
    pub(crate) old_key: Option<Vec<String>>,
    /// Whether tapster made the table. Others' tables keep their types.
    pub(crate) made: bool,
    /// Whether the stream's records are given up with the commit, before the statements, so that nothing conflicts.
    pub(crate) start_over: bool,
}

/// What makes an existing table fit.
pub(crate) fn alter(wanted: &Wanted<'_>, actual: &ActualTable, known: &Known) -> Result<Alteration> {
    if actual.kind != "r" && actual.kind != "p" {
        return Err(refusal::unloadable(format!("{} is not a table", wanted.place))
            .with_hint("give the stream another table with `target_table`"));
    }
    let plain: Vec<_> = actual.columns.iter().map(TableColumn::plain).collect();
    let fits = |ours: &ColumnType, theirs: &ColumnType| {
        same(ours, theirs) || (!known.made && says_the_same(ours, theirs))
    };
    let changes = table_diff(wanted.columns, wanted.names, &plain, fits);
    let replaced = conflicts(wanted, actual, &changes, known)?;
    let key = KeyChange::new(wanted, actual, known.old_key.as_deref(), &replaced);
    let mut actions = Vec::new();
    actions.extend(key.drop.iter().map(|constraint| format!("DROP CONSTRAINT {}", quoted(constraint))));
    actions.extend(replaced.iter().map(|name| format!("DROP COLUMN {}", quoted(name))));
    for change in &changes {
        actions.extend(action(wanted, actual, change, &key));
    }
    actions.extend(key.relaxed.iter().map(|name| format!("ALTER COLUMN {} DROP NOT NULL", quoted(name))));
    if key.add {
        actions.push(format!("ADD PRIMARY KEY ({})", list(wanted.key)));
    }
    required(wanted, actual, &key)?;
    if actions.is_empty() {
        return Ok(Alteration::default());
    }
    // One statement: the server rewrites the table once.
    let statement = format!("ALTER TABLE {} {}", wanted.place.quoted(), actions.join(", "));
    let after = after(wanted, actual, &changes, &replaced, &key);
    Ok(Alteration { statements: vec![statement], rekeyed: key.add, after: Some(after) })
}

/// Names of the columns that are made anew; unless the stream starts over, a conflict is an error.
fn conflicts(
    wanted: &Wanted<'_>,
    actual: &ActualTable,
    changes: &[ColumnChange],
    known: &Known,
) -> Result<Vec<String>> {
    let mut replaced = Vec::new();
    for change in changes {
        let (index, why) = match change {
            ColumnChange::Conflict { wanted, .. } => (*wanted, "no type holds both without loss"),
            ColumnChange::Widen { wanted, .. } if !known.made => (*wanted, "tapster did not make this table"),
            ColumnChange::Widen { wanted: at, .. } => {
                let found = wanted.names.get(*at).and_then(|name| actual.column(name));
                let Some(why) = found.and_then(depends) else { continue };
                let Some(column) = wanted.columns.get(*at) else { continue };
                let hint = "drop the view, run again, and make the view anew";
                return Err(conflict(wanted, column, found, &why).with_hint(hint));
            }
            _ => continue,
        };
        let (Some(column), Some(name)) = (wanted.columns.get(index), wanted.names.get(index)) else {
            continue;
        };
        if !known.made || !known.start_over {
            return Err(conflict(wanted, column, actual.column(name), why).with_hint(if known.made {
                "`--full-refresh` for this stream makes the column anew; or alter it by hand, or exclude it"
            } else {
                "alter the column by hand, exclude it, or give the stream another table with `target_table`"
            }));
        }
        replaced.push(name.clone());
    }
    let generated =
        wanted.names.iter().find(|name| actual.column(name).is_some_and(|column| column.generated));
    match generated.filter(|name| !replaced.contains(name)) {
        None => Ok(replaced),
        Some(name) => Err(refusal::unloadable(format!(
            "column `{name}` of {} is written by the server alone (generated)",
            wanted.place
        ))
        .with_hint("exclude that column, or give the stream another table")),
    }
}

fn conflict(wanted: &Wanted<'_>, column: &Column, actual: Option<&TableColumn>, why: &str) -> TargetError {
    let (name, written) = actual.map_or(("", ""), |actual| (&actual.name, &actual.written));
    let sent = sql_type(&column.column_type);
    refusal::conflict(name, wanted.place, written, sent, why)
}

/// A column that the stream does not send and that may not be left out.
fn required(wanted: &Wanted<'_>, actual: &ActualTable, key: &KeyChange) -> Result<()> {
    let needed = actual.columns.iter().find(|column| {
        column.not_null
            && !column.has_default
            && !column.generated
            && !wanted.names.contains(&column.name)
            && !key.relaxed.contains(&column.name)
    });
    let Some(column) = needed else { return Ok(()) };
    let text =
        format!("column `{}` of {} is NOT NULL and the stream does not send it", column.name, wanted.place);
    Err(refusal::unloadable(text)
        .with_hint("give the column a default or let it be NULL, or give the stream another table"))
}

/// The part of an ALTER TABLE that one difference needs.
fn action(
    wanted: &Wanted<'_>,
    actual: &ActualTable,
    change: &ColumnChange,
    key: &KeyChange,
) -> Option<String> {
    let index = match change {
        ColumnChange::Add { wanted }
        | ColumnChange::Widen { wanted, .. }
        | ColumnChange::Relax { wanted }
        | ColumnChange::Conflict { wanted, .. } => *wanted,
    };
    let (column, name) = (wanted.columns.get(index)?, wanted.names.get(index)?);
    let quoted_name = quoted(name);
    match change {
        ColumnChange::Add { .. } | ColumnChange::Conflict { .. } => {
            Some(format!("ADD COLUMN {quoted_name} {}", sql_type(&column.column_type)))
        }
        ColumnChange::Widen { to, .. } => {
            let (from, to) = (actual.column(name)?.column_type.clone()?, sql_type(to));
            let using = cast(&quoted_name, &from, &to);
            Some(format!("ALTER COLUMN {quoted_name} TYPE {to} USING {using}"))
        }
        // A key's columns are never NULL.
        ColumnChange::Relax { .. } if key.kept.contains(name) || key.relaxed.contains(name) => None,
        ColumnChange::Relax { .. } => Some(format!("ALTER COLUMN {quoted_name} DROP NOT NULL")),
    }
}

/// What becomes of the primary key.
#[derive(Debug, Default)]
pub(crate) struct KeyChange {
    /// Constraint to drop.
    drop: Option<String>,
    pub(crate) add: bool,
    /// Columns that are no longer part of a key and may be NULL again.
    pub(crate) relaxed: Vec<String>,
    /// Columns of the primary key that stays.
    pub(crate) kept: Vec<String>,
}

impl KeyChange {
    fn new(wanted: &Wanted<'_>, actual: &ActualTable, old: Option<&[String]>, replaced: &[String]) -> Self {
        let primary = actual.primary_key.as_ref();
        // Dropping a column drops the key that it is part of.
        let broken = primary.is_some_and(|key| key.columns.iter().any(|name| replaced.contains(name)));
        let changed = old.is_some_and(|old| !same_names(old, wanted.key));
        let ours = primary.filter(|key| old.is_some_and(|old| same_names(old, &key.columns)));
        let dropped = ours.filter(|_| changed && !broken);
        let gone = broken || dropped.is_some();
        let kept = primary.filter(|_| !gone).map(|key| key.columns.clone()).unwrap_or_default();
        let left = primary.filter(|_| gone).map(|key| key.columns.as_slice()).unwrap_or_default();
        let relaxed = left.iter().filter(|name| !wanted.key.contains(name) && !replaced.contains(name));
        Self {
            drop: dropped.map(|key| key.constraint.clone()),
            add: !wanted.key.is_empty()
                && kept.is_empty()
                && (broken || (changed && !actual.is_unique(wanted.key))),
            relaxed: relaxed.cloned().collect(),
            kept,
        }
    }
}
