//! The STATE of a pipeline whose target is a program of its own: the target keeps none, so the store does. For a run
//! and for the state verbs it stands in the place of the target, and takes no records.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use columns::StreamName;
use columns::arrow_array::RecordBatch;
use runner::MakeTarget;
use store::{KeptState, PipelineName, Store, StoreError};
use target_api::{
    Capabilities, Checkpoint, Committed, IdentifierRule, Promise, Result, RunIdentity, StateChange,
    StoredState, Table, TableChange, Target, TargetError, ValueLimits, Version, async_trait, refusal,
};

/// Keeps the STATE in the project's store, by the name of the target that the records go to.
pub(super) fn keeper(root: &Path, target: String) -> MakeTarget {
    let root = root.to_owned();
    Arc::new(move || {
        Ok(Box::new(Keeper { root: root.clone(), target: target.clone(), store: None, run: None }))
    })
}

struct Keeper {
    root: PathBuf,
    target: String,
    store: Option<Store>,
    /// Whose STATE it is.
    run: Option<RunIdentity>,
}

impl Keeper {
    fn store(&mut self) -> Result<&Store> {
        let store = match self.store.take() {
            Some(store) => store,
            None => Store::open(&self.root).map_err(refused)?,
        };
        Ok(self.store.insert(store))
    }

    fn kept(&mut self, run: &RunIdentity) -> Result<Option<KeptState>> {
        let target = self.target.clone();
        self.store()?.kept_state(&name(run), &target).map_err(refused)
    }
}

#[async_trait]
impl Target for Keeper {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            promise: Promise::AtLeastOnce,
            transactional_ddl: false,
            versions: false,
            upsert: false,
            shared_tables: false,
            grants: false,
            identifier: IdentifierRule { max_bytes: usize::MAX, case_insensitive: false },
            limits: ValueLimits::default(),
        }
    }

    async fn check(&mut self) -> Result<()> {
        self.store().map(drop)
    }

    async fn resume(&mut self, run: &RunIdentity) -> Result<Option<String>> {
        self.run = Some(run.clone());
        let Some(kept) = self.kept(run)? else { return Ok(None) };
        if kept.state.is_some() && kept.tap != run.tap && !run.replaces_foreign_state() {
            let place = format!("{} (in .tapster)", self.target);
            return Err(refusal::foreign_state(&run.pipeline, place, &kept.tap, &run.tap));
        }
        Ok(kept.state)
    }

    async fn commit(&mut self, checkpoint: &Checkpoint) -> Result<Committed> {
        let run = self.run.clone().ok_or_else(no_records)?;
        let state = match &checkpoint.state {
            StateChange::Set(state) => Some(state.to_string()),
            StateChange::Clear => None,
            StateChange::Keep => self.kept(&run)?.and_then(|kept| kept.state),
        };
        let (name, target) = (name(&run), self.target.clone());
        let new = KeptState { tap: run.tap, state, sequence: 0, run: run.run };
        let sequence = self.store()?.keep_state(&name, &target, &new).map_err(refused)?;
        Ok(Committed { sequence })
    }

    async fn stored_state(&mut self, run: &RunIdentity) -> Result<Option<StoredState>> {
        let kept = self.kept(run)?;
        Ok(kept.map(|KeptState { tap, state, sequence, run }| StoredState { state, sequence, tap, run }))
    }

    async fn rename_pipeline(&mut self, new: &str) -> Result<()> {
        let from = name(self.run.as_ref().ok_or_else(no_records)?);
        let to = PipelineName::new(from.environment.clone(), new);
        self.store()?.rename_kept_states(&from, &to).map_err(refused)
    }

    async fn open(&mut self, _: &Table) -> Result<TableChange> {
        Err(no_records())
    }

    async fn write(&mut self, _: &StreamName, _: RecordBatch) -> Result<()> {
        Err(no_records())
    }

    async fn activate_version(&mut self, _: &StreamName, _: Version) -> Result<()> {
        Err(no_records())
    }
}

fn name(run: &RunIdentity) -> PipelineName {
    PipelineName::new(run.environment.clone(), run.pipeline.clone())
}

fn refused(error: StoreError) -> TargetError {
    let (code, hint) = (error.code(), error.hint());
    let refused = TargetError::permanent(code, error.to_string()).caused_by(error);
    match hint {
        Some(hint) => refused.with_hint(hint),
        None => refused,
    }
}

/// Records go to the program.
fn no_records() -> TargetError {
    TargetError::permanent("E0499", "a bug in tapster: the STATE's keeper was given records, or no run")
}
