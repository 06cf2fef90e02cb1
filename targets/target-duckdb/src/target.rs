//! The target: what it promises, and each call handed to DuckDB's thread.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use columns::StreamName;
use columns::arrow_array::RecordBatch;
use target_api::columns::{DatePolicy, NanPolicy, NulPolicy};
use target_api::{
    Capabilities, Checkpoint, Committed, Promise, Result, RunIdentity, StoredState, Table, TableChange,
    Target, ValueLimits, Version, async_trait,
};

use crate::config::{Config, Numbers, SCHEMA};
use crate::connection::Opening;
use crate::session::Session;
use crate::worker::Worker;
use crate::{ddl, numbers};

/// Loads into a DuckDB file. Dropping it closes the file, which may take the time of a checkpoint.
pub struct DuckDbTarget {
    numbers: Numbers,
    closing: Arc<AtomicBool>,
    worker: Worker<Session>,
}

impl DuckDbTarget {
    /// A target for the settings in `config_json`; nothing is opened yet. `probe` is a program that runs
    /// [`probe_main`](crate::probe_main) when it is called with `__probe-duckdb PATH`; without one a write-ahead log
    /// that a killed program left is replayed in this process, which DuckDB may abort.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(config_json: &str, probe: Option<PathBuf>) -> Result<Self> {
        let config = Config::parse(config_json)?;
        let (numbers, closing) = (config.numbers, Arc::new(AtomicBool::new(false)));
        let opening = Opening { config, prober: probe, closing: Arc::clone(&closing) };
        Ok(Self { numbers, closing, worker: Worker::start(|| Session::new(opening))? })
    }
}

impl Drop for DuckDbTarget {
    /// Who waits for the file gives up; the worker's own drop then waits for its thread.
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

/// The target's settings as a JSON Schema.
#[must_use]
pub fn settings_schema() -> &'static str {
    SCHEMA
}

#[async_trait]
impl Target for DuckDbTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            promise: Promise::ExactlyOnce,
            transactional_ddl: true,
            versions: true,
            upsert: true,
            shared_tables: true,
            grants: false,
            identifier: ddl::RULE,
            limits: limits(self.numbers),
        }
    }

    async fn check(&mut self) -> Result<()> {
        self.worker.ask(Session::check).await
    }

    async fn resume(&mut self, run: &RunIdentity) -> Result<Option<String>> {
        let run = run.clone();
        self.worker.ask(move |session| session.resume(&run)).await
    }

    async fn open(&mut self, table: &Table) -> Result<TableChange> {
        let table = table.clone();
        self.worker.ask(move |session| session.open(&table)).await
    }

    async fn write(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()> {
        let stream = stream.clone();
        self.worker.ask(move |session| session.write(&stream, batch)).await
    }

    async fn activate_version(&mut self, stream: &StreamName, version: Version) -> Result<()> {
        let stream = stream.clone();
        self.worker.ask(move |session| session.activate_version(&stream, version)).await
    }

    async fn commit(&mut self, checkpoint: &Checkpoint) -> Result<Committed> {
        let checkpoint = checkpoint.clone();
        self.worker.ask(move |session| session.commit(&checkpoint)).await
    }

    async fn stored_state(&mut self, run: &RunIdentity) -> Result<Option<StoredState>> {
        let run = run.clone();
        self.worker.ask(move |session| session.stored_state(&run)).await
    }

    async fn plan(&mut self, table: &Table) -> Result<TableChange> {
        let table = table.clone();
        self.worker.ask(move |session| session.plan(&table)).await
    }

    async fn rename_pipeline(&mut self, new: &str) -> Result<()> {
        let new = new.to_owned();
        self.worker.ask(move |session| session.rename_pipeline(&new)).await
    }
}

/// DuckDB's days are 32 bits and its instants 64 bits of microseconds; the ends of both mean infinity, and its
/// earliest instant is a midnight. Its JSON reader takes no lone surrogate.
fn limits(kind: Numbers) -> ValueLimits {
    let (numeric_digits, numeric_nan) = match kind {
        Numbers::Decimal { precision, scale } => {
            ((usize::from(precision - scale), usize::from(scale)), false)
        }
        Numbers::Exact | Numbers::Text => (numbers::DIGITS, true),
    };
    ValueLimits {
        nul: NulPolicy::Keep,
        strict_json: true,
        key_bytes: None,
        days: (-2_147_483_646, 2_147_483_646),
        instants: (-9_223_372_022_400_000_000, 9_223_372_036_854_775_806),
        dates: DatePolicy::Fail,
        numeric_nan,
        nan: NanPolicy::Fail,
        numeric_digits,
    }
}
