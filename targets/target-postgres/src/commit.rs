//! The commit: lock the state row, merge in order, write the STATE, COMMIT; and what follows when the reply to
//! COMMIT does not come.

use std::time::Duration;

use columns::{DELETED_AT, StreamName, TABLE_VERSION};
use target_api::sql::literal;
use target_api::{Checkpoint, Committed, FullRefresh, LoadMethod, Result, StateChange, TargetError, Version};
use tracing::{debug, warn};

use crate::actual::ActualTable;
use crate::change::Change;
use crate::connection::Session;
use crate::ddl::empty;
use crate::error::{bug, is_duplicate, record, refuses_value};
use crate::failpoint::failpoint;
use crate::merge::{Merge, versions};
use crate::open::OpenTable;
use crate::stage::{Staging, drop_statement, truncate_statement};
use crate::state::{self, Fence, Outcome, cell};
use crate::tables::{self, Place};
use crate::target::PostgresTarget;

/// How long an unknown COMMIT is asked after.
const PATIENCE: Duration = Duration::from_secs(30);

/// One thing that a commit does, in the order in which it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Changes a table that others may read.
    Change(Box<Change>),
    /// Merges the staging table of this number.
    Merge { stream: StreamName, staging: usize },
    /// Removes the stream's records of older versions.
    Versions { stream: StreamName, version: Version },
    /// Puts the table that holds a version in the place of the one that holds older ones.
    Replace { stream: StreamName, version: Version, from: Place, into: Place },
    /// Merges a table that was beside another one.
    Fold { stream: StreamName, from: Place, into: Place },
}

impl Step {
    pub(crate) fn stream(&self) -> &StreamName {
        match self {
            Self::Change(change) => &change.stream,
            Self::Merge { stream, .. }
            | Self::Versions { stream, .. }
            | Self::Replace { stream, .. }
            | Self::Fold { stream, .. } => stream,
        }
    }
}

impl PostgresTarget {
    pub(crate) async fn commit_epoch(&mut self, checkpoint: &Checkpoint) -> Result<Committed> {
        let fence = self.fence()?.clone();
        self.session_mut()?.begin().await?;
        if !state::lock(self.session()?, &self.settings, &fence).await? {
            let error = state::fenced(self.session()?, &self.settings, &fence).await?;
            self.session_mut()?.rollback().await?;
            return Err(error);
        }
        debug!(target: "tapster::phase", phase = "merge", staged_bytes = self.staged_bytes);
        failpoint("postgres::before_merge", &fence)?;
        if !self.started_over {
            self.start_over(&fence).await?;
        }
        self.empty_overwritten(&fence).await?;
        for step in std::mem::take(&mut self.steps) {
            self.perform(&step).await?;
        }
        failpoint("postgres::after_merge", &fence)?;
        self.clear_staging().await?;
        failpoint("postgres::before_state", &fence)?;
        let change = self.state_change(&fence, checkpoint);
        state::write(self.session()?, &self.settings, &fence, &change).await?;
        debug!(target: "tapster::phase", phase = "commit_sent");
        self.send_commit(&fence).await?;
        debug!(target: "tapster::phase", phase = "committed");
        Ok(self.committed(&change))
    }

    /// When all starts over, a STATE from before is given up with the first commit, whatever that one says.
    fn state_change(&self, fence: &Fence, checkpoint: &Checkpoint) -> StateChange {
        let all = fence.run.full_refresh == FullRefresh::All;
        match &checkpoint.state {
            StateChange::Keep if all && !self.started_over => StateChange::Clear,
            change => change.clone(),
        }
    }

    async fn send_commit(&mut self, fence: &Fence) -> Result<()> {
        let mut sent = failpoint("postgres::before_commit", fence);
        if sent.is_ok() {
            let session = self.session_mut()?;
            sent = session.commit().await.map_err(|error| session.error("COMMIT", &error));
        }
        let Err(error) = sent.and_then(|()| failpoint("postgres::after_commit", fence)) else {
            return Ok(());
        };
        if !fence.run.keeps_state {
            // Nothing says whether it was made. The STATE does not come out, so the tap sends again.
            return Err(error);
        }
        // Whatever the reply was or was not: the row says what is true.
        self.session = None;
        let (session, outcome) = state::settle(&self.settings, fence, PATIENCE).await?;
        match outcome {
            Outcome::Committed => {
                warn!("the reply to a commit was lost; the state row says that it was made");
                self.forget_session_tables();
                self.session = Some(session);
                Ok(())
            }
            Outcome::RolledBack => Err(error),
            Outcome::Fenced => Err(state::fenced(&session, &self.settings, fence).await?),
        }
    }

    /// Staging and prepared statements are gone with their session.
    fn forget_session_tables(&mut self) {
        self.stagings.clear();
        for open in self.tables.values_mut() {
            open.staging = None;
            open.direct = None;
        }
    }

    fn committed(&mut self, change: &StateChange) -> Committed {
        if !self.started_over {
            let refresh = self.fence.as_ref().map(|fence| fence.run.full_refresh.clone()).unwrap_or_default();
            let over = self.tables.iter_mut();
            let over = over.filter(|(stream, open)| refresh.covers(stream.as_str()) && !open.adopted);
            over.for_each(|(_, open)| open.fresh = true);
            self.started_over = true;
        }
        for open in self.tables.values_mut() {
            open.planned = None;
            open.unseen = false;
        }
        self.staged_bytes = 0;
        let Some(fence) = &mut self.fence else { return Committed { sequence: 0 } };
        fence.sequence += 1;
        match change {
            StateChange::Keep => {}
            StateChange::Set(_) => fence.has_state = fence.run.keeps_state,
            StateChange::Clear => fence.has_state = false,
        }
        Committed { sequence: fence.sequence }
    }

    /// Empties what this pipeline owns of the streams that start over, and that was not emptied yet.
    async fn start_over(&mut self, fence: &Fence) -> Result<()> {
        let refresh = &fence.run.full_refresh;
        if *refresh == FullRefresh::No {
            return Ok(());
        }
        let session = self.session()?;
        for (stream, place) in tables::all(session, &self.settings, &fence.run).await? {
            if !refresh.covers(stream.as_str()) || self.emptied.contains(&stream) {
                continue;
            }
            let Some(actual) = ActualTable::read(session, &place).await? else { continue };
            session.execute(&format!("emptying table {place}"), &empty(&place, &actual)).await?;
            self.drop_beside(&place).await?;
        }
        Ok(())
    }

    /// Removes what the tables that are overwritten hold from before. Who reads them sees it until the commit.
    async fn empty_overwritten(&mut self, fence: &Fence) -> Result<()> {
        let old = self.tables.iter().filter(|(_, open)| open.table.load_method == LoadMethod::Overwrite);
        let old = old.filter(|(_, open)| self.empties(&fence.run, &open.table));
        let old: Vec<_> = old.map(|(stream, open)| (stream.clone(), open.place.clone())).collect();
        for (stream, place) in old {
            let sql = format!("DELETE FROM {}", place.quoted());
            self.session()?.execute(&format!("emptying table {place}"), &sql).await?;
            self.drop_beside(&place).await?;
            if let Some(open) = self.tables.get_mut(&stream) {
                open.fresh = true;
            }
            self.emptied.insert(stream);
        }
        Ok(())
    }

    async fn perform(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Change(change) => self.change(change).await,
            Step::Merge { stream, staging } => self.merge(stream, *staging).await,
            Step::Versions { stream, version } => self.remove_versions(stream, *version).await,
            Step::Replace { stream, version, from, into } => {
                self.replace((stream, *version), from, into).await
            }
            Step::Fold { stream, from, into } => self.merge_beside(stream, from, into).await,
        }
    }

    async fn change(&mut self, change: &Change) -> Result<()> {
        let fence = self.fence()?;
        let actual = change.make(self.session()?, &self.settings, &fence.run).await?;
        if let Some(open) = self.tables.get_mut(&change.stream) {
            open.actual = actual;
        }
        Ok(())
    }

    async fn merge(&mut self, stream: &StreamName, number: usize) -> Result<()> {
        let repeated = self.merge_staged(stream, number).await?;
        if let Some(open) = self.tables.get_mut(stream) {
            open.repeated |= repeated;
        }
        Ok(())
    }

    /// `true` when it was found that a key came twice.
    async fn merge_staged(&self, stream: &StreamName, number: usize) -> Result<bool> {
        let open = self.tables.get(stream).ok_or_else(|| bug(format!("stream `{stream}` is not open")))?;
        let staging = self.stagings.get(&number).ok_or_else(|| bug("a staging table is not known"))?;
        if staging.records.is_none() {
            return Ok(false);
        }
        let merge = Merge {
            staging: &staging.name,
            types: &staging.types,
            names: &staging.names,
            key: &staging.key,
            retired: &staging.retired,
            absent: &staging.absent,
            deleted: staging.deleted(),
            on_delete: staging.on_delete(),
            place: &staging.place,
            actual: &open.actual,
        };
        let session = self.session()?;
        let doing = format!("merging into {}", open.own_place());
        let mut repeated = false;
        session.execute("setting a savepoint", "SAVEPOINT merge").await?;
        if staging.holds_many()
            && !open.repeated
            && merge.replacement().is_some()
            && is_large_part(session, &merge).await?
            && let Some(statements) = replacement_as_it_is(session, &merge).await?
        {
            match run(session, &statements).await {
                Ok(()) => {
                    session.execute("releasing a savepoint", "RELEASE SAVEPOINT merge").await?;
                    return Ok(false);
                }
                // A value that the table refuses, a key that came twice or that somebody else wrote in between: the
                // upsert below tells.
                Err(error) if refuses_value(&error) => {
                    session.execute("undoing a merge", "ROLLBACK TO SAVEPOINT merge").await?;
                    repeated = is_duplicate(&error);
                }
                Err(error) => return Err(session.error(&doing, &error)),
            }
        }
        match run(session, &merge.statements(None)).await {
            Ok(()) => {
                session.execute("releasing a savepoint", "RELEASE SAVEPOINT merge").await?;
                Ok(repeated)
            }
            Err(error) if refuses_value(&error) => Err(refused(session, open, staging, &merge, error).await),
            Err(error) => Err(session.error(&doing, &error)),
        }
    }

    async fn remove_versions(&self, stream: &StreamName, version: Version) -> Result<()> {
        if self.tables.get(stream).is_some_and(|open| open.holds_only(version.number)) {
            return Ok(());
        }
        self.remove_older(stream, version).await
    }

    pub(crate) async fn remove_older(&self, stream: &StreamName, version: Version) -> Result<()> {
        let Some(open) = self.tables.get(stream) else { return Ok(()) };
        let Some(column) = open.column_of(TABLE_VERSION) else {
            warn!(%stream, "ACTIVATE_VERSION is ignored: the stream has no column {TABLE_VERSION}");
            return Ok(());
        };
        let mark = open.column_of(DELETED_AT).filter(|_| open.table.marks_versions());
        let (holds, remove) = versions(&open.place, &column.name, version.number, mark);
        let session = self.session()?;
        let doing = format!("removing older versions from {}", open.place);
        if !version.truncated && session.query(&doing, &holds, &[]).await?.is_empty() {
            // An empty table is how a first full load begins.
            let any = format!("SELECT FROM {} LIMIT 1", open.place.quoted());
            if !session.query(&doing, &any, &[]).await?.is_empty() {
                warn!(
                    %stream,
                    version = version.number,
                    "the table holds no record of the version that the tap activates: it is not emptied; \
                     `tapster run --full-refresh` empties it, if the stream has no records any more"
                );
            }
            return Ok(());
        }
        session.execute(&doing, &remove).await
    }

    /// Empties the staging tables that go on and drops those of former generations, within the transaction.
    async fn clear_staging(&mut self) -> Result<()> {
        let current: Vec<usize> = self.tables.values().filter_map(|open| open.staging).collect();
        let (keep, old): (Vec<_>, Vec<_>) =
            self.stagings.iter().partition(|(number, _)| current.contains(number));
        let used = keep.iter().map(|(_, staging)| *staging).filter(|staging| staging.records.is_some());
        let truncate = truncate_statement(&used.collect::<Vec<_>>());
        let dropped = drop_statement(&old.iter().map(|(_, staging)| *staging).collect::<Vec<_>>());
        let statements: Vec<String> = truncate.into_iter().chain(dropped).collect();
        if !statements.is_empty() {
            self.session()?.execute("clearing the staging tables", &statements.join("; ")).await?;
        }
        self.stagings.retain(|number, _| current.contains(number));
        self.stagings.values_mut().for_each(Staging::cleared);
        Ok(())
    }
}

async fn run(session: &Session, statements: &[String]) -> std::result::Result<(), tokio_postgres::Error> {
    for sql in statements {
        session.client().batch_execute(sql).await?;
    }
    Ok(())
}

/// Whether the staged records are so large a part of their table that reading it whole is quicker than looking each
/// one up: measured, both take as long for an eighth of the table, and an upsert of all takes twice as long.
async fn is_large_part(session: &Session, merge: &Merge<'_>) -> Result<bool> {
    let size = |name: &str| format!("pg_catalog.pg_relation_size({}::pg_catalog.regclass)", literal(name));
    let sql = format!("SELECT 8 * {} >= {}", size(merge.staging), size(&merge.place.quoted()));
    let rows = session.query("comparing a table with what is merged into it", &sql, &[]).await?;
    rows.first().map_or(Ok(false), |row| cell(row, 0))
}

/// The replacement, if it is still allowed by the table as it is now; nothing can be hung on it until the commit.
async fn replacement_as_it_is(session: &Session, merge: &Merge<'_>) -> Result<Option<Vec<String>>> {
    // What a foreign key, a trigger or another column would ask for conflicts with it.
    let lock = format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", merge.place.quoted());
    session.execute("locking a table", &lock).await?;
    let now = ActualTable::read(session, merge.place).await?;
    Ok(now.and_then(|actual| Merge { actual: &actual, ..*merge }.replacement()))
}

/// Halves the staged records until the first is found with which the merge fails. The epoch is over either way.
async fn refused(
    session: &Session,
    open: &OpenTable,
    staging: &Staging,
    merge: &Merge<'_>,
    error: tokio_postgres::Error,
) -> TargetError {
    let stream = &staging.stream;
    let (first, end) = staging.records.unwrap_or_default();
    // Merging up to `passes` works, up to `fails` does not.
    let (mut passes, mut fails, mut last) = (first.saturating_sub(1), end, error);
    while fails - passes > 1 {
        let half = passes + (fails - passes) / 2;
        if let Err(error) = session.execute("undoing a merge", "ROLLBACK TO SAVEPOINT merge").await {
            return error;
        }
        match run(session, &merge.statements(Some(half))).await {
            Ok(()) => passes = half,
            Err(error) if refuses_value(&error) => (fails, last) = (half, error),
            Err(error) => return session.error(&format!("merging into {}", open.place), &error),
        }
    }
    record(stream, fails, &open.place.to_string(), |_| None, &last)
}
