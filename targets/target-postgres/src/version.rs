//! Columns that cannot become in place what comes: the property gets another column beside them, and nothing is
//! rounded, rewritten for hours, or lost.

use columns::ColumnType;
use target_api::{ColumnChange, GivenNames, Table, table_diff};

use crate::actual::{ActualTable, TableColumn};
use crate::config::Settings;
use crate::ddl::{Known, same, sql_type};
use crate::open::names_of;
use crate::target::IDENTIFIER;

/// Gives other columns to the properties that need one, and says so. Tables that somebody else made, and the columns
/// of keys, are left to be refused.
pub(crate) fn versions(
    table: &Table,
    actual: &ActualTable,
    known: &Known,
    settings: &Settings,
    given: &mut GivenNames,
) -> Vec<String> {
    if !known.made {
        return Vec::new();
    }
    let names = names_of(table, given);
    let columns = &table.schema.columns;
    let plain: Vec<_> = actual.columns.iter().map(TableColumn::plain).collect();
    let mut notes = Vec::new();
    for change in table_diff(columns, &names, &plain, same) {
        let (ColumnChange::Widen { wanted, .. } | ColumnChange::Conflict { wanted, .. }) = &change else {
            continue;
        };
        let (Some(column), Some(name)) = (columns.get(*wanted), names.get(*wanted)) else { continue };
        let Some(found) = actual.column(name) else { continue };
        let Some(why) = reason(&change, found, actual, known, settings.max_rewrite) else { continue };
        if table.schema.key_properties.contains(&column.name) {
            continue;
        }
        let new = given.version(&column.name, &column.column_type, &plain, IDENTIFIER);
        notes.push(format!(
            "column `{name}` stays {} because {why}: what comes as {} goes to `{new}`",
            found.written,
            sql_type(&column.column_type)
        ));
    }
    notes
}

/// Why the column cannot change in place.
fn reason(
    change: &ColumnChange,
    found: &TableColumn,
    actual: &ActualTable,
    known: &Known,
    most: u64,
) -> Option<String> {
    if let Some(why) = depends(found) {
        return Some(why);
    }
    match change {
        ColumnChange::Conflict { .. } if !known.start_over => {
            Some("no type holds both without loss".to_owned())
        }
        ColumnChange::Widen { to, .. }
            if !known.start_over && actual.bytes > most && rewrites(found.column_type.as_ref(), to) =>
        {
            Some(format!("the table has {} MiB and would be rewritten (`max_rewrite`)", actual.bytes >> 20))
        }
        _ => None,
    }
}

/// `the view a.v depends on it`.
pub(crate) fn depends(found: &TableColumn) -> Option<String> {
    match found.views.as_slice() {
        [] => None,
        [view] => Some(format!("the view {view} depends on it")),
        views => Some(format!("the views {} depend on it", views.join(", "))),
    }
}

/// Whether the server writes the whole table anew for this change of a type.
fn rewrites(from: Option<&ColumnType>, to: &ColumnType) -> bool {
    match (from, to) {
        (Some(ColumnType::Numeric { .. }), ColumnType::UnboundedNumeric) => false,
        (Some(ColumnType::Numeric { scale, .. }), ColumnType::Numeric { scale: wide, .. }) => scale != wide,
        _ => true,
    }
}
