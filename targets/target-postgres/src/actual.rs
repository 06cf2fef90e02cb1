//! A table as the server has it: columns with their types in our words, unique keys, and what hangs on it.

use columns::ColumnType;
use target_api::{ActualColumn, Result};
use tokio_postgres::types::Type;

use crate::connection::{Parameter, Session};
use crate::state::cell;
use crate::tables::Place;

/// A table of the server.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the server's catalog")]
pub(crate) struct ActualTable {
    /// `r` for a table, `p` for a partitioned one; others hold no records of ours.
    pub(crate) kind: String,
    pub(crate) columns: Vec<TableColumn>,
    /// Columns of each unique index that can decide what is a duplicate.
    pub(crate) unique: Vec<Vec<String>>,
    pub(crate) primary_key: Option<PrimaryKey>,
    /// Whether triggers, rules or row security look at each record, so that COPY would differ from INSERT.
    pub(crate) watched: bool,
    /// Whether TRUNCATE is allowed and possible.
    pub(crate) can_truncate: bool,
    /// Whether the role may alter it.
    pub(crate) owned: bool,
    /// Whether a record may be deleted and inserted again, and nobody sees that it was not updated: nothing refers to
    /// it and the role may delete.
    pub(crate) replaceable: bool,
    /// What it takes on the disk, without its indexes.
    pub(crate) bytes: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct PrimaryKey {
    pub(crate) constraint: String,
    pub(crate) columns: Vec<String>,
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the server's catalog")]
pub(crate) struct TableColumn {
    pub(crate) name: String,
    /// Its type as the server writes it.
    pub(crate) written: String,
    /// Its type in our words, when it holds the same values or fewer.
    pub(crate) column_type: Option<ColumnType>,
    /// Whether it is exactly the type that we would have made.
    pub(crate) exact: bool,
    pub(crate) not_null: bool,
    /// Whether a record may leave it out.
    pub(crate) has_default: bool,
    /// Whether the server alone writes it.
    pub(crate) generated: bool,
    /// Whether it numbers the rows: a row that is inserted again gets another number.
    pub(crate) identity: bool,
    /// Its collation, when that one calls different texts equal. Quoted.
    pub(crate) collation: Option<String>,
    /// The views that depend on it, as the server writes them: its type cannot be changed.
    pub(crate) views: Vec<String>,
}

const DOING: &str = "reading a table's definition";

const TABLE: &str = "SELECT c.oid, c.relkind::text, \
    c.relrowsecurity OR c.relhasrules OR EXISTS (SELECT FROM pg_catalog.pg_trigger t \
        WHERE t.tgrelid = c.oid AND NOT t.tgisinternal), \
    pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint f \
        WHERE f.confrelid = c.oid AND f.contype = 'f' AND f.conrelid <> c.oid), \
    pg_catalog.pg_has_role(c.relowner, 'USAGE'), pg_catalog.pg_table_size(c.oid), \
    c.relkind = 'r' AND pg_catalog.has_table_privilege(c.oid, 'DELETE') AND NOT EXISTS ( \
        SELECT FROM pg_catalog.pg_constraint f WHERE f.confrelid = c.oid AND f.contype = 'f') \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = $1 AND c.relname = $2";

const COLUMNS: &str = "SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), \
    CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE a.atttypid END, t.typcategory = 'A', a.atttypmod, \
    a.attnotnull, a.atthasdef OR a.attidentity <> '', a.attgenerated <> '' OR a.attidentity = 'a', \
    (SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname) \
     FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace \
     WHERE l.oid = a.attcollation AND NOT l.collisdeterministic), \
    ARRAY(SELECT DISTINCT r.ev_class::pg_catalog.regclass::text \
     FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid \
     WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass \
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass \
     AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND r.ev_class <> a.attrelid ORDER BY 1), \
    a.attidentity <> '' \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
    WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const UNIQUE: &str = "SELECT i.indimmediate, \
    (SELECT c.conname::text FROM pg_catalog.pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype = 'p'), \
    ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) \
          JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
          WHERE k.place <= i.indnkeyatts ORDER BY k.place) \
    FROM pg_catalog.pg_index i WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid \
    AND i.indpred IS NULL AND i.indexprs IS NULL";

impl ActualTable {
    /// Reads the definition; `None` when there is no such table.
    pub(crate) async fn read(session: &Session, place: &Place) -> Result<Option<Self>> {
        let name: [Parameter<'_>; 2] = [(&place.schema, Type::TEXT), (&place.table, Type::TEXT)];
        let tables = session.query(DOING, TABLE, &name).await?;
        let Some(table) = tables.first() else { return Ok(None) };
        let number: u32 = cell(table, 0)?;
        let number: [Parameter<'_>; 1] = [(&number, Type::OID)];
        let mut found = Self {
            kind: cell(table, 1)?,
            columns: Vec::new(),
            unique: Vec::new(),
            primary_key: None,
            watched: cell(table, 2)?,
            can_truncate: cell(table, 3)?,
            owned: cell(table, 4)?,
            bytes: cell::<i64>(table, 5)?.unsigned_abs(),
            replaceable: cell(table, 6)?,
        };
        for row in session.query(DOING, COLUMNS, &number).await? {
            let (item, is_array, modifier): (u32, bool, i32) =
                (cell(&row, 2)?, cell(&row, 3)?, cell(&row, 4)?);
            let vocabulary = vocabulary(item, modifier);
            let exact = vocabulary.as_ref().is_some_and(|(_, exact)| *exact);
            let column_type = vocabulary.map(|(column_type, _)| column_type);
            found.columns.push(TableColumn {
                name: cell(&row, 0)?,
                written: cell(&row, 1)?,
                column_type: if is_array {
                    column_type.map(|item| ColumnType::Array(Box::new(item)))
                } else {
                    column_type
                },
                exact,
                not_null: cell(&row, 5)?,
                has_default: cell(&row, 6)?,
                generated: cell(&row, 7)?,
                collation: cell(&row, 8)?,
                views: cell(&row, 9)?,
                identity: cell(&row, 10)?,
            });
        }
        for row in session.query(DOING, UNIQUE, &number).await? {
            let (immediate, constraint, columns): (bool, Option<String>, Vec<String>) =
                (cell(&row, 0)?, cell(&row, 1)?, cell(&row, 2)?);
            if immediate {
                found.unique.push(columns.clone());
            }
            found.primary_key =
                found.primary_key.or(constraint.map(|constraint| PrimaryKey { constraint, columns }));
        }
        Ok(Some(found))
    }

    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether an index decides that two records have the same key.
    pub(crate) fn is_unique(&self, key: &[String]) -> bool {
        !key.is_empty() && self.unique.iter().any(|columns| same_names(columns, key))
    }
}

impl TableColumn {
    /// For [`target_api::table_diff`].
    pub(crate) fn plain(&self) -> ActualColumn {
        ActualColumn {
            name: self.name.clone(),
            column_type: self.column_type.clone(),
            written: self.written.clone(),
            nullable: !self.not_null,
        }
    }
}

/// Whether both name the same columns, in whatever order.
pub(crate) fn same_names(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}

/// A built-in type in our words, and whether it is the one that we make. Types that would round or cut a value in
/// silence (`real`, `varchar(n)`, `timestamp(3)`) are none of ours; `integer` refuses what does not fit.
fn vocabulary(number: u32, modifier: i32) -> Option<(ColumnType, bool)> {
    use ColumnType as T;
    // Six digits of a second are all that there are.
    let full_time = modifier == -1 || modifier == 6;
    let plain = |column_type, exact| (modifier == -1).then_some((column_type, exact));
    match number {
        16 => plain(T::Bool, true),
        20 => plain(T::Int64, true),
        21 | 23 => plain(T::Int64, false),
        25 => plain(T::Text, true),
        1043 => plain(T::Text, false),
        701 => plain(T::Float64, true),
        17 => plain(T::Binary, true),
        2950 => plain(T::Uuid, true),
        3802 => plain(T::Json, true),
        114 => plain(T::Json, false),
        1186 => plain(T::Interval, true),
        1082 => plain(T::Date, true),
        1083 if full_time => Some((T::Time, true)),
        1266 if full_time => Some((T::TimeTz, true)),
        1114 if full_time => Some((T::Timestamp, true)),
        1184 if full_time => Some((T::TimestampTz, true)),
        1700 if modifier == -1 => Some((T::UnboundedNumeric, true)),
        1700 => {
            let packed = modifier - 4;
            // Scale has eleven bits with a sign since version 15.
            let scale = u8::try_from(((packed & 0x7FF) ^ 0x400) - 0x400).ok()?;
            let precision =
                u8::try_from((packed >> 16) & 0xFFFF).ok().filter(|precision| *precision >= scale)?;
            Some((T::Numeric { precision, scale }, true))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::vocabulary;
    use columns::ColumnType;

    #[test]
    fn numeric_modifiers_are_unpacked() {
        let modifier = |precision: i32, scale: i32| ((precision << 16) | (scale & 0x7FF)) + 4;
        let numeric = |precision, scale| Some((ColumnType::Numeric { precision, scale }, true));
        assert_eq!(vocabulary(1700, modifier(10, 2)), numeric(10, 2));
        assert_eq!(vocabulary(1700, modifier(38, 38)), numeric(38, 38));
        assert_eq!(vocabulary(1700, modifier(5, -2)), None, "rounds before the point");
        assert_eq!(vocabulary(1700, modifier(1000, 2)), None);
        assert_eq!(vocabulary(1114, 3), None, "would round microseconds");
        assert_eq!(vocabulary(1043, 14), None, "would cut blanks");
    }
}
