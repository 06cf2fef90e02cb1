//! The statements that bring staged records into their table. The last record of a key wins, and the server's own
//! equality says which keys are one.

mod absent;

use std::collections::BTreeSet;

use columns::ColumnType;

use crate::actual::{ActualTable, TableColumn};
use crate::ddl::{cast_staged, list};
use crate::tables::Place;
use target_api::OnDelete;
use target_api::sql::quoted;

pub(crate) use absent::ABSENT_CELLS;

/// Name of the staging column that numbers the records in the order of their arrival.
pub(crate) const ORDINAL: &str = "o";

/// What is merged, and into what.
pub(crate) struct Merge<'a> {
    /// Staging table, quoted.
    pub(crate) staging: &'a str,
    /// Types of its columns, which are named `c0`, `c1`, …
    pub(crate) types: &'a [ColumnType],
    /// The table's column for each of them.
    pub(crate) names: &'a [String],
    /// Columns by which records are merged; empty when they are appended.
    pub(crate) key: &'a [String],
    /// Columns that a record which is replaced does not keep, with the staged column of the same property.
    pub(crate) retired: &'a [(usize, String)],
    /// The staged columns of which cells did not come, which stay as they are in a record that is there.
    pub(crate) absent: &'a BTreeSet<usize>,
    /// The staged column that says of a record in the table, too, whether it is deleted: then none of it stays.
    pub(crate) deleted: Option<usize>,
    /// What records do that are deletes; [`OnDelete::Load`] where there are none.
    pub(crate) on_delete: OnDelete,
    pub(crate) place: &'a Place,
    pub(crate) actual: &'a ActualTable,
}

impl Merge<'_> {
    /// The statements, in order. With `until` only records up to that number are merged.
    pub(crate) fn statements(&self, until: Option<u64>) -> Vec<String> {
        let until = until.map(|last| format!("{ORDINAL} <= {last}"));
        if self.key.is_empty() {
            let staged = format!("{}{}", self.staging, conditions(&[until]));
            return vec![format!("{} SELECT {} FROM {staged} s", self.insert(), self.values("s."))];
        }
        // A delete comes after the load of what was sent before it; what was sent after it is the last of its key.
        let loaded = self.on_delete.column().map(|column| format!("c{column} IS NULL"));
        let folded = self.folded(&conditions(&[until.clone(), loaded]));
        let mut statements = self.completed(&conditions(std::slice::from_ref(&until)));
        // An upsert's update does not see what was staged beside the values.
        if self.actual.is_unique(self.key) && self.absent.is_empty() {
            statements.push(self.upsert(&folded));
        } else {
            statements.extend(self.update_and_insert(&folded));
        }
        statements.extend(self.deletes(&self.folded(&conditions(&[until]))));
        statements
    }

    /// The statements that put the staged records in the place of those with their keys: for many of them quicker
    /// than an upsert, which looks each one up. They fail where a key came twice. `None` where somebody could tell the difference: a trigger, a foreign
    /// key, a number that the server gives each row, a column that the records do not have.
    pub(crate) fn replacement(&self) -> Option<Vec<String>> {
        let computed = |column: &TableColumn| column.generated && !column.identity;
        let whole = self.actual.columns.iter().all(|c| computed(c) || self.names.contains(&c.name));
        let plain = whole && self.actual.replaceable && !self.actual.watched;
        let values = self.on_delete == OnDelete::Load && self.absent.is_empty();
        if !plain || !values || !self.actual.is_unique(self.key) {
            return None;
        }
        let (staging, place) = (self.staging, self.place.quoted());
        Some(vec![
            // Without knowing how many keys there are, the planner takes the worst of ways.
            self.analyze(),
            format!("DELETE FROM {place} t USING {staging} s WHERE {}", self.matches()),
            format!("{} SELECT {} FROM {staging} s", self.insert(), self.values("s.")),
        ])
    }

    fn analyze(&self) -> String {
        let keys: Vec<String> = self.key_columns().map(|key| format!("c{key}")).collect();
        format!("ANALYZE {} ({})", self.staging, keys.join(", "))
    }

    /// What is done to the records whose last message of this staging is a delete.
    fn deletes(&self, folded: &str) -> Option<String> {
        let (place, matches) = (self.place.quoted(), self.matches());
        let last = |column: usize| format!("{matches} AND s.c{column} IS NOT NULL");
        match self.on_delete {
            OnDelete::Load => None,
            OnDelete::Remove { column } => {
                Some(format!("DELETE FROM {place} t USING {folded} s WHERE {}", last(column)))
            }
            OnDelete::Mark { column } => {
                let name = quoted(self.names.get(column)?);
                let value = self.value(column, "s.");
                Some(format!("UPDATE {place} t SET {name} = {value} FROM {folded} s WHERE {}", last(column)))
            }
        }
    }

    fn insert(&self) -> String {
        format!("INSERT INTO {} ({})", self.place.quoted(), list(self.names))
    }

    /// The staged columns as the types of the table's.
    fn values(&self, prefix: &str) -> String {
        let value = |index| self.value(index, prefix);
        (0..self.types.len()).map(value).collect::<Vec<_>>().join(", ")
    }

    fn value(&self, index: usize, prefix: &str) -> String {
        let staged = format!("{prefix}c{index}");
        let actual = self.names.get(index).and_then(|name| self.actual.column(name));
        match (self.types.get(index), actual) {
            (Some(column_type), Some(actual)) => cast_staged(&staged, column_type, actual),
            _ => staged,
        }
    }

    /// The last record of each key. Texts compare by their bytes, which is faster, unless the column's collation
    /// calls different ones equal.
    fn folded(&self, conditions: &str) -> String {
        let keys: Vec<String> = self.key_columns().map(|index| self.comparable(index, "")).collect();
        let keys = keys.join(", ");
        format!(
            "(SELECT DISTINCT ON ({keys}) * FROM {}{conditions} ORDER BY {keys}, {ORDINAL} DESC)",
            self.staging
        )
    }

    fn comparable(&self, index: usize, prefix: &str) -> String {
        let value = self.value(index, prefix);
        let actual = self.names.get(index).and_then(|name| self.actual.column(name));
        let Some(actual) = actual else { return value };
        match (&actual.collation, &actual.column_type) {
            (Some(collation), _) => format!("({value}) COLLATE {collation}"),
            (None, Some(ColumnType::Text)) => format!("({value}) COLLATE \"C\""),
            _ => value,
        }
    }

    fn key_columns(&self) -> impl Iterator<Item = usize> {
        self.key.iter().filter_map(|key| self.names.iter().position(|name| name == key))
    }

    /// The key's own columns are written, too: of two equal values that differ in form (1 and 1.0) the last wins.
    fn upsert(&self, folded: &str) -> String {
        let set = self.names.iter().map(|name| format!("{0} = excluded.{0}", quoted(name)));
        let set: Vec<String> = set.chain(self.emptied()).collect();
        format!(
            "{} SELECT {} FROM {folded} s ON CONFLICT ({}) DO UPDATE SET {}",
            self.insert(),
            self.values("s."),
            list(self.key),
            set.join(", ")
        )
    }

    /// What is there from before a column's type changed goes with the record that it belonged to.
    fn emptied(&self) -> impl Iterator<Item = String> {
        let there = self.retired.iter().filter(|(_, name)| self.actual.column(name).is_some());
        there.map(|(of, name)| format!("{} = {}", quoted(name), self.kept(*of, name, "NULL".to_owned())))
    }

    /// That a record of the table, `t`, has the key of a staged one, `s`.
    fn matches(&self) -> String {
        let equal = self
            .key_columns()
            .zip(self.key)
            .map(|(index, name)| format!("t.{} = {}", quoted(name), self.value(index, "s.")));
        equal.collect::<Vec<_>>().join(" AND ")
    }

    /// For a table without a unique index on the key, and for records that leave cells as they are: nobody else may
    /// write meanwhile.
    fn update_and_insert(&self, folded: &str) -> Vec<String> {
        let place = self.place.quoted();
        let set = self.names.iter().enumerate();
        let value = |index, name| self.kept(index, name, self.value(index, "s."));
        let set = set.map(|(index, name)| format!("{} = {}", quoted(name), value(index, name)));
        let set: Vec<String> = set.chain(self.emptied()).collect();
        let matches = self.matches();
        vec![
            format!("LOCK TABLE {place} IN SHARE ROW EXCLUSIVE MODE"),
            format!("ANALYZE {}", self.staging),
            format!("UPDATE {place} t SET {} FROM {folded} s WHERE {matches}", set.join(", ")),
            format!(
                "{} SELECT {} FROM {folded} s WHERE NOT EXISTS (SELECT FROM {place} t WHERE {matches})",
                self.insert(),
                self.values("s.")
            ),
        ]
    }
}

/// A WHERE of all conditions that there are.
fn conditions(all: &[Option<String>]) -> String {
    let all: Vec<&str> = all.iter().flatten().map(String::as_str).collect();
    if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) }
}

/// The statement that asks whether the table holds any record of this version; and the one that then removes the
/// records of older ones, or, given the column `_sdc_deleted_at`, marks them as deleted.
pub(crate) fn versions(
    place: &Place,
    column: &str,
    version: i64,
    mark: Option<&TableColumn>,
) -> (String, String) {
    let (place, column) = (place.quoted(), quoted(column));
    let older = format!("({column} IS NULL OR {column} < {version})");
    let change = match mark {
        None => format!("DELETE FROM {place} WHERE {older}"),
        Some(mark) => {
            let (name, kind) = (quoted(&mark.name), &mark.written);
            format!("UPDATE {place} SET {name} = now()::{kind} WHERE {older} AND {name} IS NULL")
        }
    };
    (format!("SELECT FROM {place} WHERE {column} = {version} LIMIT 1"), change)
}

#[cfg(test)]
mod tests;
