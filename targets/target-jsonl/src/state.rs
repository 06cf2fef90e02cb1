//! `_tapster_state.json` (`_tapster_tables.json`, where no STATE is kept): the STATEs, the fences that keep older runs out, and the length of each file up to which
//! its lines are committed. To replace this file is to commit.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use target_api::refusal::{fenced, foreign_state};
use target_api::{Result, RunIdentity, StateChange, StoredState};

use crate::encode::instant;
use crate::error::{bug, damaged, file};
use crate::memory::Memory;

const FORMAT: u32 = 1;

/// Who runs, and what must stand in the state file for a commit.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    pub(crate) run: RunIdentity,
    pub(crate) number: i64,
    pub(crate) sequence: i64,
    /// Whether there is a STATE, which the files must then agree with.
    pub(crate) has_state: bool,
}

/// All that the state file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StateFile {
    format: u32,
    #[serde(skip, default = "states")]
    memory: Memory,
    pub(crate) pipelines: Vec<PipelineState>,
    pub(crate) tables: Vec<RegisteredTable>,
}

/// The STATE of one pipeline (of one shard of it).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PipelineState {
    pub(crate) environment: String,
    pub(crate) pipeline: String,
    pub(crate) shard: String,
    tap: String,
    /// As a text, so that its bytes stay what the tap wrote.
    pub(crate) state: Option<String>,
    sequence: i64,
    fence: i64,
    run: String,
    time: String,
}

/// Whose a file is, and how much of it is committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisteredTable {
    pub(crate) environment: String,
    pub(crate) pipeline: String,
    pub(crate) stream: String,
    /// Name of the file in the folder.
    pub(crate) file: String,
    /// Bytes of it that are committed.
    pub(crate) length: u64,
    /// Name of the file that takes its place, as long as that may still have to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaced_by: Option<String>,
}

impl RegisteredTable {
    /// Whether it is this pipeline's.
    pub(crate) fn is_of(&self, run: &RunIdentity) -> bool {
        (&self.environment, &self.pipeline) == (&run.environment, &run.pipeline)
    }
}

impl PipelineState {
    fn is_of(&self, run: &RunIdentity) -> bool {
        (&self.environment, &self.pipeline, &self.shard) == (&run.environment, &run.pipeline, &run.shard)
    }
}

impl StateFile {
    /// What stands in the folder; nothing, where nothing was written yet.
    pub(crate) fn read(folder: &Path, memory: Memory) -> Result<Self> {
        let path = folder.join(memory.file());
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { format: FORMAT, memory, pipelines: Vec::new(), tables: Vec::new() });
            }
            Err(error) => return Err(file("reading", &path, error)),
        };
        // The parser's words could quote the STATE; its line and column cannot.
        let state: Self = serde_json::from_slice(&text).map_err(|error| {
            damaged(
                &path,
                &format!(
                    "it breaks off or is no such JSON at line {}, column {}",
                    error.line(),
                    error.column()
                ),
            )
        })?;
        if state.format != FORMAT {
            return Err(damaged(
                &path,
                &format!("its format is {}, and this version knows {FORMAT}", state.format),
            ));
        }
        let mut tables = state.tables.iter();
        if tables.any(|table| outside(&table.file) || table.replaced_by.as_deref().is_some_and(outside)) {
            return Err(damaged(&path, "it names a file outside its folder"));
        }
        Ok(Self { memory, ..state })
    }

    /// Makes it what stands in the folder, durably. The lock must be held.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let (path, new) = (folder.join(self.memory.file()), folder.join(self.memory.new_file()));
        let text =
            serde_json::to_vec_pretty(self).map_err(|_| bug("the state file cannot be written as JSON"))?;
        let written = || {
            let mut out = File::create(&new)?;
            out.write_all(&text)?;
            out.write_all(b"\n")?;
            out.sync_all()?;
            fs::rename(&new, &path)?;
            sync_folder(folder)
        };
        written().map_err(|error| file("writing", &path, error))
    }

    /// Takes the fence and gives the STATE. Refuses another tap's, unless all starts over.
    pub(crate) fn take_fence(&mut self, folder: &Path, run: &RunIdentity) -> Result<(Fence, Option<String>)> {
        if !run.keeps_state {
            return Ok((Fence { run: run.clone(), number: 0, sequence: 0, has_state: false }, None));
        }
        let all = run.full_refresh == target_api::FullRefresh::All;
        if !self.pipelines.iter().any(|row| row.is_of(run)) {
            self.pipelines.push(PipelineState::new(run));
        }
        let row = self.pipelines.iter_mut().find(|row| row.is_of(run));
        let row = row.ok_or_else(|| bug("a row is not there after it was made"))?;
        if row.state.is_some() && row.tap != run.tap && !run.replaces_foreign_state() {
            return Err(foreign_state(&run.pipeline, folder.display(), &row.tap, &run.tap));
        }
        row.fence += 1;
        row.run.clone_from(&run.run);
        row.time = now();
        // Another tap's STATE is given up with the first commit only; until then nobody may see it.
        let state = row.state.clone().filter(|_| !all);
        let fence =
            Fence { run: run.clone(), number: row.fence, sequence: row.sequence, has_state: state.is_some() };
        Ok((fence, state))
    }

    /// The row of this run, if no other has overtaken it.
    fn row(&mut self, folder: &Path, fence: &Fence) -> Result<&mut PipelineState> {
        let run = &fence.run;
        match self.pipelines.iter_mut().find(|row| row.is_of(run)) {
            Some(row) if (row.fence, row.sequence) == (fence.number, fence.sequence) => Ok(row),
            row => Err(fenced(&run.pipeline, folder.display(), row.map(|row| row.run.as_str()))),
        }
    }

    /// Refuses to go on when another run has taken over, or has committed.
    pub(crate) fn verify(&mut self, folder: &Path, fence: &Fence) -> Result<()> {
        if !fence.run.keeps_state {
            return Ok(());
        }
        self.row(folder, fence).map(drop)
    }

    /// Puts the STATE and the next sequence into the row of this run; gives the sequence.
    pub(crate) fn advance(&mut self, folder: &Path, fence: &Fence, change: &StateChange) -> Result<i64> {
        if !fence.run.keeps_state {
            return Ok(fence.sequence + 1);
        }
        let row = self.row(folder, fence)?;
        match change {
            StateChange::Keep => {}
            StateChange::Set(state) => row.state = Some(state.as_ref().to_owned()),
            StateChange::Clear => row.state = None,
        }
        row.tap.clone_from(&fence.run.tap);
        row.run.clone_from(&fence.run.run);
        row.time = now();
        row.sequence += 1;
        Ok(row.sequence)
    }

    /// The row of this pipeline, for others to see.
    pub(crate) fn stored(&self, run: &RunIdentity) -> Option<StoredState> {
        let row = self.pipelines.iter().find(|row| row.is_of(run))?;
        Some(StoredState {
            state: row.state.clone(),
            sequence: row.sequence,
            tap: row.tap.clone(),
            run: row.run.clone(),
        })
    }
}

impl PipelineState {
    fn new(run: &RunIdentity) -> Self {
        Self {
            environment: run.environment.clone(),
            pipeline: run.pipeline.clone(),
            shard: run.shard.clone(),
            tap: run.tap.clone(),
            state: None,
            sequence: 0,
            fence: 0,
            run: String::new(),
            time: String::new(),
        }
    }
}

fn states() -> Memory {
    Memory::States
}

/// Whether this is more than the name of a file.
fn outside(name: &str) -> bool {
    Path::new(name).file_name().is_none_or(|plain| plain != name)
}

/// Name of what takes a file's place.
pub(crate) fn replacement(name: &str) -> String {
    format!("{name}{REPLACEMENT}")
}

/// How the names of files end that are not yet in their place. No table's file has it.
pub(crate) const REPLACEMENT: &str = ".tapster-new";

/// Makes what was created, renamed or removed in the folder durable.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    // An empty path is the working folder.
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() };
    File::open(folder)?.sync_all()
}

fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    instant(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Memory, StateFile};
    use std::fs;

    fn refusal(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(Memory::States.file()), text).unwrap();
        let error = StateFile::read(folder.path(), Memory::States).unwrap_err();
        assert_eq!(error.code, "E0382");
        error.message
    }

    #[test]
    fn a_state_file_that_is_not_ours_is_refused() {
        assert!(refusal("").contains("breaks off"));
        assert!(refusal(r#"{"format":1,"pipelines":[{"state":"secr"#).contains("line 1"));
        assert!(!refusal(r#"{"format":1,"pipelines":"secret","tables":[]}"#).contains("secret"));
        assert!(refusal(r#"{"format":9,"pipelines":[],"tables":[]}"#).contains("format is 9"));
        for name in ["../x.jsonl", "/etc/x", "..", ""] {
            let table =
                format!(r#"{{"environment":"","pipeline":"p","stream":"s","file":"{name}","length":1}}"#);
            let text = format!(r#"{{"format":1,"pipelines":[],"tables":[{table}]}}"#);
            assert!(refusal(&text).contains("outside"), "{name}");
        }
    }
}
