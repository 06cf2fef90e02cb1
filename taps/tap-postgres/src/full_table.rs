//! A whole table in a new version, in parts over several connections that see one snapshot.

use std::sync::Arc;

use tap_sdk::{TapError, log, version_now};

use crate::bookmark::Bookmark;
use crate::copy;
use crate::log_based::{HandOver, Start};
use crate::plan::StreamPlan;
use crate::sender::Sender;
use crate::session::{Session, cell};
use crate::snapshot::Snapshot;
use crate::statement::literal;
use crate::sync::Run;

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// Sends all records of the stream; gives its bookmark. `start`: changes follow them.
pub(crate) async fn run(
    plan: &StreamPlan,
    known: Option<Bookmark>,
    start: Option<Start>,
    run: &mut Run<'_>,
) -> Result<Bookmark, TapError> {
    let session = Arc::clone(&run.session);
    session.execute("opening a transaction", BEGIN).await?;
    let sent = send(plan, known, start, run).await;
    // After an error the session is given up.
    let bookmark = sent?;
    session.execute("closing the transaction", "COMMIT").await?;
    Ok(bookmark)
}

async fn send(
    plan: &StreamPlan,
    known: Option<Bookmark>,
    start: Option<Start>,
    run: &mut Run<'_>,
) -> Result<Bookmark, TapError> {
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
    let is_logged = start.is_some();
    let mut bookmark =
        Bookmark { version: Some(version), progress: progress.cloned(), ..Bookmark::default() };
    let changes = match start {
        None => Bookmark::default(),
        // What follows the first snapshot makes up for all that was read later.
        Some(_) if progress.is_some() => {
            known.follow_in(&mut bookmark);
            known.clone()
        }
        Some(start) => Bookmark {
            lsn: Some(start.lsn),
            snapshot: Some(HandOver::take(&run.session).await?),
            shape: Some(start.shape),
            ..Bookmark::default()
        },
    };
    run.output.schema(&plan.name, &plan.schema, &plan.keys, &[])?;
    if is_first {
        // There is nothing to keep until all is there: what comes may be seen at once.
        run.output.activate_version(&plan.name, version)?;
    }
    let sessions = sessions(run, parts.len()).await?;
    let doing = format!("reading {}", plan.id);
    let statements = parts.iter().map(|part| snapshot.copy(plan, part)).collect();
    let mut sender = Sender::new(plan, Some(version), run.config, run.output);
    for (part, pieces) in parts.iter().zip(copy::start(&sessions, statements, &doing)) {
        run.records(&mut sender, pieces, None, &mut bookmark).await?;
        if plan.keys.is_empty() || !snapshot.note(plan, part, &mut bookmark) {
            continue;
        }
        changes.follow_in(&mut bookmark);
        // There may be thousands of partitions.
        if part.pages.is_some() || sender.is_due() {
            run.send_state(&mut sender, &bookmark)?;
        }
    }
    // The next sync reads all of it again, in a version of its own.
    bookmark.progress = None;
    changes.follow_in(&mut bookmark);
    sender.end_part(run.output)?;
    if is_logged && !sender.has_sent() {
        // The snapshot saw no rows, or none but those that were out: nothing else is to stay.
        run.output.truncated(&plan.name, version)?;
    } else {
        run.output.activate_version(&plan.name, version)?;
    }
    run.send_state(&mut sender, &bookmark)?;
    Ok(bookmark)
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
pub(crate) fn fingerprint(plan: &StreamPlan) -> u32 {
    let keys = plan.keys.iter().map(String::as_str);
    hash(std::iter::once(plan.copy([], None).as_str()).chain(keys))
}

/// FNV-1a of 32 bits, with a zero behind each text. A STATE outlives the program that wrote it, so this must not change.
fn hash<'a>(texts: impl Iterator<Item = &'a str>) -> u32 {
    let bytes = texts.flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
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
