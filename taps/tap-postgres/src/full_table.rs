//! A whole table in a new version, in parts over several connections that see one snapshot.

use std::sync::Arc;

use tap_sdk::{TapError, log, version_now};
use tokio_postgres::types::Type;

use crate::bookmark::{Bookmark, Progress};
use crate::copy;
use crate::pages::{PageRange, parts};
use crate::plan::StreamPlan;
use crate::sender::Sender;
use crate::session::{Session, cell};
use crate::statement::literal;
use crate::sync::Run;

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
/// The first version that finds the rows of some pages without reading the others.
const RANGES_SINCE: i32 = 140_000;

/// Sends all records of the stream.
pub(crate) async fn run(
    plan: &StreamPlan,
    known: Option<Bookmark>,
    run: &mut Run<'_>,
) -> Result<(), TapError> {
    let session = Arc::clone(&run.session);
    session.execute("opening a transaction", BEGIN).await?;
    let sent = send(plan, known, run).await;
    // After an error the session is given up.
    sent?;
    session.execute("closing the transaction", "COMMIT").await
}

async fn send(plan: &StreamPlan, known: Option<Bookmark>, run: &mut Run<'_>) -> Result<(), TapError> {
    let snapshot = Snapshot::take(&run.session, plan).await?;
    let is_first = known.is_none();
    let known = known.unwrap_or_default();
    let progress = known.progress.as_ref().filter(|progress| snapshot.goes_on(plan, progress));
    let version = match (known.version, progress) {
        (Some(version), Some(_)) => version,
        (before, _) => version_now().max(before.map_or(0, |before| before + 1)),
    };
    if known.progress.is_some() && progress.is_none() {
        log::warning(&format!(
            "{}: starting over, since the table was rewritten or the stream's columns, key or conditions were changed",
            plan.id
        ));
    }
    let parts = snapshot.parts(progress);
    let mut bookmark =
        Bookmark { version: Some(version), progress: progress.cloned(), ..Bookmark::default() };
    run.output.schema(&plan.name, &plan.schema, &plan.keys, &[])?;
    if is_first {
        // There is nothing to keep until all is there: what comes may be seen at once.
        run.output.activate_version(&plan.name, version)?;
    }
    let sessions = sessions(run, parts.len()).await?;
    let doing = format!("reading {}", plan.id);
    let statements = parts.iter().map(|part| plan.copy(part.conditions.clone(), None)).collect();
    let mut sender = Sender::new(plan, Some(version), run.config, run.output);
    for (part, pieces) in parts.iter().zip(copy::start(&sessions, statements, &doing)) {
        run.records(&mut sender, pieces, None, &mut bookmark).await?;
        if let Some(pages) = part.pages.filter(|_| !plan.keys.is_empty()) {
            let first = progress.map_or(snapshot.first, |progress| progress.first_snapshot);
            bookmark.progress = Some(Progress {
                first_snapshot: first,
                relfilenode: snapshot.relfilenode,
                statement: fingerprint(plan),
                pages,
            });
            run.send_state(&mut sender, &bookmark)?;
        }
    }
    // The next sync reads all of it again, in a version of its own.
    bookmark.progress = None;
    sender.end_part(run.output)?;
    run.output.activate_version(&plan.name, version)?;
    run.send_state(&mut sender, &bookmark)
}

/// The first session, whose snapshot is this, and as many more as there is work for.
async fn sessions(run: &Run<'_>, parts: usize) -> Result<Vec<Arc<Session>>, TapError> {
    let mut sessions = vec![Arc::clone(&run.session)];
    let more = run.config.parallel.min(parts).saturating_sub(1);
    if more == 0 {
        return Ok(sessions);
    }
    let sql = "SELECT pg_catalog.pg_export_snapshot()";
    let rows = run.session.query("exporting a snapshot", sql, &[]).await?;
    let Some(row) = rows.first() else { return Ok(sessions) };
    let name: String = cell(row, 0)?;
    for _ in 0..more {
        let session = Session::open(run.config).await?;
        let sql = format!("{BEGIN}; SET TRANSACTION SNAPSHOT {}", literal(&name));
        session.execute("taking over a snapshot", &sql).await?;
        sessions.push(Arc::new(session));
    }
    Ok(sessions)
}

/// Differs where records that are out would be others now.
fn fingerprint(plan: &StreamPlan) -> u32 {
    let keys = plan.keys.iter().map(String::as_str);
    hash(std::iter::once(plan.copy([], None).as_str()).chain(keys))
}

/// FNV-1a of 32 bits, with a zero behind each text. A STATE outlives the program that wrote it, so this must not change.
fn hash<'a>(texts: impl Iterator<Item = &'a str>) -> u32 {
    let bytes = texts.flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// What the transaction sees of a table.
struct Snapshot {
    /// Transactions below this one have ended.
    first: i64,
    /// Transactions from this one on are not seen.
    next: i64,
    /// Pages and file; none where it cannot be read in parts.
    pages: Option<u32>,
    relfilenode: u32,
}

/// Part of a table.
struct Part {
    conditions: Vec<String>,
    /// So many pages are out after it, where that is worth remembering.
    pages: Option<u32>,
}

impl Snapshot {
    async fn take(session: &Session, plan: &StreamPlan) -> Result<Self, TapError> {
        let sql = "SELECT pg_catalog.txid_snapshot_xmin(s), pg_catalog.txid_snapshot_xmax(s), \
                   pg_catalog.current_setting('server_version_num')::int4, \
                   (pg_catalog.pg_relation_size($1::regclass) / pg_catalog.current_setting('block_size')::int8)::int8, \
                   COALESCE(pg_catalog.pg_relation_filenode($1), 0) \
                   FROM pg_catalog.txid_current_snapshot() AS s";
        let oid = plan.paged.unwrap_or_default();
        let rows = session.query("taking a snapshot", sql, &[(&oid, Type::OID)]).await?;
        let Some(row) = rows.first() else {
            return Err(TapError::failed(format!("{}: no snapshot was given", plan.id)));
        };
        let (version, pages): (i32, Option<i64>) = (cell(row, 2)?, cell(row, 3)?);
        let pages = pages.filter(|_| plan.paged.is_some() && version >= RANGES_SINCE);
        Ok(Self {
            first: cell(row, 0)?,
            next: cell(row, 1)?,
            pages: pages.and_then(|pages| u32::try_from(pages).ok()),
            relfilenode: cell(row, 4)?,
        })
    }

    /// Whether what was read then need not be read again: the same file and statement, a key that finds its records, and no more
    /// transactions since than their numbers can be told apart.
    fn goes_on(&self, plan: &StreamPlan, progress: &Progress) -> bool {
        let since = self.next.checked_sub(progress.first_snapshot);
        self.pages.is_some()
            && !plan.keys.is_empty()
            && self.relfilenode == progress.relfilenode
            && fingerprint(plan) == progress.statement
            && since.is_some_and(|since| (0..1 << 31).contains(&since))
    }

    /// What is to be read, in order: first what changed in the pages that are out, then the pages that are not.
    fn parts(&self, progress: Option<&Progress>) -> Vec<Part> {
        let Some(pages) = self.pages else {
            return vec![Part { conditions: Vec::new(), pages: None }];
        };
        let from = progress.map_or(0, |progress| progress.pages);
        let changed = progress.map(|progress| {
            let out = PageRange { from: 0, to: Some(progress.pages) };
            let (next, first) = (self.next, progress.first_snapshot);
            // A row has the last 32 bits of its transaction's number. One that is older than can be told is read
            // again, too, which its key makes harmless.
            let since = format!("(({next} - xmin::pg_catalog.text::int8) & 4294967295) <= {}", next - first);
            Part { conditions: out.condition().into_iter().chain([since]).collect(), pages: None }
        });
        let rest = parts(pages, from).into_iter();
        let rest =
            rest.map(|range| Part { conditions: range.condition().into_iter().collect(), pages: range.to });
        changed.into_iter().chain(rest).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn a_state_of_before_has_the_same_number() {
        assert_eq!(hash(["a"].into_iter()), 0x2b24_d044);
        assert_ne!(hash(["ab", "c"].into_iter()), hash(["a", "bc"].into_iter()));
    }
}
