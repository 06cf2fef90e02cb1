//! The publication: which tables the plugin tells of. The tap's sessions are read-only, so people make it.

use std::collections::HashMap;

use tap_sdk::{TapError, log};
use tokio_postgres::types::Type;

use crate::plan::StreamPlan;
use crate::session::{Session, cell};
use crate::statement::quoted;

const DOING: &str = "looking for the publication";

// A partitioned table is told of by its own name or by those of its partitions. The names are looked up in the catalog,
// since `to_regclass` raises an error where the role may not use a schema.
const MISSING: &str = "
WITH told AS (
  SELECT k.oid FROM pg_catalog.pg_publication_tables t
  JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname
  JOIN pg_catalog.pg_class k ON k.relnamespace = n.oid AND k.relname = t.tablename
  WHERE t.pubname::text = $1)
SELECT c.oid FROM pg_catalog.unnest($2::oid[]) AS c (oid)
WHERE NOT EXISTS (SELECT FROM told WHERE told.oid = c.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
    WHERE p.pubname::text = $1 AND r.prrelid = c.oid)
  AND (NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf AND t.relid <> c.oid)
    OR EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid) l WHERE l.isleaf AND l.relid <> c.oid
      AND NOT EXISTS (SELECT FROM told WHERE told.oid = l.relid)))";

// Where a table, one of its partitions or its schema is added. `pg_publication_namespace` comes with version 15.
const ENTRIES: &str = "
SELECT c.oid, e.relation, e.entry
FROM pg_catalog.unnest($2::oid[]) AS c (oid) JOIN pg_catalog.pg_publication p ON p.pubname::text = $1
CROSS JOIN LATERAL (
  SELECT c.oid AS relation, p.oid AS entry WHERE p.puballtables
  UNION ALL SELECT r.prrelid, r.oid FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid AND (r.prrelid = c.oid
    OR r.prrelid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t))
) AS e";
const OF_SCHEMAS: &str = "
UNION ALL SELECT c.oid, c.oid, n.oid FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_publication_namespace n ON n.pnnspid = c.relnamespace
JOIN pg_catalog.pg_publication p ON p.oid = n.pnpubid
WHERE p.pubname::text = $1 AND c.oid = ANY ($2)";
const SCHEMAS_SINCE: i32 = 150_000;

/// The entries of the catalog by which it tells of each of these tables: table or partition, and entry.
pub(super) async fn entries(
    session: &Session,
    name: &str,
    tables: &Vec<u32>,
) -> Result<HashMap<u32, Vec<(u32, u32)>>, TapError> {
    let version = "SELECT pg_catalog.current_setting('server_version_num')::int4";
    let version = session.query(DOING, version, &[]).await?.first().map_or(Ok(0), |row| cell(row, 0))?;
    let schemas = if version >= SCHEMAS_SINCE { OF_SCHEMAS } else { "" };
    let sql = format!("{ENTRIES}{schemas} ORDER BY 1, 2, 3");
    let mut entries: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
    for row in &session.query(DOING, &sql, &[(&name, Type::TEXT), (tables, Type::OID_ARRAY)]).await? {
        entries.entry(cell(row, 0)?).or_default().push((cell(row, 1)?, cell(row, 2)?));
    }
    Ok(entries)
}

/// Warns of kinds of changes that it does not tell.
pub(super) async fn warn(session: &Session, name: &str) -> Result<(), TapError> {
    let sql = "SELECT pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_catalog.pg_publication WHERE pubname::text = $1";
    let rows = session.query(DOING, sql, &[(&name, Type::TEXT)]).await?;
    let place = session.place();
    for row in &rows {
        for (column, what) in ["insert", "update", "delete", "truncate"].into_iter().enumerate() {
            if !cell::<bool>(row, column)? {
                log::warning(&format!(
                    "the publication `{name}` at {place} does not publish {what}: the copy will differ"
                ));
            }
        }
    }
    Ok(())
}

/// Whether it is there and has all these tables.
pub(super) async fn require(session: &Session, name: &str, plans: &[&StreamPlan]) -> Result<(), TapError> {
    let sql = "SELECT FROM pg_catalog.pg_publication WHERE pubname::text = $1";
    let rows = session.query(DOING, sql, &[(&name, Type::TEXT)]).await?;
    let (place, publication) = (session.place(), quoted(name));
    if rows.is_empty() {
        let tables: Vec<_> = plans.iter().map(|plan| plan.from.as_str()).collect();
        return Err(TapError::config(format!("there is no publication `{name}` at {place}"))
            .with_hint(format!("CREATE PUBLICATION {publication} FOR TABLE {}", tables.join(", "))));
    }
    let oids: Vec<u32> = plans.iter().filter_map(|plan| plan.logged).collect();
    let rows = session.query(DOING, MISSING, &[(&name, Type::TEXT), (&oids, Type::OID_ARRAY)]).await?;
    let missing = rows.iter().map(|row| cell(row, 0)).collect::<Result<Vec<u32>, _>>()?;
    if missing.is_empty() {
        return Ok(());
    }
    let lacks = |plan: &&&StreamPlan| plan.logged.is_some_and(|oid| missing.contains(&oid));
    let tables: Vec<_> = plans.iter().filter(lacks).map(|plan| plan.from.as_str()).collect();
    let tables = tables.join(", ");
    Err(TapError::config(format!("the publication `{name}` at {place} lacks {tables}"))
        .with_hint(format!("ALTER PUBLICATION {publication} ADD TABLE {tables}")))
}
