//! The publication: which tables the plugin tells of. The tap's sessions are read-only, so people make it.

use tap_sdk::{TapError, log};
use tokio_postgres::types::Type;

use crate::plan::StreamPlan;
use crate::session::{Session, cell};
use crate::statement::quoted;

const DOING: &str = "looking for the publication";

// A partitioned table is told of by its own name or by those of its partitions.
const MISSING: &str = "
SELECT c.oid FROM pg_catalog.unnest($2::oid[]) AS c (oid)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables t
    WHERE t.pubname::text = $1 AND pg_catalog.to_regclass(
      pg_catalog.quote_ident(t.schemaname) || '.' || pg_catalog.quote_ident(t.tablename)) = c.oid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
    WHERE p.pubname::text = $1 AND r.prrelid = c.oid)
  AND (NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf AND t.relid <> c.oid)
    OR EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid) l WHERE l.isleaf AND l.relid <> c.oid
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables t
        WHERE t.pubname::text = $1 AND pg_catalog.to_regclass(
          pg_catalog.quote_ident(t.schemaname) || '.' || pg_catalog.quote_ident(t.tablename)) = l.relid)))";

/// Whether it is there and has all these tables.
pub(super) async fn require(session: &Session, name: &str, plans: &[&StreamPlan]) -> Result<(), TapError> {
    let sql = "SELECT pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_catalog.pg_publication WHERE pubname::text = $1";
    let rows = session.query(DOING, sql, &[(&name, Type::TEXT)]).await?;
    let (place, publication) = (session.place(), quoted(name));
    let Some(row) = rows.first() else {
        let tables: Vec<_> = plans.iter().map(|plan| plan.from.as_str()).collect();
        return Err(TapError::config(format!("there is no publication `{name}` at {place}"))
            .with_hint(format!("CREATE PUBLICATION {publication} FOR TABLE {}", tables.join(", "))));
    };
    for (column, what) in ["insert", "update", "delete", "truncate"].into_iter().enumerate() {
        if !cell::<bool>(row, column)? {
            log::warning(&format!(
                "the publication `{name}` at {place} does not publish {what}: the copy will differ"
            ));
        }
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
