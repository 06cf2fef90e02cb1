//! What a table will be once a planned statement has run: a later schema of the same epoch is compared with that.

use columns::ColumnType;
use target_api::ColumnChange;

use crate::actual::{ActualTable, PrimaryKey, TableColumn, same_names};
use crate::ddl::{KeyChange, Wanted, sql_type};

/// The table after the changes.
pub(crate) fn after(
    wanted: &Wanted<'_>,
    actual: &ActualTable,
    changes: &[ColumnChange],
    replaced: &[String],
    key: &KeyChange,
) -> ActualTable {
    let mut after = actual.clone();
    after.columns.retain(|column| !replaced.contains(&column.name));
    for change in changes {
        let (ColumnChange::Add { wanted: index }
        | ColumnChange::Widen { wanted: index, .. }
        | ColumnChange::Relax { wanted: index }
        | ColumnChange::Conflict { wanted: index, .. }) = change;
        let (Some(column), Some(name)) = (wanted.columns.get(*index), wanted.names.get(*index)) else {
            continue;
        };
        match change {
            ColumnChange::Add { .. } | ColumnChange::Conflict { .. } => {
                after.columns.push(made(name, &column.column_type));
            }
            ColumnChange::Widen { to, .. } => {
                if let Some(column) = after.columns.iter_mut().find(|column| column.name == *name) {
                    retype(column, to);
                }
            }
            ColumnChange::Relax { .. } if key.kept.contains(name) => {}
            ColumnChange::Relax { .. } => {
                if let Some(column) = after.columns.iter_mut().find(|column| column.name == *name) {
                    column.not_null = false;
                }
            }
        }
    }
    change_key(&mut after, wanted, key);
    after
}

fn change_key(after: &mut ActualTable, wanted: &Wanted<'_>, key: &KeyChange) {
    if let Some(old) = after.primary_key.take_if(|_| key.kept.is_empty()) {
        after.unique.retain(|columns| !same_names(columns, &old.columns));
    }
    for column in after.columns.iter_mut().filter(|column| key.relaxed.contains(&column.name)) {
        column.not_null = false;
    }
    if key.add {
        after.unique.push(wanted.key.to_vec());
        let constraint = format!("{}_pkey", wanted.place.table);
        after.primary_key = Some(PrimaryKey { constraint, columns: wanted.key.to_vec() });
        for column in after.columns.iter_mut().filter(|column| wanted.key.contains(&column.name)) {
            column.not_null = true;
        }
    }
}

fn retype(column: &mut TableColumn, to: &ColumnType) {
    column.written = sql_type(to);
    column.column_type = Some(to.clone());
    column.exact = true;
}

fn made(name: &str, column_type: &ColumnType) -> TableColumn {
    TableColumn {
        name: name.to_owned(),
        written: sql_type(column_type),
        column_type: Some(column_type.clone()),
        exact: true,
        not_null: false,
        has_default: false,
        generated: false,
        identity: false,
        collation: None,
        views: Vec::new(),
    }
}
