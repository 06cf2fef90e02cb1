//! The commit. The files are appended to first, then the state file is replaced: until that moment nothing counts,
//! and what a crash leaves behind is cut off when the next run begins. Files that start over are written beside the
//! old ones, which stay until the state file says that they are replaced.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom};
use std::path::Path;

use columns::StreamName;
use target_api::refusal::name_taken;
use target_api::{Result, StateChange};

use crate::config::Settings;
use crate::error::file;
use crate::lock::Lock;
use crate::memory::Memory;
use crate::open::{agree, length, refuse_taken, refuse_unended};
use crate::settle::settle;
use crate::stage::Epoch;
use crate::state::{Fence, RegisteredTable, StateFile, replacement};

/// All that a commit needs.
pub(crate) struct Commit {
    pub(crate) settings: Settings,
    pub(crate) fence: Fence,
    /// Open streams, with the names of their files.
    pub(crate) files: Vec<(StreamName, String)>,
    pub(crate) epoch: Epoch,
    /// Streams whose lines replace what their files hold.
    pub(crate) overwriting: BTreeSet<StreamName>,
    /// Whether it is the run's first, with which streams start over.
    pub(crate) first: bool,
    pub(crate) change: StateChange,
}

impl Commit {
    /// Makes everything durable, and gives the sequence. Blocks the thread.
    pub(crate) fn perform(mut self) -> Result<i64> {
        let folder = self.settings.folder.clone();
        let _lock = Lock::take(&folder, Memory::of(&self.fence.run), self.settings.patience)?;
        let committed = self.under_lock(&folder);
        if committed.is_err() {
            // So that nobody sees what was not committed. Where it fails, the next run does it.
            let _ = StateFile::read(&folder, Memory::of(&self.fence.run))
                .and_then(|mut state| settle(&folder, &mut state, &self.fence.run));
        }
        committed
    }

    fn under_lock(&mut self, folder: &Path) -> Result<i64> {
        let mut state = StateFile::read(folder, Memory::of(&self.fence.run))?;
        state.verify(folder, &self.fence)?;
        if settle(folder, &mut state, &self.fence.run)? {
            // Else a crash could put what is now written in the place that an older commit meant for its own.
            state.save(folder)?;
        }
        let before = self.owned(&state);
        self.register(folder, &mut state)?;
        for table in &mut state.tables {
            if !table.is_of(&self.fence.run) {
                continue;
            }
            let starts_over = before.contains(&table.file) && self.starts_over(&table.stream);
            if starts_over || self.overwriting.contains(table.stream.as_str()) {
                self.replace(folder, table)?;
            } else if self.epoch.has(&table.stream) {
                self.append(folder, table)?;
            }
        }
        let sequence = state.advance(folder, &self.fence, &self.change)?;
        state.save(folder)?;
        settle(folder, &mut state, &self.fence.run)?;
        Ok(sequence)
    }

    fn owned(&self, state: &StateFile) -> BTreeSet<String> {
        let tables = state.tables.iter().filter(|table| table.is_of(&self.fence.run));
        tables.map(|table| table.file.clone()).collect()
    }

    fn starts_over(&self, stream: &str) -> bool {
        self.first && self.fence.run.full_refresh.covers(stream)
    }

    /// Says whose the new files are before a line is in them: else a crash would leave lines that are nobody's, and
    /// that would be kept.
    fn register(&self, folder: &Path, state: &mut StateFile) -> Result<()> {
        let run = &self.fence.run;
        let mut new = Vec::new();
        for (stream, name) in &self.files {
            refuse_taken(folder, state, run, (stream, name))?;
            let known = |row: &&RegisteredTable| row.is_of(run) && row.stream == stream.as_str();
            if state.tables.iter().find(known).is_some_and(|row| row.file == *name) {
                continue;
            }
            let path = folder.join(name);
            refuse_unended(&path)?;
            // A stream that moved leaves its old file as it is.
            state.tables.retain(|row| !known(&row));
            state.tables.push(RegisteredTable {
                environment: run.environment.clone(),
                pipeline: run.pipeline.clone(),
                stream: stream.as_str().to_owned(),
                file: name.clone(),
                length: length(&path)?.unwrap_or(0),
                replaced_by: None,
            });
            new.push(path);
        }
        if new.is_empty() {
            return Ok(());
        }
        state.save(folder)?;
        for path in new {
            appending(&path).map_err(|error| file("creating", &path, error))?;
        }
        Ok(())
    }

    fn append(&mut self, folder: &Path, table: &mut RegisteredTable) -> Result<()> {
        let path = folder.join(&table.file);
        let found = length(&path)?;
        if found.is_none() && self.first && !self.fence.has_state {
            // No STATE says that records are there.
            table.length = 0;
        }
        agree(&StreamName::from(table.stream.as_str()), &path, (table.length, found))?;
        let appended = append_lines(&mut self.epoch, table, &path);
        table.length += appended.map_err(|error| file("appending to", &path, error))?;
        Ok(())
    }

    fn replace(&mut self, folder: &Path, table: &mut RegisteredTable) -> Result<()> {
        if !self.epoch.has(&table.stream) {
            table.length = 0;
            return Ok(());
        }
        let new = replacement(&table.file);
        let path = folder.join(&new);
        let written = write_lines(&mut self.epoch, table, &path);
        table.length = written.map_err(|error| file("writing", &path, error))?;
        table.replaced_by = Some(new);
        Ok(())
    }
}

fn append_lines(epoch: &mut Epoch, table: &RegisteredTable, path: &Path) -> std::io::Result<u64> {
    let mut data = appending(path)?;
    data.seek(SeekFrom::Start(table.length))?;
    let bytes = epoch.copy(&table.stream, &mut data)?;
    data.sync_all()?;
    Ok(bytes)
}

fn write_lines(epoch: &mut Epoch, table: &RegisteredTable, path: &Path) -> std::io::Result<u64> {
    let mut data = File::create(path)?;
    let bytes = epoch.copy(&table.stream, &mut data)?;
    data.sync_all()?;
    Ok(bytes)
}

fn appending(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

/// Gives state and files of a pipeline to another one.
pub(crate) fn rename_pipeline(settings: &Settings, fence: &Fence, new: &str) -> Result<()> {
    let folder = &settings.folder;
    let _lock = Lock::take(folder, Memory::of(&fence.run), settings.patience)?;
    let mut state = StateFile::read(folder, Memory::of(&fence.run))?;
    state.verify(folder, fence)?;
    let run = &fence.run;
    let is =
        |environment: &str, pipeline: &str, name: &str| environment == run.environment && pipeline == name;
    // A run of the new name that failed before its first commit leaves a row that says nothing, as does `state clear`.
    state.pipelines.retain(|row| row.state.is_some() || !is(&row.environment, &row.pipeline, new));
    if state.pipelines.iter().any(|row| is(&row.environment, &row.pipeline, new)) {
        return Err(name_taken(new, folder.display()));
    }
    state.tables.retain(|row| !is(&row.environment, &row.pipeline, new));
    let pipelines = state.pipelines.iter_mut().map(|row| (&row.environment, &mut row.pipeline));
    let tables = state.tables.iter_mut().map(|row| (&row.environment, &mut row.pipeline));
    for (environment, pipeline) in pipelines.chain(tables) {
        if is(environment, pipeline, &run.pipeline) {
            new.clone_into(pipeline);
        }
    }
    state.save(folder)
}
