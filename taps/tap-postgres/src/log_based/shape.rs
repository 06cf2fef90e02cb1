//! What a table looks like, and what follows when it looks otherwise than it did.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use tap_sdk::TapError;
use tokio_postgres::types::Type;

use crate::log_based::message::Shown;
use crate::plan::StreamPlan;
use crate::session::{Session, cell};

/// A table as its bookmark remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    table: u32,
    /// Its file: another one has all rows written anew, which no log says.
    file: u32,
    /// The files of its partitions, by their numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    partitions: BTreeMap<u32, u32>,
    /// The greatest number that a column has had.
    last: i16,
    keys: Vec<String>,
    columns: BTreeMap<String, Attribute>,
}

/// Number, type, modifier of the type; whether the stream has it; whether rows older than the column may have a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Attribute(i16, u32, i32, bool, bool);

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

/// What `LOG_BASED` must know of a table.
#[derive(Debug)]
pub(crate) struct Logged {
    pub(super) shape: Shape,
    /// The columns that an update or delete tells the old values of; `None`: all.
    identity: Option<Vec<String>>,
    has_children: bool,
    is_permanent: bool,
}

const TABLES: &str = "
SELECT c.oid, COALESCE(pg_catalog.pg_relation_filenode(c.oid), 0), c.relnatts, c.relreplident = 'f',
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])
             WHERE i.indrelid = c.oid AND CASE c.relreplident
               WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END),
       c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid),
       c.relpersistence = 'p'
FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1)";

// A partitioned table's own columns do not say what the rows of its partitions have.
const COLUMNS: &str = "
SELECT a.attrelid, a.attname::text, a.attnum, a.atttypid, a.atttypmod,
       a.atthasdef OR a.atthasmissing OR a.attidentity <> '' OR EXISTS (
         SELECT FROM pg_catalog.pg_partition_tree(a.attrelid) t
         JOIN pg_catalog.pg_attribute p ON p.attrelid = t.relid AND p.attname = a.attname
         WHERE p.atthasmissing)
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''";

const PARTITIONS: &str = "
SELECT c.oid, t.relid::oid, COALESCE(pg_catalog.pg_relation_filenode(t.relid), 0)
FROM pg_catalog.pg_class c CROSS JOIN pg_catalog.pg_partition_tree(c.oid) t
WHERE c.oid = ANY ($1) AND c.relkind = 'p' AND t.isleaf AND t.relid <> c.oid";

/// Asks for the tables of these plans.
pub(super) async fn logged(session: &Session, plans: &[&StreamPlan]) -> Result<Vec<Logged>, TapError> {
    const DOING: &str = "reading the catalog of tables";
    let oids: Vec<u32> = plans.iter().filter_map(|plan| plan.logged).collect();
    let rows = session.query(DOING, COLUMNS, &[(&oids, Type::OID_ARRAY)]).await?;
    let mut columns: HashMap<u32, BTreeMap<String, Attribute>> = HashMap::new();
    for row in &rows {
        let attribute = Attribute(cell(row, 2)?, cell(row, 3)?, cell(row, 4)?, false, cell(row, 5)?);
        columns.entry(cell(row, 0)?).or_default().insert(cell(row, 1)?, attribute);
    }
    let rows = session.query(DOING, PARTITIONS, &[(&oids, Type::OID_ARRAY)]).await?;
    let mut partitions: HashMap<u32, BTreeMap<u32, u32>> = HashMap::new();
    for row in &rows {
        partitions.entry(cell(row, 0)?).or_default().insert(cell(row, 1)?, cell(row, 2)?);
    }
    let rows = session.query(DOING, TABLES, &[(&oids, Type::OID_ARRAY)]).await?;
    let mut tables = HashMap::new();
    for row in &rows {
        tables.insert(cell::<u32>(row, 0)?, row);
    }
    let mut logged = Vec::with_capacity(plans.len());
    for plan in plans {
        let table = plan.logged.unwrap_or_default();
        let row = tables
            .get(&table)
            .ok_or_else(|| TapError::temporary(format!("{}: its table is being changed", plan.id)))?;
        let mut columns = columns.get(&table).cloned().unwrap_or_default();
        for column in &plan.columns {
            if let Some(attribute) = columns.get_mut(&column.name) {
                attribute.3 = true;
            }
        }
        let shape = Shape {
            table,
            file: cell(row, 1)?,
            partitions: partitions.remove(&table).unwrap_or_default(),
            last: cell(row, 2)?,
            keys: plan.keys.clone(),
            columns,
        };
        let shows_all: bool = cell(row, 3)?;
        let identity: Vec<String> = cell(row, 4)?;
        logged.push(Logged {
            shape,
            identity: (!shows_all).then_some(identity),
            has_children: cell(row, 5)?,
            is_permanent: cell(row, 6)?,
        });
    }
    Ok(logged)
}

impl Logged {
    /// Whether its changes can be told.
    pub(super) fn require(&self, plan: &StreamPlan) -> Result<(), TapError> {
        let id = &plan.id;
        if !self.is_permanent {
            return Err(TapError::config(format!("`{id}` is LOG_BASED and its table is unlogged"))
                .with_hint(format!(
                    "ALTER TABLE {} SET LOGGED, or choose another replication method",
                    plan.from
                )));
        }
        if self.has_children {
            return Err(TapError::config(format!(
                "`{id}` is LOG_BASED and other tables inherit from its table: their changes are logged as their own"
            ))
            .with_hint("choose FULL_TABLE"));
        }
        let Some(identity) = &self.identity else { return Ok(()) };
        match plan.keys.iter().find(|key| !identity.contains(key)) {
            None => Ok(()),
            Some(key) => Err(without_identity(plan, key)),
        }
    }
}

/// Deletes do not say the value of a column of the key.
pub(super) fn without_identity(plan: &StreamPlan, key: &str) -> TapError {
    let (id, from) = (&plan.id, &plan.from);
    TapError::config(format!("`{id}` is LOG_BASED, and its log does not say `{key}`, a column of the key, of rows that are deleted"))
        .with_hint(format!(
            "ALTER TABLE {from} REPLICA IDENTITY FULL, or USING INDEX a unique index of the key; or let the stream have the table's primary key"
        ))
}

impl Shape {
    pub(super) fn table(&self) -> u32 {
        self.table
    }

    /// What follows when the table looks like `now`.
    pub(super) fn change_to(&self, now: &Self) -> Change {
        let rows = |reason: &str| Change::Rows(reason.to_owned());
        if self.table != now.table {
            return rows("the table was dropped and made anew");
        }
        if self.keys != now.keys {
            return rows("the stream has another key");
        }
        let is_rewritten = self.file != now.file
            || self.partitions.iter().any(|(at, file)| now.partitions.get(at).is_some_and(|now| now != file));
        for (name, column) in now.columns.iter().filter(|(_, column)| column.3) {
            let Attribute(number, type_oid, modifier, _, has_value) = *column;
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
            (column.0.to_owned(), Attribute(column.1, column.2, column.3, column.4, column.5))
        };
        let last = columns.iter().map(|column| column.1).max().unwrap();
        Shape {
            table: 1,
            file: 1,
            partitions: BTreeMap::new(),
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
        for columns in [
            vec![id, ("a", 2, 1700, 8, true, false)],
            vec![id, ("a", 2, 1700, 9, true, false), ("c", 3, 25, -1, true, false)],
        ] {
            assert!(matches!(before.change_to(&now(&columns)), Change::Rows(_)));
        }
    }
}
