//! The contract, kept in memory.

use std::collections::HashMap;

use columns::arrow_array::RecordBatch;
use columns::{StreamName, ValueLimits};
use target_api::{
    Capabilities, Checkpoint, Committed, FullRefresh, LoadMethod, Promise, Result, RunIdentity, StateChange,
    Status, StoredState, Table, TableChange, TableName, Target, TargetError, Version, async_trait, refusal,
};

use super::epoch::{Applying, RULE, Step, place};
use super::warehouse::{Contents, Defect, MemoryWarehouse, StateRow, state_key};

/// A target of a [`MemoryWarehouse`].
#[derive(Debug)]
pub struct MemoryTarget {
    warehouse: MemoryWarehouse,
    resumed: Option<Resumed>,
    tables: HashMap<StreamName, Table>,
    epoch: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Resumed {
    run: RunIdentity,
    fence: i64,
    sequence: i64,
    had_state: bool,
    committed: bool,
}

impl MemoryTarget {
    /// A new target, as a new process would have it.
    #[must_use]
    pub fn new(warehouse: &MemoryWarehouse) -> Self {
        Self { warehouse: warehouse.clone(), resumed: None, tables: HashMap::new(), epoch: vec![] }
    }

    fn resumed(&self) -> Result<&Resumed> {
        self.resumed.as_ref().ok_or_else(|| TargetError::permanent("MEMORY", "`resume` was not called"))
    }

    fn keeps_state(&self, run: &RunIdentity) -> bool {
        run.keeps_state || self.warehouse.has(Defect::KeepsEveryState)
    }

    fn table(&self, stream: &StreamName) -> Result<Table> {
        let open = self.tables.get(stream).cloned();
        open.ok_or_else(|| TargetError::permanent("MEMORY", format!("stream {stream} is not open")))
    }

    /// The contents as they would be after what was accepted, and what the last step changed.
    fn preview(&self, table: &Table) -> Result<TableChange> {
        let mut contents = self.warehouse.lock().clone();
        let run = &self.resumed()?.run;
        let mut applying = Applying { contents: &mut contents, run, defect: self.warehouse.defect };
        for step in &self.epoch {
            applying.step(step)?;
        }
        applying.open(table)
    }

    /// Does steps at once, as only a defect may.
    fn at_once(&self, steps: &[Step]) -> Result<()> {
        let run = self.resumed()?.run.clone();
        let mut contents = self.warehouse.lock();
        let mut applying = Applying { contents: &mut contents, run: &run, defect: self.warehouse.defect };
        steps.iter().try_for_each(|step| applying.step(step))
    }

    /// The state row, when it is still this run's.
    fn fenced_row<'a>(&self, contents: &'a mut Contents, mine: &Resumed) -> Result<&'a mut StateRow> {
        let row = contents.states.entry(state_key(&mine.run)).or_default();
        let fence = row.fence == mine.fence || self.warehouse.has(Defect::IgnoresFence);
        if fence && row.sequence == mine.sequence {
            return Ok(row);
        }
        Err(TargetError::new("MEMORY", Status::Busy, format!("run {} has taken over", row.run)))
    }

    fn owned(&self, run: &RunIdentity) -> Vec<TableName> {
        let contents = self.warehouse.lock();
        let owned = contents.tables.iter().filter(|(_, table)| {
            table.owner[..2] == [run.environment.clone(), run.pipeline.clone()]
                && run.full_refresh != FullRefresh::No
                && !table.shared
                && (run.full_refresh.covers(&table.owner[2]) || self.warehouse.has(Defect::RefreshesAll))
        });
        owned.map(|(name, _)| name.clone()).collect()
    }
}

#[async_trait]
impl Target for MemoryTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            promise: Promise::ExactlyOnce,
            transactional_ddl: true,
            versions: true,
            upsert: true,
            shared_tables: true,
            grants: false,
            identifier: RULE,
            limits: ValueLimits::default(),
        }
    }

    async fn check(&mut self) -> Result<()> {
        Ok(())
    }

    async fn resume(&mut self, run: &RunIdentity) -> Result<Option<String>> {
        if !self.keeps_state(run) {
            let run = run.clone();
            self.resumed = Some(Resumed { run, fence: 0, sequence: 0, had_state: false, committed: false });
            self.epoch = vec![];
            return Ok(None);
        }
        let mut contents = self.warehouse.lock();
        let row = contents.states.entry(state_key(run)).or_default();
        let foreign = !row.tap.is_empty() && row.tap != run.tap && !run.replaces_foreign_state();
        if foreign && row.state.is_some() && !self.warehouse.has(Defect::TakesAnyState) {
            return Err(TargetError::new("MEMORY", Status::Config, "the STATE was written by another tap"));
        }
        row.fence += 1;
        row.run.clone_from(&run.run);
        let state = row
            .state
            .clone()
            .or_else(|| self.warehouse.has(Defect::StartsWithState).then(|| "{}".to_owned()));
        let (fence, sequence, had_state) = (row.fence, row.sequence, state.is_some());
        drop(contents);
        self.resumed = Some(Resumed { run: run.clone(), fence, sequence, had_state, committed: false });
        self.epoch = self.owned(run).into_iter().map(Step::Empty).collect();
        if self.warehouse.has(Defect::RefreshesEarly) {
            self.at_once(&self.epoch)?;
        }
        Ok(state)
    }

    async fn open(&mut self, table: &Table) -> Result<TableChange> {
        if !self.warehouse.has(Defect::EmptiesShared) {
            refusal::refuse_emptying(&self.resumed()?.run, table)?;
        }
        let name = &table.schema.stream;
        let overwrites = table.load_method == LoadMethod::Overwrite && !self.tables.contains_key(name);
        if overwrites && !self.warehouse.has(Defect::AppendsToOverwritten) {
            self.epoch.push(Step::Empty(place(table, None)));
        }
        let change = self.preview(table)?;
        let resumed = self.resumed()?;
        let owner = [resumed.run.environment.clone(), resumed.run.pipeline.clone(), name.as_str().to_owned()];
        let known = self.tables.contains_key(name);
        let overwritten = table.load_method == LoadMethod::Overwrite
            && !self.warehouse.has(Defect::RefusesVanishedOverwritten);
        let replaces = resumed.run.full_refresh.covers(name.as_str()) || overwritten;
        let vanished = change.created && !known && resumed.had_state && !replaces;
        if vanished
            && self.warehouse.lock().owners.contains(&owner)
            && !self.warehouse.has(Defect::RecreatesVanished)
        {
            let place = place(table, None);
            return Err(TargetError::new("MEMORY", Status::Config, format!("table {place} has vanished")));
        }
        if self.warehouse.has(Defect::LosesOlderShape) {
            let other =
                |step: &Step| !matches!(step, Step::Write(of, _) if of.schema.stream == *name && of != table);
            self.epoch.retain(other);
        }
        if self.warehouse.has(Defect::OpenEmpties) {
            self.epoch.push(Step::Empty(place(table, None)));
        }
        self.epoch.push(Step::Open(table.clone()));
        self.tables.insert(name.clone(), table.clone());
        Ok(change)
    }

    async fn write(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()> {
        let step = Step::Write(self.table(stream)?, batch);
        if self.warehouse.has(Defect::VisibleBeforeCommit) {
            let steps: Vec<Step> = self.epoch.drain(..).chain([step]).collect();
            return self.at_once(&steps);
        }
        self.epoch.push(step);
        Ok(())
    }

    async fn activate_version(&mut self, stream: &StreamName, version: Version) -> Result<()> {
        let step = Step::Activate(self.table(stream)?, version);
        if self.warehouse.has(Defect::ActivatesEarly) {
            return self.at_once(&[step]);
        }
        self.epoch.push(step);
        Ok(())
    }

    async fn commit(&mut self, checkpoint: &Checkpoint) -> Result<Committed> {
        let mine = self.resumed()?.clone();
        let mut steps = std::mem::take(&mut self.epoch);
        if mine.committed && self.warehouse.has(Defect::RefreshesEveryCommit) {
            steps.splice(0..0, self.owned(&mine.run).into_iter().map(Step::Empty));
        }
        if self.warehouse.has(Defect::CommitsLastStreamOnly) {
            let last = steps.iter().rev().find_map(Step::stream).cloned();
            steps.retain(|step| step.stream() == last.as_ref());
        }
        if self.warehouse.has(Defect::OverwritesEveryCommit) && mine.committed {
            let overwritten = self.tables.values().filter(|table| table.load_method == LoadMethod::Overwrite);
            steps.splice(0..0, overwritten.map(|table| Step::Empty(place(table, None))).collect::<Vec<_>>());
        }
        let mut contents = self.warehouse.lock();
        let mut next = contents.clone();
        if self.keeps_state(&mine.run) {
            self.fenced_row(&mut next, &mine)?;
        }
        let mut applying = Applying { contents: &mut next, run: &mine.run, defect: self.warehouse.defect };
        steps.iter().try_for_each(|step| applying.step(step))?;
        if !self.keeps_state(&mine.run) {
            let sequence = mine.sequence + 1;
            *contents = next;
            drop(contents);
            self.resumed = Some(Resumed { sequence, committed: true, ..mine });
            return Ok(Committed { sequence });
        }
        let row = self.fenced_row(&mut next, &mine)?;
        let alone = !steps.iter().any(|step| matches!(step, Step::Write(..)));
        match &checkpoint.state {
            StateChange::Set(_) if alone && self.warehouse.has(Defect::SkipsStateAlone) => {}
            StateChange::Set(state) if self.warehouse.has(Defect::RewritesState) => {
                let value: serde_json::Value = serde_json::from_str(state).expect("a STATE is JSON");
                row.state = Some(value.to_string());
            }
            StateChange::Set(state) => row.state = Some(state.to_string()),
            StateChange::Keep if !self.warehouse.has(Defect::KeepClears) => {}
            StateChange::Clear if self.warehouse.has(Defect::ClearKeeps) => {}
            StateChange::Keep | StateChange::Clear => row.state = None,
        }
        row.tap.clone_from(&mine.run.tap);
        row.sequence += i64::from(!self.warehouse.has(Defect::DoesNotCount));
        let sequence = row.sequence;
        *contents = next;
        drop(contents);
        self.resumed = Some(Resumed { sequence, committed: true, ..mine });
        Ok(Committed { sequence })
    }

    async fn stored_state(&mut self, run: &RunIdentity) -> Result<Option<StoredState>> {
        Ok(self.warehouse.state_of(run))
    }

    async fn plan(&mut self, table: &Table) -> Result<TableChange> {
        let change = self.preview(table)?;
        if self.warehouse.has(Defect::PlanChanges) {
            self.at_once(&[Step::Open(table.clone())])?;
        }
        Ok(change)
    }

    async fn rename_pipeline(&mut self, new: &str) -> Result<()> {
        let mine = self.resumed()?.clone();
        let mut contents = self.warehouse.lock();
        let row = self.fenced_row(&mut contents, &mine)?.clone();
        let moved = RunIdentity { pipeline: new.to_owned(), ..mine.run.clone() };
        let taken = contents.states.get(&state_key(&moved)).is_some_and(|row| row.state.is_some());
        if taken && !self.warehouse.has(Defect::RenamesOver) {
            return Err(target_api::refusal::name_taken(new, "memory"));
        }
        contents.states.remove(&state_key(&mine.run));
        contents.states.insert(state_key(&moved), row);
        for table in contents.tables.values_mut() {
            if table.owner[..2] == [mine.run.environment.clone(), new.to_owned()] {
                table.owner[1].clear();
            }
            if !self.warehouse.has(Defect::RenamesHalf)
                && table.owner[..2] == [mine.run.environment.clone(), mine.run.pipeline.clone()]
            {
                new.clone_into(&mut table.owner[1]);
            }
        }
        Ok(())
    }
}
