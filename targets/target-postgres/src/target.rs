//! The target: what lies between two commits, and the calls that fill it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use columns::arrow_array::RecordBatch;
use columns::{DatePolicy, NanPolicy, NulPolicy, StreamName, ValueLimits};
use target_api::{
    Capabilities, Checkpoint, Committed, IdentifierRule, LoadMethod, Promise, Result, RunIdentity,
    StoredState, Table, TableChange, Target, TargetError, Version, async_trait,
};
use tracing::{debug, warn};

use crate::actual::ActualTable;
use crate::change::Change;
use crate::check::check;
use crate::commit::Step;
use crate::config::Settings;
use crate::connection::Session;
use crate::error::bug;
use crate::open::{OpenTable, Opening, Plan};
use crate::stage::{Direct, Staging, load_directly};
use crate::state::{self, Fence};

/// Names of the server: 63 bytes, and case counts because they are quoted.
pub(crate) const IDENTIFIER: IdentifierRule = IdentifierRule { max_bytes: 63, case_insensitive: false };

/// Longest that a direct load may keep its transaction open: the server cannot clean up behind it.
const LONGEST_TRANSACTION: Duration = Duration::from_hours(6);

/// Loads into one PostgreSQL database, each message once: records and STATE are committed together.
pub struct PostgresTarget {
    pub(crate) settings: Settings,
    /// The one session of an epoch.
    pub(crate) session: Option<Session>,
    /// Whose tables are looked at, when no fence was taken.
    identity: Option<RunIdentity>,
    pub(crate) fence: Option<Fence>,
    pub(crate) tables: HashMap<StreamName, OpenTable>,
    pub(crate) stagings: BTreeMap<usize, Staging>,
    next_staging: usize,
    /// Bytes in memory of the batches that were staged since the last commit.
    pub(crate) staged_bytes: usize,
    /// What the next commit does.
    pub(crate) steps: Vec<Step>,
    /// Streams whose tables hold nothing from before: they start over, or are overwritten, and no commit empties them.
    pub(crate) emptied: BTreeSet<StreamName>,
    /// Whether the first commit, with which streams start over, is made.
    pub(crate) started_over: bool,
}

impl PostgresTarget {
    /// Reads the settings (see [`settings_schema`](crate::settings_schema)). Connects when it is first used.
    pub fn new(config_json: &str) -> Result<Self> {
        Ok(Self::empty(Settings::parse(config_json)?))
    }

    fn empty(settings: Settings) -> Self {
        Self {
            settings,
            session: None,
            identity: None,
            fence: None,
            tables: HashMap::new(),
            stagings: BTreeMap::new(),
            next_staging: 0,
            staged_bytes: 0,
            steps: Vec::new(),
            emptied: BTreeSet::new(),
            started_over: false,
        }
    }

    pub(crate) fn fence(&self) -> Result<&Fence> {
        self.fence.as_ref().ok_or_else(|| bug("the fence was not taken before records came"))
    }

    /// The session of the epoch. It is never opened anew within one.
    pub(crate) fn session(&self) -> Result<&Session> {
        self.session.as_ref().ok_or_else(|| self.over())
    }

    pub(crate) fn session_mut(&mut self) -> Result<&mut Session> {
        let over = self.over();
        self.session.as_mut().ok_or(over)
    }

    fn over(&self) -> TargetError {
        crate::error::lost(&self.settings.to_string(), "the epoch ended with an earlier error")
    }

    async fn connected(&mut self) -> Result<&mut Session> {
        if self.fence.is_some() {
            return self.session_mut();
        }
        let session = match self.session.take() {
            Some(session) if !session.client().is_closed() => session,
            _ => Session::open(&self.settings).await?,
        };
        Ok(self.session.insert(session))
    }

    /// An error ends the epoch, and the session with it: nothing of it can be committed any more.
    async fn ending<T>(&mut self, outcome: Result<T>) -> Result<T> {
        let Err(error) = outcome else { return outcome };
        Err(match self.session.take() {
            Some(session) => session.explained(error).await,
            None => error,
        })
    }

    fn opening<'a>(&'a self, run: &'a RunIdentity, table: &Table) -> Opening<'a> {
        let stream = &table.schema.stream;
        let written = self.tables.get(stream).is_some_and(|open| open.written > 0);
        Opening {
            settings: &self.settings,
            run,
            has_state: self.fence.as_ref().is_some_and(|fence| fence.has_state),
            emptied: self.empties(run, table) && !written,
            tables: &self.tables,
        }
    }

    /// Whether the next commit removes what the table holds from before.
    pub(crate) fn empties(&self, run: &RunIdentity, table: &Table) -> bool {
        let stream = &table.schema.stream;
        let starts_over = run.full_refresh.covers(stream.as_str()) && !self.started_over;
        (starts_over || table.load_method == LoadMethod::Overwrite) && !self.emptied.contains(stream)
    }

    async fn open_table(&mut self, table: &Table) -> Result<TableChange> {
        let stream = &table.schema.stream;
        if let Some(open) = self.tables.get(stream).filter(|open| open.table == *table) {
            return Ok(TableChange { place: open.place.to_string(), ..TableChange::default() });
        }
        if let Some(mut open) = self.tables.remove(stream) {
            // What is beside has the columns from before.
            self.fold(stream, &mut open);
            self.tables.insert(stream.clone(), open);
        }
        let run = self.fence()?.run.clone();
        let plan = self.opening(&run, table).plan(self.session()?, table).await?;
        let change = plan.change();
        let waits = self.steps.iter().any(|step| step.stream() == stream);
        let unseen = plan.created || self.tables.get(stream).is_some_and(|open| open.unseen && !waits);
        if unseen && plan.changes() {
            self.make(&run, table, plan).await?;
        } else {
            self.defer(table, plan)?;
        }
        Ok(change)
    }

    /// Nobody reads the table before the commit, so it is changed at once, and may be loaded directly.
    async fn make(&mut self, run: &RunIdentity, table: &Table, plan: Plan) -> Result<()> {
        let mut session = self.session.take().ok_or_else(|| self.over())?;
        let made = self.opening(run, table).make(&mut session, table, &plan).await;
        self.session = Some(session);
        if plan.created {
            // What is left of a table that somebody dropped is not this one's.
            self.drop_beside(&plan.place).await?;
        }
        self.opened(table, plan, made?);
        Ok(())
    }

    /// A change would lock others out of the table until the next STATE, which may be hours away: it waits for the
    /// commit.
    fn defer(&mut self, table: &Table, plan: Plan) -> Result<()> {
        let stream = &table.schema.stream;
        let before = self.tables.get(stream).map(|open| (open.actual.clone(), open.planned.clone()));
        let there = || bug(format!("table {} is neither there nor made", plan.place));
        let now = plan.actual.clone().ok_or_else(there)?;
        let (actual, planned) = match before {
            Some((actual, Some(planned))) => (actual, Some(planned)),
            _ => (now, None),
        };
        let change = plan.changes().then(|| Change::new(table, &plan));
        let planned = plan.alteration.after.clone().or(planned);
        self.opened(table, plan, actual);
        if let Some(open) = self.tables.get_mut(stream) {
            open.planned = planned;
        }
        self.steps.extend(change.map(|change| Step::Change(Box::new(change))));
        Ok(())
    }

    fn opened(&mut self, table: &Table, plan: Plan, actual: ActualTable) {
        let stream = &table.schema.stream;
        let before = self.tables.remove(stream);
        let opened = plan.opened(table, actual, before);
        // What others put into a table is given up only where it is overwritten; what this run made holds nothing else.
        let keeps = opened.adopted && table.load_method != LoadMethod::Overwrite;
        if opened.fresh || keeps {
            self.emptied.insert(stream.clone());
        }
        self.tables.insert(stream.clone(), opened);
    }

    async fn write_batch(&mut self, stream: &StreamName, batch: &RecordBatch) -> Result<()> {
        debug!(target: "tapster::phase", phase = "write");
        let mut open =
            self.tables.remove(stream).ok_or_else(|| bug(format!("stream `{stream}` is not open")))?;
        let written = self.load(stream, &mut open, batch).await;
        open.count(batch);
        self.tables.insert(stream.clone(), open);
        written
    }

    async fn load(&mut self, stream: &StreamName, open: &mut OpenTable, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.turn_for(stream, open, batch).await?;
        let run = &self.fence()?.run;
        // What was staged before must go in before; and what the commit empties is filled after that.
        let in_order = !self.steps.iter().any(|step| match step {
            Step::Merge { staging, .. } => {
                self.stagings.get(staging).is_some_and(|it| it.place == open.place)
            }
            step => step.stream() == stream && open.aside.is_none(),
        });
        let direct = self.settings.direct_load && in_order && !open.table.holds_deletes(batch);
        if direct && !self.empties(run, &open.table) && open.takes_directly() {
            self.refuse_old_transaction()?;
            match load_directly(self.session_mut()?, open, batch).await? {
                Direct::Loaded => return Ok(()),
                Direct::Repeated => open.repeated = true,
            }
        }
        self.stage(stream, open, batch).await
    }

    fn refuse_old_transaction(&self) -> Result<()> {
        let age = self.session()?.transaction_age().unwrap_or_default();
        if age < LONGEST_TRANSACTION {
            return Ok(());
        }
        let text = format!(
            "the transaction at {} has been open for {} hours: the tap has sent no STATE in that time",
            self.settings,
            age.as_secs() / 3600
        );
        Err(TargetError::permanent("E0331", text)
            .with_hint("with `direct_load: false` records wait in temporary tables, without a transaction"))
    }

    async fn stage(&mut self, stream: &StreamName, open: &mut OpenTable, batch: &RecordBatch) -> Result<()> {
        let last = self.steps.iter().rev().find(|step| step.stream() == stream);
        // After a version was activated, what follows must not be merged before.
        if matches!(last, Some(Step::Versions { .. })) {
            open.staging = None;
        }
        let number = if let Some(number) = open.staging {
            number
        } else {
            self.next_staging += 1;
            let staging = Staging::create(self.session()?, self.next_staging, open).await?;
            self.stagings.insert(self.next_staging, staging);
            *open.staging.insert(self.next_staging)
        };
        self.staged_bytes += batch.get_array_memory_size();
        let step = Step::Merge { stream: stream.clone(), staging: number };
        if !self.steps.contains(&step) {
            self.steps.push(step);
        }
        let Self { session: Some(session), stagings, .. } = self else { return Err(self.over()) };
        let staging = stagings.get_mut(&number).ok_or_else(|| bug("a staging table is not known"))?;
        staging.add(session, open, batch).await
    }
}

#[async_trait]
impl Target for PostgresTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            promise: Promise::ExactlyOnce,
            transactional_ddl: true,
            versions: true,
            upsert: true,
            shared_tables: true,
            grants: true,
            identifier: IDENTIFIER,
            limits: ValueLimits {
                nul: NulPolicy::Replace,
                strict_json: true,
                // A third of a page, less what the index itself needs.
                key_bytes: Some(2_600),
                // 4713 BC to 5874897 AD, and to 294276 AD, as the server's documentation has it.
                days: (-2_440_588, 2_145_042_905),
                instants: (-210_866_803_200_000_000, i64::MAX),
                dates: DatePolicy::Fail,
                numeric_nan: true,
                nan: NanPolicy::Fail,
                numeric_digits: (131_072, 16_383),
            },
        }
    }

    async fn check(&mut self) -> Result<()> {
        self.connected().await?;
        check(self.session()?, &self.settings).await
    }

    async fn resume(&mut self, run: &RunIdentity) -> Result<Option<String>> {
        *self = Self { session: self.session.take(), ..Self::empty(self.settings.clone()) };
        let mut session = match self.session.take() {
            Some(session) if !session.client().is_closed() => session,
            _ => Session::open(&self.settings).await?,
        };
        state::create(&mut session, &self.settings, run).await?;
        let (fence, state) = state::resume(&session, &self.settings, run).await?;
        self.session = Some(session);
        self.fence = Some(fence);
        Ok(state)
    }

    async fn open(&mut self, table: &Table) -> Result<TableChange> {
        let opened = self.open_table(table).await;
        self.ending(opened).await
    }

    async fn write(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()> {
        let written = self.write_batch(stream, &batch).await;
        self.ending(written).await
    }

    async fn activate_version(&mut self, stream: &StreamName, version: Version) -> Result<()> {
        self.session()?;
        let Some(mut open) = self.tables.remove(stream) else {
            warn!(%stream, "ACTIVATE_VERSION is ignored: no SCHEMA came before it");
            return Ok(());
        };
        let activated = self.activate(stream, &mut open, version).await;
        self.tables.insert(stream.clone(), open);
        self.ending(activated).await
    }

    async fn end(&mut self) -> Result<bool> {
        let folded = self.fold_all().await;
        self.ending(folded).await?;
        Ok(!self.steps.is_empty())
    }

    async fn commit(&mut self, checkpoint: &Checkpoint) -> Result<Committed> {
        let committed = self.commit_epoch(checkpoint).await;
        self.ending(committed).await
    }

    async fn stored_state(&mut self, run: &RunIdentity) -> Result<Option<StoredState>> {
        self.identity = Some(run.clone());
        self.connected().await?;
        state::stored(self.session()?, &self.settings, run).await
    }

    async fn plan(&mut self, table: &Table) -> Result<TableChange> {
        self.connected().await?;
        let run = self.fence.as_ref().map(|fence| fence.run.clone()).or_else(|| self.identity.clone());
        let run = run.ok_or_else(|| bug("a plan was asked for before it was said who runs"))?;
        let plan = self.opening(&run, table).plan(self.session()?, table).await?;
        Ok(plan.change())
    }

    async fn rename_pipeline(&mut self, new: &str) -> Result<()> {
        let fence = self.fence()?.clone();
        let settings = self.settings.clone();
        let renamed = state::rename(self.session_mut()?, &settings, &fence, new).await;
        if renamed.is_ok()
            && let Some(fence) = &mut self.fence
        {
            new.clone_into(&mut fence.run.pipeline);
        }
        self.ending(renamed).await
    }
}
