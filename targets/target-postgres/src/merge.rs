//! The statements that bring staged records into their table. The last record of a key wins, and the server's own
//! equality says which keys are one.

use columns::ColumnType;

use crate::actual::ActualTable;
use crate::ddl::{cast_staged, list};
use crate::tables::Place;
use target_api::sql::quoted;

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
    pub(crate) place: &'a Place,
    pub(crate) actual: &'a ActualTable,
}

impl Merge<'_> {
    /// The statements, in order. With `until` only records up to that number are merged.
    pub(crate) fn statements(&self, until: Option<u64>) -> Vec<String> {
        let until = until.map(|last| format!(" WHERE {ORDINAL} <= {last}")).unwrap_or_default();
        if self.key.is_empty() {
            let staged = format!("{}{until}", self.staging);
            return vec![format!("{} SELECT {} FROM {staged} s", self.insert(), self.values("s."))];
        }
        let folded = self.folded(&until);
        if self.actual.is_unique(self.key) {
            vec![self.upsert(&folded)]
        } else {
            self.update_and_insert(&folded)
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
    fn folded(&self, until: &str) -> String {
        let keys: Vec<String> = self.key_columns().map(|index| self.comparable(index, "")).collect();
        let keys = keys.join(", ");
        format!(
            "(SELECT DISTINCT ON ({keys}) * FROM {}{until} ORDER BY {keys}, {ORDINAL} DESC)",
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
        let set: Vec<String> =
            self.names.iter().map(|name| format!("{0} = excluded.{0}", quoted(name))).collect();
        format!(
            "{} SELECT {} FROM {folded} s ON CONFLICT ({}) DO UPDATE SET {}",
            self.insert(),
            self.values("s."),
            list(self.key),
            set.join(", ")
        )
    }

    /// For a table without a unique index on the key: nobody else may write meanwhile.
    fn update_and_insert(&self, folded: &str) -> Vec<String> {
        let place = self.place.quoted();
        let set: Vec<String> = self
            .names
            .iter()
            .enumerate()
            .map(|(index, name)| format!("{} = {}", quoted(name), self.value(index, "s.")))
            .collect();
        let matches: Vec<String> = self
            .key_columns()
            .zip(self.key)
            .map(|(index, name)| format!("t.{} = {}", quoted(name), self.value(index, "s.")))
            .collect();
        let matches = matches.join(" AND ");
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

/// The statement that removes the records of older versions, if the table holds any of this one; and the one that
/// asks whether it does.
pub(crate) fn versions(place: &Place, column: &str, version: i64) -> (String, String) {
    let (place, column) = (place.quoted(), quoted(column));
    (
        format!("SELECT FROM {place} WHERE {column} = {version} LIMIT 1"),
        format!("DELETE FROM {place} WHERE {column} IS NULL OR {column} < {version}"),
    )
}
