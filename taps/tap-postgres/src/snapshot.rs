//! What a transaction sees of a table: its files and their pages, and the parts to read them in.

use tap_sdk::TapError;
use tokio_postgres::types::Type;

use crate::bookmark::{Bookmark, Progress};
use crate::full_table::fingerprint;
use crate::pages::{PageRange, parts};
use crate::plan::StreamPlan;
use crate::session::{Session, cell};

/// The first version that finds the rows of some pages without reading the others.
const RANGES_SINCE: i32 = 140_000;

// A partition has its table's name here, which conditions may use.
const SNAPSHOT: &str = "
SELECT pg_catalog.txid_snapshot_xmin(s), pg_catalog.txid_snapshot_xmax(s),
       pg_catalog.current_setting('server_version_num')::int4,
       (pg_catalog.pg_relation_size(f.oid::regclass) / pg_catalog.current_setting('block_size')::int8)::int8,
       COALESCE(pg_catalog.pg_relation_filenode(f.oid::regclass), 0), f.partition
FROM pg_catalog.txid_current_snapshot() AS s
LEFT JOIN (
  SELECT c.oid, NULL::text AS partition FROM pg_catalog.pg_class c WHERE c.oid = $1 AND c.relkind <> 'p'
  UNION ALL
  SELECT k.oid, pg_catalog.format('%I.%I AS %I', n.nspname, k.relname, c.relname)
  FROM pg_catalog.pg_class c CROSS JOIN pg_catalog.pg_partition_tree(c.oid) t
  JOIN pg_catalog.pg_class k ON k.oid = t.relid JOIN pg_catalog.pg_namespace n ON n.oid = k.relnamespace
  WHERE c.oid = $1 AND c.relkind = 'p' AND t.isleaf
) f ON true
ORDER BY f.oid";

pub(crate) struct Snapshot {
    /// Transactions below this one have ended.
    first: i64,
    /// Transactions from this one on are not seen.
    next: i64,
    /// None where it cannot be read in parts.
    files: Vec<TableFile>,
}

/// A table's file, or that of one of its partitions.
struct TableFile {
    pages: u32,
    relfilenode: u32,
    /// What stands behind FROM.
    partition: Option<String>,
}

/// Part of a table.
pub(crate) struct Part {
    /// Of which file; none is all of them.
    file: Option<usize>,
    conditions: Vec<String>,
    /// So many pages of the file are out after it, where more follow.
    pub(crate) pages: Option<u32>,
    /// Whether the file is out after it.
    ends_file: bool,
}

impl Snapshot {
    pub(crate) async fn take(session: &Session, plan: &StreamPlan) -> Result<Self, TapError> {
        if plan.paged.is_some() && plan.is_partitioned {
            // And its partitions: none may go while they are read one by one.
            let lock = format!("LOCK TABLE {} IN ACCESS SHARE MODE", plan.from());
            session.execute("locking the table against being dropped", &lock).await?;
        }
        let oid = plan.paged.unwrap_or_default();
        let rows = session.query("taking a snapshot", SNAPSHOT, &[(&oid, Type::OID)]).await?;
        let Some(row) = rows.first() else {
            return Err(TapError::failed(format!("{}: no snapshot was given", plan.id)));
        };
        let mut snapshot = Self { first: cell(row, 0)?, next: cell(row, 1)?, files: Vec::new() };
        let version: i32 = cell(row, 2)?;
        for row in rows.iter().filter(|_| version >= RANGES_SINCE) {
            let pages: Option<i64> = cell(row, 3)?;
            let Some(pages) = pages.and_then(|pages| u32::try_from(pages).ok()) else { continue };
            let (relfilenode, partition) = (cell(row, 4)?, cell(row, 5)?);
            snapshot.files.push(TableFile { pages, relfilenode, partition });
        }
        Ok(snapshot)
    }

    /// The statement of a part.
    pub(crate) fn copy(&self, plan: &StreamPlan, part: &Part) -> String {
        let partition = part.file.and_then(|file| self.files.get(file)?.partition.as_deref());
        match partition {
            Some(partition) => plan.copy_partition(partition, part.conditions.clone()),
            None => plan.copy(part.conditions.clone(), None),
        }
    }

    /// Whether what was read then need not be read again: a file of then, the same statement, a key that finds its
    /// records, and no more transactions since than their numbers can be told apart.
    pub(crate) fn goes_on(&self, plan: &StreamPlan, progress: &Progress) -> bool {
        let since = self.next.checked_sub(progress.first_snapshot);
        !plan.keys.is_empty()
            && self.files.iter().any(|file| file.out(progress) != Out::Nothing)
            && fingerprint(plan) == progress.statement
            && since.is_some_and(|since| (0..1 << 31).contains(&since))
    }

    /// Puts what is out after a part into the bookmark; `false` where it is the same as before.
    pub(crate) fn note(&self, plan: &StreamPlan, part: &Part, bookmark: &mut Bookmark) -> bool {
        let Some(file) = part.file.and_then(|file| self.files.get(file)) else { return false };
        let is_partition = file.partition.is_some();
        if part.pages.is_none() && !(part.ends_file && is_partition) {
            return false;
        }
        let progress = bookmark.progress.get_or_insert_with(|| Progress {
            first_snapshot: self.first,
            relfilenode: 0,
            statement: fingerprint(plan),
            pages: 0,
            partitions: Vec::new(),
        });
        if let Some(pages) = part.pages {
            (progress.relfilenode, progress.pages) = (file.relfilenode, pages);
        } else {
            (progress.relfilenode, progress.pages) = (0, 0);
            progress.partitions.push(file.relfilenode);
        }
        true
    }

    /// What is to be read, in order: first what changed in the pages that are out, then the pages that are not. The file
    /// that was being read goes before the others, since a bookmark has room for one.
    pub(crate) fn parts(&self, progress: Option<&Progress>) -> Vec<Part> {
        if self.files.is_empty() {
            return vec![Part { file: None, conditions: Vec::new(), pages: None, ends_file: false }];
        }
        let out = |file: &TableFile| progress.map_or(Out::Nothing, |progress| file.out(progress));
        let mut changed = Vec::new();
        let (mut begun, mut others) = (Vec::new(), Vec::new());
        for (at, file) in self.files.iter().enumerate() {
            let (from, to) = match out(file) {
                Out::Nothing => (Some(0), None),
                Out::Pages(pages) => (Some(pages), Some(PageRange { from: 0, to: Some(pages) })),
                Out::Whole => (None, Some(PageRange { from: 0, to: None })),
            };
            if let (Some(range), Some(progress)) = (to, progress) {
                let conditions = range.condition().into_iter().chain([self.since(progress)]).collect();
                changed.push(Part { file: Some(at), conditions, pages: None, ends_file: false });
            }
            let rest = if from.unwrap_or(0) > 0 { &mut begun } else { &mut others };
            rest.extend(from.into_iter().flat_map(|from| parts(file.pages, from)).map(|range| Part {
                file: Some(at),
                conditions: range.condition().into_iter().collect(),
                pages: range.to,
                ends_file: range.to.is_none(),
            }));
        }
        changed.into_iter().chain(begun).chain(others).collect()
    }

    /// What rows written since then fulfil. A row has the last 32 bits of its transaction's number. One that is older than
    /// can be told is read again, too, which its key makes harmless.
    fn since(&self, progress: &Progress) -> String {
        let (next, first) = (self.next, progress.first_snapshot);
        format!("(({next} - xmin::pg_catalog.text::int8) & 4294967295) <= {}", next - first)
    }
}

/// How much of a file is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Out {
    Nothing,
    /// So many of its first pages.
    Pages(u32),
    Whole,
}

impl TableFile {
    fn out(&self, progress: &Progress) -> Out {
        if progress.partitions.contains(&self.relfilenode) {
            Out::Whole
        } else if self.relfilenode == progress.relfilenode {
            Out::Pages(progress.pages)
        } else {
            Out::Nothing
        }
    }
}
