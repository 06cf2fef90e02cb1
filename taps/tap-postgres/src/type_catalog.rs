//! `pg_type`: what domains and arrays are made of.

use std::collections::HashMap;

use tap_sdk::TapError;
use tokio_postgres::types::Type;

use crate::column_type::ColumnType;
use crate::session::{Session, cell};

/// The types that some columns have, with all that they are made of.
#[derive(Debug, Default)]
pub(crate) struct TypeCatalog(HashMap<u32, PgType>);

#[derive(Debug)]
enum PgType {
    Domain { base: u32, modifier: i32, dimensions: i32 },
    Array { item: u32, delimiter: i8 },
    Other,
}

const SQL: &str = "
WITH RECURSIVE used (oid) AS (
  SELECT DISTINCT wanted FROM pg_catalog.unnest($1::oid[]) AS wanted
  UNION
  SELECT CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END
  FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid
  WHERE t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0)
)
SELECT t.oid, t.typtype = 'd', t.typbasetype, t.typtypmod, t.typndims,
       t.typtype <> 'd' AND t.typcategory = 'A' AND t.typelem <> 0, t.typelem, t.typdelim
FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid";

impl TypeCatalog {
    /// Asks for the types of these numbers.
    pub(crate) async fn read(session: &Session, oids: &[u32]) -> Result<Self, TapError> {
        let oids = oids.to_vec();
        let rows = session.query("reading types", SQL, &[(&oids, Type::OID_ARRAY)]).await?;
        let mut types = HashMap::new();
        for row in &rows {
            let pg_type = if cell(row, 1)? {
                PgType::Domain { base: cell(row, 2)?, modifier: cell(row, 3)?, dimensions: cell(row, 4)? }
            } else if cell(row, 5)? {
                PgType::Array { item: cell(row, 6)?, delimiter: cell(row, 7)? }
            } else {
                PgType::Other
            };
            types.insert(cell(row, 0)?, pg_type);
        }
        Ok(Self(types))
    }

    /// How a column is read. `modifier` and `dimensions` are those of the column.
    pub(crate) fn column_type(&self, oid: u32, modifier: i32, dimensions: i32) -> ColumnType {
        let (oid, modifier, dimensions) = self.base(oid, modifier, dimensions);
        let Some(PgType::Array { item, delimiter }) = self.0.get(&oid) else {
            return ColumnType::scalar(oid, modifier);
        };
        let (item, item_modifier, _) = self.base(*item, modifier, 0);
        // A domain over an array, in an array: lists in lists of which the server knows one level only.
        if matches!(self.0.get(&item), Some(PgType::Array { .. })) {
            return ColumnType::as_text("text");
        }
        let depth = usize::try_from(dimensions).unwrap_or_default().max(1);
        let delimiter = u8::try_from(*delimiter).unwrap_or(b',');
        ColumnType::scalar(item, item_modifier).array(depth).delimited_by(delimiter)
    }

    /// A type without the domains around it, and its modifier.
    fn base(&self, mut oid: u32, mut modifier: i32, mut dimensions: i32) -> (u32, i32, i32) {
        while let Some(PgType::Domain { base, modifier: own, dimensions: deep }) = self.0.get(&oid) {
            oid = *base;
            modifier = if modifier == -1 { *own } else { modifier };
            dimensions = dimensions.max(*deep);
        }
        (oid, modifier, dimensions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_their_base_with_its_modifier() {
        let domain = |base, modifier, dimensions| PgType::Domain { base, modifier, dimensions };
        let array = |item| PgType::Array { item, delimiter: 44 };
        let types = TypeCatalog(HashMap::from([
            (1, domain(2, -1, 0)),
            (2, domain(1700, (9 << 16 | 2) + 4, 0)),
            (3, domain(1007, -1, 2)),
            (1007, array(23)),
            (4, array(1)),
            (5, array(3)),
        ]));
        let schema = |oid| types.column_type(oid, -1, 0).schema(true);
        assert!(schema(1).contains("\"numeric(9,2)\""));
        assert!(schema(3).contains("\"int64[][]\""));
        assert!(schema(4).contains("\"numeric(9,2)[]\""));
        assert!(schema(5).contains("\"text\""));
    }
}
