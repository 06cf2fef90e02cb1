//! What the catalog says of the tables whose changes are followed.

use std::collections::{BTreeMap, HashMap};

use tap_sdk::TapError;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::log_based::publication;
use crate::log_based::shape::{Attribute, Shape};
use crate::plan::StreamPlan;
use crate::session::{Session, cell};

/// What `LOG_BASED` must know of a table.
#[derive(Debug)]
pub(crate) struct Logged {
    pub(super) shape: Shape,
    /// The columns that an update or delete tells the old values of; `None`: all.
    identity: Option<Vec<String>>,
    /// A partition that tells less, though the table tells all.
    tells_less: Option<String>,
    has_children: bool,
    is_permanent: bool,
    has_policies: bool,
}

const TABLES: &str = "
SELECT c.oid, COALESCE(pg_catalog.pg_relation_filenode(c.oid), 0), c.relnatts, c.relreplident = 'f',
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])
             WHERE i.indrelid = c.oid AND CASE c.relreplident
               WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END),
       c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid),
       c.relpersistence = 'p', c.oid::pg_catalog.regclass::text, c.relkind = 'f',
       pg_catalog.row_security_active(c.oid)
FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1)";

// A partitioned table's own columns do not say what the rows of its partitions have.
const COLUMNS: &str = "
SELECT a.attrelid, a.attname::text, a.attnum, a.atttypid, a.atttypmod,
       a.atthasdef OR a.atthasmissing OR a.attidentity <> '' OR EXISTS (
         SELECT FROM pg_catalog.pg_partition_tree(a.attrelid) t
         JOIN pg_catalog.pg_attribute p ON p.attrelid = t.relid AND p.attname = a.attname
         WHERE p.atthasmissing), a.xmin::text::int8
FROM pg_catalog.pg_attribute a
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''";

const PARTITIONS: &str = "
SELECT c.oid, t.relid::oid, COALESCE(pg_catalog.pg_relation_filenode(t.relid), 0)
FROM pg_catalog.pg_class c CROSS JOIN pg_catalog.pg_partition_tree(c.oid) t
WHERE c.oid = ANY ($1) AND c.relkind = 'p' AND t.isleaf AND t.relid <> c.oid";

/// Asks for the tables of these plans.
pub(super) async fn logged(
    session: &Session,
    publication: &str,
    plans: &[&StreamPlan],
) -> Result<Vec<Logged>, TapError> {
    const DOING: &str = "reading the catalog of tables";
    let oids: Vec<u32> = plans.iter().filter_map(|plan| plan.logged).collect();
    let rows = session.query(DOING, COLUMNS, &[(&oids, Type::OID_ARRAY)]).await?;
    let mut columns: HashMap<u32, BTreeMap<String, Attribute>> = HashMap::new();
    for row in &rows {
        let attribute =
            Attribute(cell(row, 2)?, cell(row, 3)?, cell(row, 4)?, false, cell(row, 5)?, cell(row, 6)?);
        columns.entry(cell(row, 0)?).or_default().insert(cell(row, 1)?, attribute);
    }
    let rows = session.query(DOING, PARTITIONS, &[(&oids, Type::OID_ARRAY)]).await?;
    let mut partitions: HashMap<u32, BTreeMap<u32, u32>> = HashMap::new();
    for row in &rows {
        partitions.entry(cell(row, 0)?).or_default().insert(cell(row, 1)?, cell(row, 2)?);
    }
    let mut published = publication::entries(session, publication, &oids).await?;
    let of_partitions = partitions.values().flat_map(BTreeMap::keys);
    let all: Vec<u32> = oids.iter().chain(of_partitions).copied().collect();
    let rows = session.query(DOING, TABLES, &[(&all, Type::OID_ARRAY)]).await?;
    let mut tables = HashMap::new();
    for row in &rows {
        tables.insert(cell::<u32>(row, 0)?, row);
    }
    let system = session.system().await?;
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
            system,
            table,
            file: cell(row, 1)?,
            partitions: partitions.remove(&table).unwrap_or_default(),
            published: published.remove(&table).unwrap_or_default(),
            last: cell(row, 2)?,
            keys: plan.keys.clone(),
            columns,
        };
        let mut identity = identity_of(row)?;
        let mut tells_less = None;
        for row in shape.partitions.keys().filter_map(|partition| tables.get(partition)) {
            // What is at another server is not logged here.
            if cell(row, 8)? {
                continue;
            }
            match (&mut identity, identity_of(row)?) {
                (_, None) => {}
                (None, Some(_)) => tells_less = Some(cell(row, 7)?),
                (Some(names), Some(also)) => names.retain(|name| also.contains(name)),
            }
        }
        logged.push(Logged {
            shape,
            identity,
            tells_less,
            has_children: cell(row, 5)?,
            is_permanent: cell(row, 6)?,
            has_policies: cell(row, 9)?,
        });
    }
    Ok(logged)
}

/// The columns that old rows of a table have in the log; `None`: all.
fn identity_of(row: &Row) -> Result<Option<Vec<String>>, TapError> {
    if cell(row, 3)? { Ok(None) } else { cell(row, 4).map(Some) }
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
        if self.has_policies {
            return Err(TapError::config(format!(
                "`{id}` is LOG_BASED and policies hide rows of its table from the role: the log has all rows"
            ))
            .with_hint("ALTER ROLE … BYPASSRLS, or choose FULL_TABLE"));
        }
        if self.has_children {
            return Err(TapError::config(format!(
                "`{id}` is LOG_BASED and other tables inherit from its table: their changes are logged as their own"
            ))
            .with_hint("choose FULL_TABLE"));
        }
        if let Some(partition) = &self.tells_less {
            return Err(TapError::config(format!(
                "`{id}` is LOG_BASED and its table's replica identity is FULL, but not that of its partition {partition}"
            ))
            .with_hint(format!("ALTER TABLE {partition} REPLICA IDENTITY FULL: each partition has its own")));
        }
        let Some(identity) = &self.identity else { return Ok(()) };
        if plan.keys.is_empty() && !identity.is_empty() {
            return Err(TapError::config(format!(
                "`{id}` is LOG_BASED and has no key, and of old rows its log tells only the table's key"
            ))
            .with_hint(format!(
                "let the role read the columns of the key and discover again, give `key_properties`, or ALTER TABLE {} REPLICA IDENTITY FULL",
                plan.from
            )));
        }
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
