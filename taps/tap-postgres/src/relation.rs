//! What the server's catalog says of tables, views and the like: in four queries, however many there are.

use std::collections::HashMap;

use tap_sdk::TapError;
use tokio_postgres::types::Type;

use crate::column_type::ColumnType;
use crate::session::{Session, cell};
use crate::type_catalog::TypeCatalog;

/// A table or what is read like one.
#[derive(Debug)]
pub(crate) struct Relation {
    pub(crate) oid: u32,
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// As the server estimates it.
    pub(crate) rows: Option<i64>,
    /// Whether its pages, or those of its partitions, may be asked for: rights on columns alone do not allow it, nor does a
    /// policy of rows. None of a table that others inherit from.
    pub(crate) has_pages: bool,
    /// Whether USAGE on its schema is there.
    pub(crate) reachable: bool,
    pub(crate) columns: Vec<TableColumn>,
    /// The columns that identify a row, none of which may be null.
    pub(crate) key: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Table,
    Partitioned,
    View,
    MaterializedView,
    Foreign,
}

#[derive(Debug, Clone)]
pub(crate) struct TableColumn {
    pub(crate) name: String,
    /// In the server's words: `character varying(10)`.
    pub(crate) sql_type: String,
    pub(crate) column_type: ColumnType,
    /// Whether SELECT on it is there.
    pub(crate) readable: bool,
    /// Whether the server computes it, and its log does not have it.
    pub(crate) generated: bool,
}

impl Relation {
    /// `schema-table`, as the known taps have it.
    pub(crate) fn id(&self) -> String {
        format!("{}-{}", self.schema, self.name)
    }

    /// Whether anything of it can be read.
    pub(crate) fn is_readable(&self) -> bool {
        self.reachable && self.columns.iter().any(|column| column.readable)
    }

    pub(crate) fn is_view(&self) -> bool {
        matches!(self.kind, Kind::View | Kind::MaterializedView)
    }
}

/// Which relations.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// All of these schemas; of every schema when there are none.
    Schemas(&'a [String]),
    /// These, by schema and name.
    Named(&'a [(String, String)]),
}

const DOING: &str = "reading the catalog of tables";

// A partition's rows are its parent's. The names are compared as text, since a parameter of type `name` would be cut.
const RELATIONS: &str = "
SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text,
       CASE WHEN c.relkind = 'p' THEN (
         SELECT pg_catalog.sum(CASE WHEN k.reltuples < 0 THEN NULL ELSE k.reltuples END)
         FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class k ON k.oid = t.relid WHERE t.isleaf
       ) WHEN c.relkind IN ('r', 'm') AND c.reltuples >= 0 THEN c.reltuples END::float8,
       CASE WHEN NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN false
       WHEN c.relkind = 'p' THEN NOT pg_catalog.row_security_active(c.oid) AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class k ON k.oid = t.relid
         LEFT JOIN pg_catalog.pg_am m ON m.oid = k.relam
         WHERE t.isleaf AND (k.relkind <> 'r' OR m.amname <> 'heap' OR NOT pg_catalog.has_table_privilege(k.oid, 'SELECT')
           OR NOT pg_catalog.has_schema_privilege(k.relnamespace, 'USAGE') OR pg_catalog.row_security_active(k.oid)))
       ELSE c.relkind IN ('r', 'm') AND a.amname = 'heap'
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) END,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND CASE WHEN $3 THEN (n.nspname::text, c.relname::text) IN
        (SELECT * FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])))
      ELSE NOT c.relispartition AND (pg_catalog.cardinality($1) = 0 OR n.nspname::text = ANY ($1)) END
ORDER BY 2, 3";

const COLUMNS: &str = "
SELECT a.attrelid, a.attname::text, a.atttypid, a.atttypmod, a.attndims::int4,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'), a.attgenerated <> ''
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum";

// The primary key, else the replica identity, else the shortest unique index that covers no null. None of a table that
// others inherit from: their rows are read with its own, and no index spans both.
const KEYS: &str = "
SELECT DISTINCT ON (i.indrelid) i.indrelid, k.names
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
CROSS JOIN LATERAL (
  SELECT pg_catalog.array_agg(a.attname::text ORDER BY p.place) AS names, pg_catalog.bool_and(a.attnotnull) AS whole
  FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS p (attnum, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.attnum
  WHERE p.place <= i.indnkeyatts
) k
WHERE i.indrelid = ANY ($1) AND i.indisunique AND i.indisvalid AND i.indimmediate
  AND i.indpred IS NULL AND i.indexprs IS NULL AND k.whole
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class t ON t.oid = h.inhparent
                  WHERE h.inhparent = i.indrelid AND t.relkind = 'r')
ORDER BY i.indrelid, i.indisprimary DESC, i.indisreplident DESC, pg_catalog.cardinality(k.names), c.relname";

/// Asks for them, in the order of their names.
pub(crate) async fn relations(session: &Session, wanted: Wanted<'_>) -> Result<Vec<Relation>, TapError> {
    let (schemas, names): (Vec<&str>, Vec<&str>) = match wanted {
        Wanted::Schemas(schemas) => (schemas.iter().map(String::as_str).collect(), Vec::new()),
        Wanted::Named(pairs) => pairs.iter().map(|(schema, name)| (schema.as_str(), name.as_str())).unzip(),
    };
    let by_name = matches!(wanted, Wanted::Named(_));
    let parameters =
        [(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY), (&by_name as _, Type::BOOL)];
    let mut relations = Vec::new();
    for row in &session.query(DOING, RELATIONS, &parameters).await? {
        let rows: Option<f64> = cell(row, 4)?;
        relations.push(Relation {
            oid: cell(row, 0)?,
            schema: cell(row, 1)?,
            name: cell(row, 2)?,
            kind: kind(cell(row, 3)?),
            rows: rows.map(whole),
            has_pages: cell(row, 5)?,
            reachable: cell(row, 6)?,
            columns: Vec::new(),
            key: Vec::new(),
        });
    }
    let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
    let mut columns = columns(session, &oids).await?;
    let mut keys = keys(session, &oids).await?;
    for relation in &mut relations {
        relation.columns = columns.remove(&relation.oid).unwrap_or_default();
        let key = keys.remove(&relation.oid).unwrap_or_default();
        let readable =
            |name: &String| relation.columns.iter().any(|column| column.readable && column.name == *name);
        relation.key = if key.iter().all(readable) { key } else { Vec::new() };
    }
    Ok(relations)
}

async fn columns(session: &Session, oids: &Vec<u32>) -> Result<HashMap<u32, Vec<TableColumn>>, TapError> {
    let rows = session.query(DOING, COLUMNS, &[(oids, Type::OID_ARRAY)]).await?;
    let types = rows.iter().map(|row| cell(row, 2)).collect::<Result<Vec<u32>, _>>()?;
    let types = TypeCatalog::read(session, &types).await?;
    let mut columns: HashMap<u32, Vec<TableColumn>> = HashMap::new();
    for row in &rows {
        let column = TableColumn {
            name: cell(row, 1)?,
            column_type: types.column_type(cell(row, 2)?, cell(row, 3)?, cell(row, 4)?),
            sql_type: cell(row, 5)?,
            readable: cell(row, 6)?,
            generated: cell(row, 7)?,
        };
        columns.entry(cell(row, 0)?).or_default().push(column);
    }
    Ok(columns)
}

async fn keys(session: &Session, oids: &Vec<u32>) -> Result<HashMap<u32, Vec<String>>, TapError> {
    let rows = session.query(DOING, KEYS, &[(oids, Type::OID_ARRAY)]).await?;
    rows.iter().map(|row| Ok((cell(row, 0)?, cell(row, 1)?))).collect()
}

fn kind(letter: &str) -> Kind {
    match letter {
        "p" => Kind::Partitioned,
        "v" => Kind::View,
        "m" => Kind::MaterializedView,
        "f" => Kind::Foreign,
        _ => Kind::Table,
    }
}

/// The server keeps its estimate as a float.
#[expect(clippy::cast_possible_truncation, reason = "an estimate of rows is far below 2^63, and saturates")]
fn whole(rows: f64) -> i64 {
    rows.round() as i64
}
