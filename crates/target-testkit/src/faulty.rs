//! A target that fails on order, around any other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use target_api::arrow_array::RecordBatch;
use target_api::{
    Capabilities, Checkpoint, Committed, Result, RunIdentity, Status, StoredState, StreamName, Table,
    TableChange, Target, TargetError, Version, async_trait,
};
use tokio::sync::{Notify, Semaphore};

/// A call of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `check`
    Check,
    /// `resume`
    Resume,
    /// `open`
    Open,
    /// `write`
    Write,
    /// `activate_version`
    ActivateVersion,
    /// `commit`
    Commit,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and nothing is done.
    Reject(Status),
    /// It is done, and then fails: the lost reply.
    FailAfter(Status),
    /// It is done once [`Faults::release`] was called.
    Hold,
    /// It is done after this time of tokio's clock.
    Slow(Duration),
}

/// The handle: what shall fail, and what has happened.
#[derive(Debug)]
pub struct Faults {
    plan: Mutex<Plan>,
    held: Notify,
    released: Semaphore,
}

#[derive(Debug, Default)]
struct Plan {
    faults: HashMap<(Operation, u64), Fault>,
    calls: HashMap<Operation, u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { plan: Mutex::default(), held: Notify::new(), released: Semaphore::new(0) }
    }
}

impl Faults {
    /// The code of every error made here.
    pub const CODE: &str = "FAULT";

    /// The `nth` call of this operation, from 1, meets this fault.
    pub fn plan(&self, operation: Operation, nth: u64, fault: Fault) {
        self.lock().faults.insert((operation, nth), fault);
    }

    /// How many calls of this operation have begun, over all targets with this handle.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.lock().calls.get(&operation).copied().unwrap_or(0)
    }

    /// Waits until a call is held.
    pub async fn held(&self) {
        self.held.notified().await;
    }

    /// Lets one held call go on.
    pub fn release(&self) {
        self.released.add_permits(1);
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().expect("nothing panics under this lock")
    }

    fn begin(&self, operation: Operation) -> Option<Fault> {
        let mut plan = self.lock();
        let calls = plan.calls.entry(operation).or_default();
        *calls += 1;
        let call = (operation, *calls);
        plan.faults.remove(&call)
    }

    /// Before the call: fails, waits or slows it. Gives the error to return once it is done, if any.
    async fn before(&self, operation: Operation) -> Result<Option<TargetError>> {
        let error = |status| TargetError::new(Faults::CODE, status, format!("{operation:?} fails on order"));
        match self.begin(operation) {
            None => Ok(None),
            Some(Fault::Reject(status)) => Err(error(status)),
            Some(Fault::FailAfter(status)) => Ok(Some(error(status))),
            Some(Fault::Hold) => {
                self.held.notify_one();
                self.released.acquire().await.expect("never closed").forget();
                Ok(None)
            }
            Some(Fault::Slow(time)) => {
                tokio::time::sleep(time).await;
                Ok(None)
            }
        }
    }
}

/// A target with faults.
#[derive(Debug)]
pub struct FaultyTarget<T> {
    inner: T,
    faults: Arc<Faults>,
}

impl<T: Target> FaultyTarget<T> {
    /// This target, failing as the handle says.
    pub fn new(inner: T, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

/// The result of a call that was done, unless its reply is lost.
fn after<V>(result: Result<V>, lost: Option<TargetError>) -> Result<V> {
    let value = result?;
    lost.map_or(Ok(value), Err)
}

#[async_trait]
impl<T: Target> Target for FaultyTarget<T> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn check(&mut self) -> Result<()> {
        let lost = self.faults.before(Operation::Check).await?;
        after(self.inner.check().await, lost)
    }

    async fn resume(&mut self, run: &RunIdentity) -> Result<Option<String>> {
        let lost = self.faults.before(Operation::Resume).await?;
        after(self.inner.resume(run).await, lost)
    }

    async fn open(&mut self, table: &Table) -> Result<TableChange> {
        let lost = self.faults.before(Operation::Open).await?;
        after(self.inner.open(table).await, lost)
    }

    async fn write(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()> {
        let lost = self.faults.before(Operation::Write).await?;
        after(self.inner.write(stream, batch).await, lost)
    }

    async fn activate_version(&mut self, stream: &StreamName, version: Version) -> Result<()> {
        let lost = self.faults.before(Operation::ActivateVersion).await?;
        after(self.inner.activate_version(stream, version).await, lost)
    }

    async fn end(&mut self) -> Result<bool> {
        self.inner.end().await
    }

    async fn commit(&mut self, checkpoint: &Checkpoint) -> Result<Committed> {
        let lost = self.faults.before(Operation::Commit).await?;
        after(self.inner.commit(checkpoint).await, lost)
    }

    async fn stored_state(&mut self, run: &RunIdentity) -> Result<Option<StoredState>> {
        self.inner.stored_state(run).await
    }

    async fn plan(&mut self, table: &Table) -> Result<TableChange> {
        self.inner.plan(table).await
    }

    async fn rename_pipeline(&mut self, new: &str) -> Result<()> {
        self.inner.rename_pipeline(new).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use target_api::{Checkpoint, FullRefresh, RunIdentity, StateChange, Status, Target as _};

    use super::{Fault, Faults, FaultyTarget, Operation};
    use crate::memory::{MemoryTarget, MemoryWarehouse};

    fn run() -> RunIdentity {
        let text = String::new;
        let full_refresh = FullRefresh::No;
        let pipeline = "p".to_owned();
        let (environment, shard, tap, run) = (text(), text(), text(), text());
        RunIdentity {
            environment,
            pipeline,
            shard,
            tap,
            run,
            full_refresh,
            takes_over: false,
            keeps_state: true,
        }
    }

    #[tokio::test]
    async fn a_lost_reply_is_a_commit_that_was_made() {
        let (warehouse, faults) = (MemoryWarehouse::default(), Arc::new(Faults::default()));
        faults.plan(Operation::Commit, 1, Fault::Reject(Status::Temporary));
        faults.plan(Operation::Commit, 2, Fault::FailAfter(Status::Temporary));
        let checkpoint = Checkpoint { state: StateChange::Set("{}".into()) };
        for sequence in [0, 1] {
            let mut target = FaultyTarget::new(MemoryTarget::new(&warehouse), Arc::clone(&faults));
            target.resume(&run()).await.unwrap();
            assert_eq!(target.commit(&checkpoint).await.unwrap_err().status, Status::Temporary);
            assert_eq!(warehouse.stored_state("p").unwrap().sequence, sequence);
        }
        assert_eq!(faults.calls(Operation::Commit), 2);
    }

    #[tokio::test]
    async fn a_held_call_goes_on_when_it_is_released() {
        let (warehouse, faults) = (MemoryWarehouse::default(), Arc::new(Faults::default()));
        faults.plan(Operation::Resume, 1, Fault::Hold);
        let mut target = FaultyTarget::new(MemoryTarget::new(&warehouse), Arc::clone(&faults));
        let resumed = tokio::spawn(async move { target.resume(&run()).await.map(drop) });
        faults.held().await;
        assert_eq!(warehouse.stored_state("p"), None, "nothing is done while it is held");
        faults.release();
        resumed.await.unwrap().unwrap();
        assert!(warehouse.stored_state("p").is_some());
    }
}
