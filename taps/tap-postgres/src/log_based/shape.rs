//! What a table looks like, and what follows when it looks otherwise than it did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::log_based::message::Shown;

/// A table as its bookmark remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// The server's own number, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) system: Option<i64>,
    pub(super) table: u32,
    /// Its file: another one has all rows written anew, which no log says.
    pub(super) file: u32,
    /// The files of its partitions, by their numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) partitions: BTreeMap<u32, u32>,
    /// The entries of the catalog by which its changes are published, and the tables that they are of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) published: Vec<(u32, u32)>,
    /// The greatest number that a column has had.
    pub(super) last: i16,
    pub(super) keys: Vec<String>,
    pub(super) columns: BTreeMap<String, Attribute>,
}

/// Number, type, modifier of the type; whether the stream has it; whether rows older than the column may have a value;
/// the transaction that last changed what the catalog says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attribute(
    pub(super) i16,
    pub(super) u32,
    pub(super) i32,
    pub(super) bool,
    pub(super) bool,
    #[serde(default)] pub(super) i64,
);

/// What a change of the table asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// A new SCHEMA.
    Columns,
    /// All rows once more, for this reason.
    Rows(String),
}

impl Shape {
    pub(super) fn table(&self) -> u32 {
        self.table
    }

    /// The partitions that it has and did not have before.
    pub(super) fn new_partitions(&self, before: &Self) -> Vec<u32> {
        self.partitions.keys().filter(|at| !before.partitions.contains_key(at)).copied().collect()
    }

    /// What follows when the table looks like `now`.
    pub(super) fn change_to(&self, now: &Self) -> Change {
        let rows = |reason: &str| Change::Rows(reason.to_owned());
        if self.table != now.table {
            return rows("the table was dropped and made anew");
        }
        // A table that is published again has another entry.
        let is_dropped =
            |table: &u32| self.partitions.contains_key(table) && !now.partitions.contains_key(table);
        if self.published.iter().any(|entry| !now.published.contains(entry) && !is_dropped(&entry.0)) {
            return rows("it was not published for a while");
        }
        if self.keys != now.keys {
            return rows("the stream has another key");
        }
        let is_rewritten = self.file != now.file
            || self.partitions.iter().any(|(at, file)| now.partitions.get(at).is_some_and(|now| now != file));
        for (name, column) in now.columns.iter().filter(|(_, column)| column.3) {
            let Attribute(number, type_oid, modifier, _, has_value, changed) = *column;
            let Some(before) = self.columns.get(name) else {
                if number <= self.last {
                    return rows(&format!("a column was renamed to `{name}`"));
                }
                if has_value || is_rewritten {
                    return rows(&format!("the new column `{name}` may have a value in old rows"));
                }
                continue;
            };
            if before.0 != number {
                return rows(&format!("the column `{name}` was dropped and made anew"));
            }
            if !before.3 {
                return rows(&format!("the column `{name}` is selected now"));
            }
            if before.1 != type_oid || (before.2 != modifier && is_rewritten) {
                return rows(&format!("the column `{name}` changed its type"));
            }
            // ALTER COLUMN … TYPE … USING may give all rows other values of the same type.
            if is_rewritten && before.5 != changed {
                return rows(&format!("the table was rewritten and the column `{name}` altered"));
            }
        }
        let selected = |shape: &Self| -> Vec<(String, i32)> {
            let columns = shape.columns.iter().filter(|(_, column)| column.3);
            columns.map(|(name, column)| (name.clone(), column.2)).collect()
        };
        if selected(self) == selected(now) { Change::None } else { Change::Columns }
    }

    /// Whether a row of the log has these columns, no others, and of these types.
    pub(super) fn is_as_shown(&self, shown: &Shown) -> bool {
        shown.columns.len() == self.columns.len()
            && shown.columns.iter().all(|column| {
                let known = self.columns.get(&column.name);
                known.is_some_and(|known| (known.1, known.2) == (column.type_oid, column.modifier))
            })
    }

    /// Whether a column of the log has the type that it has here.
    pub(super) fn has_type(&self, name: &str, type_oid: u32) -> bool {
        self.columns.get(name).is_none_or(|column| column.1 == type_oid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(columns: &[(&str, i16, u32, i32, bool, bool)]) -> Shape {
        let attribute = |column: &(&str, i16, u32, i32, bool, bool)| {
            (column.0.to_owned(), Attribute(column.1, column.2, column.3, column.4, column.5, 700))
        };
        let last = columns.iter().map(|column| column.1).max().unwrap();
        Shape {
            system: None,
            table: 1,
            file: 1,
            partitions: BTreeMap::new(),
            published: vec![(1, 7)],
            last,
            keys: vec!["id".to_owned()],
            columns: columns.iter().map(attribute).collect(),
        }
    }

    #[test]
    fn only_what_the_log_does_not_say_is_read_again() {
        let id = ("id", 1, 23, -1, true, true);
        let before = shape(&[id, ("a", 2, 1043, 9, true, false), ("b", 3, 25, -1, false, false)]);
        let change = |columns: &[(&str, i16, u32, i32, bool, bool)]| before.change_to(&shape(columns));
        let (a, b) = (("a", 2, 1043, 9, true, false), ("b", 3, 25, -1, false, false));
        assert_eq!(change(&[id, a, b]), Change::None);
        assert_eq!(change(&[id, a, b, ("c", 4, 25, -1, true, false)]), Change::Columns);
        assert_eq!(change(&[id, b]), Change::Columns);
        assert_eq!(change(&[id, ("a", 2, 1043, 19, true, false), b]), Change::Columns);
        for (other, word) in [
            (vec![id, a, b, ("c", 4, 25, -1, true, true)], "old rows"),
            (vec![id, ("x", 2, 1043, 9, true, false), b], "renamed"),
            (vec![id, ("a", 4, 1043, 9, true, false), b], "anew"),
            (vec![id, a, ("b", 3, 25, -1, true, false)], "selected"),
            (vec![id, ("a", 2, 25, -1, true, false), b], "type"),
        ] {
            let Change::Rows(reason) = change(&other) else { panic!("{word}") };
            assert!(reason.contains(word), "{reason}");
        }
    }

    #[test]
    fn a_rewritten_table_is_read_again_where_a_value_may_be_another() {
        let id = ("id", 1, 23, -1, true, false);
        let before = shape(&[id, ("a", 2, 1700, 9, true, false)]);
        let now = |columns: &[(&str, i16, u32, i32, bool, bool)]| Shape { file: 2, ..shape(columns) };
        assert_eq!(before.change_to(&now(&[id, ("a", 2, 1700, 9, true, false)])), Change::None);
        let mut altered = now(&[id, ("a", 2, 1700, 9, true, false)]);
        altered.columns.get_mut("a").unwrap().5 = 701;
        assert!(matches!(before.change_to(&altered), Change::Rows(_)));
        altered.file = 1;
        assert_eq!(before.change_to(&altered), Change::None, "no row has another value");
        for columns in [
            vec![id, ("a", 2, 1700, 8, true, false)],
            vec![id, ("a", 2, 1700, 9, true, false), ("c", 3, 25, -1, true, false)],
        ] {
            assert!(matches!(before.change_to(&now(&columns)), Change::Rows(_)));
        }
    }
}
