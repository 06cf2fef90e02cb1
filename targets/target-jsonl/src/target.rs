//! The target: what is open, and what waits for the commit. Work on files is done on tokio's blocking threads.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use columns::StreamName;
use columns::arrow_array::RecordBatch;
use target_api::refusal::{own_stream, taken};
use target_api::{
    Capabilities, Checkpoint, Committed, IdentifierRule, LoadMethod, Promise, Result, RunIdentity,
    StoredState, Table, TableChange, Target, ValueLimits, Version, async_trait,
};
use tracing::warn;

use crate::check::check;
use crate::commit::{Commit, rename_pipeline};
use crate::config::Settings;
use crate::error::{bug, file, over};
use crate::lock::Lock;
use crate::memory::Memory;
use crate::open::{OpenTable, Opening};
use crate::settle::{settle, sweep};
use crate::stage::{Batch, Epoch};
use crate::state::{Fence, StateFile};
use crate::tables::file_name;

/// Appends to the files of one folder. Its promise is at-least-once: see the README.
#[derive(Debug)]
pub struct JsonlTarget {
    settings: Settings,
    /// Who runs, where only `stored_state` said so.
    identity: Option<RunIdentity>,
    fence: Option<Fence>,
    /// Whether an error ended the epoch: nothing of it can be committed any more.
    over: bool,
    tables: HashMap<StreamName, Arc<OpenTable>>,
    epoch: Epoch,
    /// Whether the first commit, with which streams start over, is made.
    started_over: bool,
    /// Streams that overwrite their files, and have done so.
    overwritten: BTreeSet<StreamName>,
    /// Streams whose `ACTIVATE_VERSION` was warned of.
    warned: HashSet<StreamName>,
}

impl JsonlTarget {
    /// Reads the settings (see [`settings_schema`](crate::settings_schema)). Touches no file.
    pub fn new(config_json: &str) -> Result<Self> {
        Ok(Self::empty(Settings::parse(config_json)?))
    }

    fn empty(settings: Settings) -> Self {
        Self {
            settings,
            identity: None,
            fence: None,
            over: false,
            tables: HashMap::new(),
            epoch: Epoch::default(),
            started_over: false,
            overwritten: BTreeSet::new(),
            warned: HashSet::new(),
        }
    }

    fn fence(&self) -> Result<&Fence> {
        if self.over {
            return Err(over());
        }
        self.fence.as_ref().ok_or_else(|| bug("the fence was not taken before records came"))
    }

    /// An error ends the epoch, and its lines go away with it.
    fn ending<T>(&mut self, outcome: Result<T>) -> Result<T> {
        if outcome.is_err() {
            self.over = true;
            self.epoch = Epoch::default();
        }
        outcome
    }

    /// Whether the next commit puts a new file in the place of the table's.
    fn overwrites(&self, table: &Table) -> bool {
        table.load_method == LoadMethod::Overwrite && !self.overwritten.contains(&table.schema.stream)
    }

    async fn planned(&self, run: &RunIdentity, table: &Table) -> Result<TableChange> {
        let stream = &table.schema.stream;
        let name = file_name(&table.name);
        let mut others = self.tables.iter().filter(|(other, _)| *other != stream);
        if let Some((other, _)) = others.find(|(_, open)| open.file == name) {
            let by = own_stream(run, other.as_str());
            return Err(taken(self.settings.folder.join(name).display(), &by));
        }
        let has_state = self.fence.as_ref().is_some_and(|fence| fence.has_state);
        let is_replaced = run.full_refresh.covers(stream.as_str()) || self.overwrites(table);
        let must_agree = has_state && !is_replaced && !self.tables.contains_key(stream);
        let (folder, run, table) = (self.settings.folder.clone(), run.clone(), table.clone());
        blocking(move || {
            let state = StateFile::read(&folder, Memory::of(&run))?;
            Opening { folder: &folder, run: &run, state: &state, must_agree }.plan(&table)
        })
        .await
    }

    async fn open_table(&mut self, table: &Table) -> Result<TableChange> {
        let run = self.fence()?.run.clone();
        let stream = &table.schema.stream;
        let before = self.tables.get(stream).cloned();
        if let Some(open) = before.as_ref().filter(|open| open.table.name == table.name) {
            let place = self.settings.folder.join(&open.file).display().to_string();
            let open = OpenTable { table: table.clone(), ..OpenTable::clone(open) };
            self.tables.insert(stream.clone(), Arc::new(open));
            return Ok(TableChange { place, ..TableChange::default() });
        }
        if before.is_some() {
            return Err(bug(format!("stream `{stream}` changes its table within a run")));
        }
        let change = self.planned(&run, table).await?;
        let open = OpenTable { table: table.clone(), file: file_name(&table.name), written: 0 };
        self.tables.insert(stream.clone(), Arc::new(open));
        Ok(change)
    }

    async fn write_batch(&mut self, stream: &StreamName, records: RecordBatch) -> Result<()> {
        self.fence()?;
        let open = self.tables.get(stream).cloned();
        let mut open = open.ok_or_else(|| bug(format!("stream `{stream}` is not open")))?;
        let count = records.num_rows() as u64;
        let (folder, mut epoch) = (self.settings.folder.clone(), std::mem::take(&mut self.epoch));
        let (stream_name, shared) = (stream.clone(), Arc::clone(&open));
        self.epoch = blocking(move || {
            let columns = &shared.table.schema.columns;
            let batch = Batch { stream: &stream_name, columns, records: &records, written: shared.written };
            epoch.add(&folder, &batch).map(|()| epoch)
        })
        .await?;
        Arc::make_mut(&mut open).written += count;
        self.tables.insert(stream.clone(), open);
        Ok(())
    }

    async fn commit_epoch(&mut self, checkpoint: &Checkpoint) -> Result<Committed> {
        let fence = self.fence()?.clone();
        let files = self.tables.iter().map(|(stream, open)| (stream.clone(), open.file.clone()));
        let mut files: Vec<_> = files.collect();
        files.sort();
        let overwriting = self.tables.iter().filter(|(_, open)| self.overwrites(&open.table));
        let overwriting: BTreeSet<_> = overwriting.map(|(stream, _)| stream.clone()).collect();
        self.overwritten.extend(overwriting.iter().cloned());
        let commit = Commit {
            files,
            overwriting,
            first: !self.started_over,
            settings: self.settings.clone(),
            fence,
            epoch: std::mem::take(&mut self.epoch),
            change: checkpoint.state.clone(),
        };
        let sequence = blocking(move || commit.perform()).await?;
        if let Some(fence) = &mut self.fence {
            fence.sequence = sequence;
        }
        self.started_over = true;
        Ok(Committed { sequence })
    }
}

/// Does work that waits for a disk where it holds nothing up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(bug("the thread that worked on the files ended without a result")))
}

fn resume(settings: &Settings, run: &RunIdentity) -> Result<(Fence, Option<String>)> {
    let folder: &Path = &settings.folder;
    fs::create_dir_all(folder).map_err(|error| file("making", folder, error))?;
    let _lock = Lock::take(folder, Memory::of(run), settings.patience)?;
    let mut state = StateFile::read(folder, Memory::of(run))?;
    let taken = state.take_fence(folder, run)?;
    sweep(folder, &state)?;
    settle(folder, &mut state, run)?;
    state.save(folder)?;
    Ok(taken)
}

#[async_trait]
impl Target for JsonlTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            promise: Promise::AtLeastOnce,
            transactional_ddl: true,
            versions: false,
            upsert: false,
            shared_tables: false,
            grants: false,
            // Names of columns are JSON strings; those of tables are made file names by `file_name`.
            identifier: IdentifierRule { max_bytes: usize::MAX, case_insensitive: false },
            limits: ValueLimits {
                // The years 1 to 9999: RFC 3339 writes a year with four digits.
                days: (-719_162, 2_932_896),
                instants: (-62_135_596_800_000_000, 253_402_300_799_999_999),
                ..ValueLimits::default()
            },
        }
    }

    async fn check(&mut self) -> Result<()> {
        let folder = self.settings.folder.clone();
        blocking(move || check(&folder)).await
    }

    async fn resume(&mut self, run: &RunIdentity) -> Result<Option<String>> {
        *self = Self::empty(self.settings.clone());
        let (settings, run) = (self.settings.clone(), run.clone());
        let (fence, state) = blocking(move || resume(&settings, &run)).await?;
        self.fence = Some(fence);
        Ok(state)
    }

    async fn open(&mut self, table: &Table) -> Result<TableChange> {
        let opened = self.open_table(table).await;
        self.ending(opened)
    }

    async fn write(&mut self, stream: &StreamName, batch: RecordBatch) -> Result<()> {
        let written = self.write_batch(stream, batch).await;
        self.ending(written)
    }

    async fn activate_version(&mut self, stream: &StreamName, _version: Version) -> Result<()> {
        self.fence()?;
        if self.warned.insert(stream.clone()) {
            warn!(%stream, "ACTIVATE_VERSION is ignored: from a file of lines no record is removed");
        }
        Ok(())
    }

    async fn commit(&mut self, checkpoint: &Checkpoint) -> Result<Committed> {
        let committed = self.commit_epoch(checkpoint).await;
        self.ending(committed)
    }

    async fn stored_state(&mut self, run: &RunIdentity) -> Result<Option<StoredState>> {
        self.identity = Some(run.clone());
        let (folder, run) = (self.settings.folder.clone(), run.clone());
        blocking(move || Ok(StateFile::read(&folder, Memory::of(&run))?.stored(&run))).await
    }

    async fn plan(&mut self, table: &Table) -> Result<TableChange> {
        let run = self.fence.as_ref().map(|fence| fence.run.clone()).or_else(|| self.identity.clone());
        let run = run.ok_or_else(|| bug("a plan was asked for before it was said who runs"))?;
        self.planned(&run, table).await
    }

    async fn rename_pipeline(&mut self, new: &str) -> Result<()> {
        let (settings, fence, name) = (self.settings.clone(), self.fence()?.clone(), new.to_owned());
        let renamed = blocking(move || rename_pipeline(&settings, &fence, &name)).await;
        if renamed.is_ok()
            && let Some(fence) = &mut self.fence
        {
            new.clone_into(&mut fence.run.pipeline);
        }
        self.ending(renamed)
    }
}
