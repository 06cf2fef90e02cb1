//! What a table lacks. The target applies it.

use columns::{Column, ColumnType};

/// A column as the warehouse has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActualColumn {
    /// Its name.
    pub name: String,
    /// Its type in our words; `None` when it is none of ours.
    pub column_type: Option<ColumnType>,
    /// Its type in the warehouse's words, for people.
    pub written: String,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// One difference, in the order in which it is to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnChange {
    /// The column is not there.
    Add {
        /// Index among the wanted columns.
        wanted: usize,
    },
    /// Its type must become this one, which holds every value that is there and every one that comes.
    Widen {
        /// Index among the wanted columns.
        wanted: usize,
        /// The type that it becomes.
        to: ColumnType,
    },
    /// It must allow NULL.
    Relax {
        /// Index among the wanted columns.
        wanted: usize,
    },
    /// No type holds both without loss.
    Conflict {
        /// Index among the wanted columns.
        wanted: usize,
        /// The warehouse's type.
        actual: String,
    },
}

/// Compares the wanted columns, with their names at the warehouse, with the actual ones. `same` says whether two
/// column types are one type at this warehouse (where, say, text and json are the same).
#[must_use]
pub fn table_diff(
    wanted: &[Column],
    names: &[String],
    actual: &[ActualColumn],
    same: impl Fn(&ColumnType, &ColumnType) -> bool,
) -> Vec<ColumnChange> {
    let mut changes = Vec::new();
    for (index, (column, name)) in wanted.iter().zip(names).enumerate() {
        let Some(found) = actual.iter().find(|actual| &actual.name == name) else {
            changes.push(ColumnChange::Add { wanted: index });
            continue;
        };
        changes.extend(type_change(index, column, found, &same));
        if column.nullable && !found.nullable {
            changes.push(ColumnChange::Relax { wanted: index });
        }
    }
    changes
}

fn type_change(
    wanted: usize,
    column: &Column,
    found: &ActualColumn,
    same: &impl Fn(&ColumnType, &ColumnType) -> bool,
) -> Option<ColumnChange> {
    let conflict = ColumnChange::Conflict { wanted, actual: found.written.clone() };
    let Some(actual) = &found.column_type else { return Some(conflict) };
    if same(&column.column_type, actual) || column.column_type.widens_to(actual) {
        return None;
    }
    if actual.widens_to(&column.column_type) {
        return Some(ColumnChange::Widen { wanted, to: column.column_type.clone() });
    }
    let common = [ColumnType::UnboundedNumeric, ColumnType::Text];
    let common = common.into_iter().find(|to| actual.widens_to(to) && column.column_type.widens_to(to));
    Some(common.map_or(conflict, |to| ColumnChange::Widen { wanted, to }))
}

#[cfg(test)]
mod tests {
    use super::{ActualColumn, ColumnChange, table_diff};
    use columns::{Column, ColumnType};

    fn diff(wanted: ColumnType, actual: Option<ColumnType>) -> Vec<ColumnChange> {
        let wanted = [Column { name: "c".into(), column_type: wanted, nullable: true }];
        let actual =
            [ActualColumn { name: "c".into(), column_type: actual, written: "odd".into(), nullable: true }];
        table_diff(&wanted, &["c".to_owned()], &actual, |a, b| a == b)
    }

    #[test]
    fn tables_widen_but_never_narrow() {
        use ColumnType::{Bool, Int64, Json, Text, UnboundedNumeric};
        assert_eq!(diff(Int64, Some(UnboundedNumeric)), [], "a narrower record fits");
        assert_eq!(
            diff(UnboundedNumeric, Some(Int64)),
            [ColumnChange::Widen { wanted: 0, to: UnboundedNumeric }]
        );
        assert_eq!(diff(Bool, Some(Int64)), [ColumnChange::Widen { wanted: 0, to: Text }]);
        assert!(matches!(diff(Json, Some(Int64))[..], [ColumnChange::Conflict { .. }]));
        assert!(matches!(diff(Text, None)[..], [ColumnChange::Conflict { .. }]));
    }

    #[test]
    fn missing_columns_are_added_and_null_is_allowed() {
        let wanted = [
            Column { name: "a".into(), column_type: ColumnType::Text, nullable: true },
            Column { name: "b".into(), column_type: ColumnType::Text, nullable: false },
        ];
        let actual = [ActualColumn {
            name: "a".into(),
            column_type: Some(ColumnType::Text),
            written: "text".into(),
            nullable: false,
        }];
        let changes = table_diff(&wanted, &["a".into(), "b".into()], &actual, |a, b| a == b);
        assert_eq!(changes, [ColumnChange::Relax { wanted: 0 }, ColumnChange::Add { wanted: 1 }]);
    }
}
