//! Messages in, steps out, cut at a STATE.
//!
//! Each STATE is noted with the number of records that every open builder held then (the marks). It becomes a
//! checkpoint at once when the bytes or the age since the last cut are over the limit, and otherwise when input falls
//! silent, before an `ACTIVATE_VERSION`, or at the end: the rows up to the marks go first, then the checkpoint, then
//! the rest. So the steps before a checkpoint hold exactly the records before its STATE, always. Once a later record
//! has gone out it is passed: it can only be committed with the end.

mod files;
mod messages;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use columns::ValueLimits;
use columns::arrow_array::RecordBatch;
use singer::State;
use target_api::Version;

use self::files::OpenBatch;
use crate::stream::Stream;
use crate::{DecodeLimits, LoadStep, Now, Rules};

/// Wire bytes after which a builder is asked how much it holds.
const WEIGH_EVERY: usize = 64 << 10;

pub(crate) struct Cutter {
    limits: DecodeLimits,
    values: ValueLimits,
    rules: Rules,
    streams: Vec<Stream>,
    index: HashMap<String, usize>,
    /// What to do about the streams that may not come.
    not_selected: HashMap<String, String>,
    /// The stream of the last record, and of the one being walked.
    last: Option<usize>,
    walking: Option<usize>,
    /// Streams whose builders hold records.
    open: Vec<usize>,
    open_bytes: usize,
    steps: VecDeque<LoadStep>,
    /// The BATCH message whose files are still to come.
    batch: Option<OpenBatch>,
    /// The STATE that the marks belong to.
    pending: Option<State>,
    /// The last STATE, once later records have gone out.
    passed: Option<State>,
    last_cut: Option<State>,
    dirty: bool,
    wire_since_cut: u64,
    cut_at: Duration,
    records: u64,
    now: Now,
    sync_started: i64,
}

impl Cutter {
    pub(crate) fn new(limits: DecodeLimits, values: ValueLimits, rules: Rules, now: Now) -> Self {
        Self {
            limits,
            values,
            rules,
            streams: Vec::new(),
            index: HashMap::new(),
            not_selected: HashMap::new(),
            last: None,
            walking: None,
            open: Vec::new(),
            open_bytes: 0,
            steps: VecDeque::new(),
            batch: None,
            pending: None,
            passed: None,
            last_cut: None,
            dirty: false,
            wire_since_cut: 0,
            cut_at: now.elapsed,
            records: 0,
            sync_started: now.wall / 1000,
            now,
        }
    }

    /// The time since the last read goes to the stream whose records came last.
    pub(crate) fn set_time(&mut self, now: Now) {
        if let Some(stream) = self.last.and_then(|last| self.streams.get_mut(last)) {
            stream.reading += now.elapsed.saturating_sub(self.now.elapsed);
        }
        self.now = now;
    }

    pub(crate) fn next_step(&mut self) -> Option<LoadStep> {
        self.steps.pop_front()
    }

    pub(crate) fn limits(&self) -> &DecodeLimits {
        &self.limits
    }

    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// When the noted STATE is old enough to become a checkpoint; `None` while none waits.
    pub(crate) fn due_at(&self) -> Option<Duration> {
        self.pending.as_ref().map(|_| self.cut_at + self.limits.checkpoint_every)
    }

    /// Gives the target the tables that wait.
    fn open_waiting(&mut self, is_time: impl Fn(&Stream) -> bool) {
        for index in 0..self.streams.len() {
            if !self.streams[index].opened && is_time(&self.streams[index]) {
                self.open_table(index);
            }
        }
    }

    fn open_table(&mut self, index: usize) {
        self.streams[index].opened = true;
        self.steps.push_back(LoadStep::Table(Box::new(self.streams[index].table())));
        self.dirty = true;
    }

    /// Counts an accepted record and lets batches go that have become too large.
    fn accepted(&mut self, index: usize, wire: usize) {
        self.records += 1;
        self.dirty = true;
        self.wire_since_cut += wire as u64;
        if !self.streams[index].opened {
            self.open_table(index);
        }
        let stream = &mut self.streams[index];
        if stream.builder.records() == 1 {
            self.open.push(index);
        }
        stream.unweighed += wire;
        if self.limits.batch_records.is_some_and(|most| stream.builder.records() >= most) {
            // Whoever counts records wants the STATEs between them.
            self.settle(true);
            self.emit(index);
            return;
        }
        if stream.unweighed < WEIGH_EVERY {
            return;
        }
        let before = stream.held;
        (stream.held, stream.unweighed) = (stream.builder.bytes(), 0);
        self.open_bytes = self.open_bytes + stream.held - before;
        if stream.held >= self.limits.batch_bytes {
            self.emit(index);
        } else if self.open_bytes + self.open.len() * WEIGH_EVERY > self.limits.open_bytes {
            let largest = self.open.iter().copied().max_by_key(|&open| self.streams[open].held);
            if let Some(largest) = largest {
                self.emit(largest);
            }
        }
    }

    fn state(&mut self, state: State) {
        for &open in &self.open {
            self.streams[open].mark = self.streams[open].builder.records();
        }
        if !self.dirty && self.last_cut.as_ref() == Some(&state) {
            return;
        }
        self.streams.iter_mut().for_each(|stream| stream.due = true);
        (self.pending, self.passed) = (Some(state), None);
        if self.wire_since_cut >= self.limits.checkpoint_bytes || self.is_old() {
            self.settle(true);
        }
    }

    pub(crate) fn is_old(&self) -> bool {
        self.now.elapsed.saturating_sub(self.cut_at) >= self.limits.checkpoint_every
    }

    /// Makes the noted STATE a checkpoint: rows up to the marks, the checkpoint, then (or never) the rest.
    pub(crate) fn settle(&mut self, keep_rest: bool) {
        let Some(state) = self.pending.take() else { return };
        self.open_waiting(|stream| stream.due);
        let mut rest = Vec::new();
        for index in std::mem::take(&mut self.open) {
            let mark = self.streams[index].mark;
            let Some(whole) = self.finish(index) else { continue };
            self.streams[index].followed = true;
            let records = whole.num_rows();
            let stream = self.streams[index].name.clone();
            let mut reading = std::mem::take(&mut self.streams[index].reading);
            if mark > 0 {
                let (stream, batch) = (stream.clone(), whole.slice(0, mark));
                self.steps.push_back(LoadStep::Batch {
                    stream,
                    batch,
                    reading: std::mem::take(&mut reading),
                });
            }
            if mark < records {
                let batch = whole.slice(mark, records - mark);
                rest.push(LoadStep::Batch { stream, batch, reading });
            }
        }
        self.steps.push_back(LoadStep::Checkpoint(state.clone()));
        (self.last_cut, self.wire_since_cut, self.cut_at) = (Some(state), 0, self.now.elapsed);
        self.dirty = !rest.is_empty() || self.streams.iter().any(|stream| !stream.opened);
        if keep_rest {
            self.steps.extend(rest);
        }
    }

    /// Records later than the noted STATE go out.
    fn pass(&mut self) {
        self.passed = self.pending.take().or(self.passed.take());
    }

    /// Lets a stream's batch go.
    fn emit(&mut self, index: usize) {
        if self.streams[index].builder.records() > self.streams[index].mark {
            self.pass();
        }
        if let Some(batch) = self.finish(index) {
            self.open.retain(|&open| open != index);
            self.push(index, batch);
        }
    }

    fn push(&mut self, index: usize, batch: RecordBatch) {
        let stream = &mut self.streams[index];
        stream.followed = true;
        let (name, reading) = (stream.name.clone(), std::mem::take(&mut stream.reading));
        self.steps.push_back(LoadStep::Batch { stream: name, batch, reading });
    }

    fn finish(&mut self, index: usize) -> Option<RecordBatch> {
        let stream = &mut self.streams[index];
        self.open_bytes -= stream.held;
        (stream.held, stream.unweighed, stream.mark) = (0, 0, 0);
        self.tell_undeclared(index);
        self.streams[index].builder.finish()
    }

    fn tell_undeclared(&mut self, index: usize) {
        let stream = &mut self.streams[index];
        for property in stream.undeclared() {
            tracing::warn!(
                stream = stream.name.as_str(),
                property,
                "dropped a property that the SCHEMA does not have"
            );
        }
    }

    pub(crate) fn end(&mut self) {
        self.settle(true);
        self.open_waiting(|_| true);
        for index in std::mem::take(&mut self.open) {
            if let Some(batch) = self.finish(index) {
                self.push(index, batch);
            }
        }
        self.activate_again();
        self.steps.push_back(LoadStep::End(self.passed.take()));
    }

    /// The taps of the Meltano SDK announce a version before its records and say no more. Then nothing of it was
    /// there to stay, and older records were kept: now that all of it has come, they go.
    fn activate_again(&mut self) {
        for stream in &mut self.streams {
            if let Some(number) = stream.announced.filter(|_| std::mem::take(&mut stream.followed)) {
                let version = Version { number, truncated: false };
                self.steps.push_back(LoadStep::ActivateVersion { stream: stream.name.clone(), version });
                self.dirty = true;
            }
        }
    }
}
