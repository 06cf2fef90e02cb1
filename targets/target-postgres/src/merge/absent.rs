//! Cells that did not come: they stay as the record before has them, be it staged, too, or in the table.

use target_api::sql::quoted;

use super::{Merge, ORDINAL};

/// Name of the staging column that lists which cells did not come.
pub(crate) const ABSENT_CELLS: &str = "a";

impl Merge<'_> {
    /// The statements that complete staged records by those of their key before them, back to the last delete.
    /// None where all cells came.
    pub(super) fn completed(&self, conditions: &str) -> Vec<String> {
        if self.absent.is_empty() {
            return Vec::new();
        }
        let staging = self.staging;
        let keys: Vec<String> = self.key_columns().map(|key| self.comparable(key, "")).collect();
        let keys = keys.join(", ");
        // What comes behind a delete is a new record, of which nothing is there.
        let (deletes, loaded) = match self.on_delete.column() {
            Some(at) => (
                format!("count(c{at}) OVER (PARTITION BY {keys} ORDER BY {ORDINAL})"),
                format!(" WHERE c{at} IS NULL"),
            ),
            None => ("0".to_owned(), String::new()),
        };
        let came = self.absent.iter().map(|at| {
            format!(", max({ORDINAL}) FILTER (WHERE ({at} = ANY ({ABSENT_CELLS})) IS NOT TRUE) AS o{at}")
        });
        let set = self.absent.iter().map(|at| {
            format!(
                "c{at} = CASE WHEN {at} = ANY (s.{ABSENT_CELLS}) \
                 THEN (SELECT e.c{at} FROM {staging} e WHERE e.{ORDINAL} = d.o{at}) ELSE s.c{at} END, "
            )
        });
        let still = self.absent.iter().map(|at| format!("CASE WHEN d.o{at} IS NULL THEN {at} END"));
        let still = still.collect::<Vec<_>>().join(", ");
        vec![
            format!("CREATE INDEX IF NOT EXISTS {} ON {staging} ({ORDINAL})", self.ordinals()),
            format!(
                "UPDATE {staging} s SET {}{ABSENT_CELLS} = CASE WHEN d.deletes = 0 \
                 THEN pg_catalog.array_remove(ARRAY[{still}]::bigint[], NULL) END \
                 FROM (SELECT max({ORDINAL}) AS last, deletes{} \
                 FROM (SELECT *, {deletes} AS deletes FROM {staging}{conditions}) r{loaded} \
                 GROUP BY {keys}, deletes HAVING count(*) > 1 OR deletes > 0) d \
                 WHERE s.{ORDINAL} = d.last AND s.{ABSENT_CELLS} IS NOT NULL",
                set.collect::<String>(),
                came.collect::<String>(),
            ),
        ]
    }

    /// Name of the index by which the completing record is found.
    fn ordinals(&self) -> String {
        let name = self.staging.rsplit('.').next().unwrap_or_default().trim_matches('"');
        quoted(&format!("{name}_{ORDINAL}"))
    }

    /// What a column of the table, `t`, becomes by a staged record, `s`: the value, unless no cell came.
    pub(super) fn kept(&self, index: usize, name: &str, value: String) -> String {
        if !self.absent.contains(&index) {
            return value;
        }
        let deleted = self.deleted.and_then(|at| self.names.get(at));
        let lives = deleted.map(|name| format!(" AND t.{} IS NULL", quoted(name))).unwrap_or_default();
        let name = quoted(name);
        format!("CASE WHEN {index} = ANY (s.{ABSENT_CELLS}){lives} THEN t.{name} ELSE {value} END")
    }
}
