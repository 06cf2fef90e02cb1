//! Partitions that came with rows.

use tap_sdk::TapError;
use tokio_postgres::types::Type;

use crate::plan::StreamPlan;
use crate::session::{Session, cell};

const DOING: &str = "looking at a new partition";

// The last of what makes its changes those of the stream: that it, or what it is part of, was attached or published.
const SINCE: &str = "
SELECT pg_catalog.format('%I.%I', n.nspname, k.relname), k.relkind = 'r',
       pg_catalog.has_table_privilege(k.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       s.number::text, s.command::text
FROM pg_catalog.pg_class k JOIN pg_catalog.pg_namespace n ON n.oid = k.relnamespace
CROSS JOIN LATERAL (
  SELECT h.xmin AS number, h.cmin AS command FROM pg_catalog.pg_inherits h
  WHERE h.inhrelid IN (SELECT a.relid FROM pg_catalog.pg_partition_ancestors(k.oid) a)
  UNION ALL SELECT r.xmin, r.cmin FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
  WHERE p.pubname::text = $2 AND r.prrelid IN (SELECT a.relid FROM pg_catalog.pg_partition_ancestors(k.oid) a)
) s
WHERE k.oid = $1 ORDER BY pg_catalog.age(s.number), s.command::text::int8 DESC LIMIT 1";

/// Whether a partition has rows that were in it before the log told of it. Each row has the number of its transaction,
/// and of the command in it.
pub(super) async fn brings_rows(
    session: &Session,
    publication: &str,
    plan: &StreamPlan,
    partition: u32,
) -> Result<bool, TapError> {
    let rows = session.query(DOING, SINCE, &[(&partition, Type::OID), (&publication, Type::TEXT)]).await?;
    let Some(row) = rows.first() else { return Ok(false) };
    if !cell::<bool>(row, 1)? {
        return Ok(true);
    }
    // A role that may not read the partition itself reads it as part of its table.
    let from = if cell(row, 2)? { cell(row, 0)? } else { plan.from() };
    let (number, command): (&str, &str) = (cell(row, 3)?, cell(row, 4)?);
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {from} AS r WHERE r.tableoid = {partition} \
         AND (pg_catalog.age(r.xmin) > pg_catalog.age('{number}'::xid) \
         OR (r.xmin = '{number}'::xid AND r.cmin::text::int8 < {command})))"
    );
    let rows = session.query(DOING, &sql, &[]).await?;
    rows.first().map_or(Ok(false), |row| cell(row, 0))
}
