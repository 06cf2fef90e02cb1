//! A stream of changes: its plan, its bookmark, and how far it is.

use singer::{Catalog, Envelope};
use tap_sdk::{TapError, log, time_extracted_now, version_now};

use crate::bookmark::Bookmark;
use crate::config::Config;
use crate::full_table;
use crate::log_based::logged::logged;
use crate::log_based::lsn::Lsn;
use crate::log_based::message::Begin;
use crate::log_based::partition;
use crate::log_based::shape::{Change, Shape};
use crate::log_based::snapshot::Start;
use crate::plan::{StreamPlan, plan_of};
use crate::session::Session;
use crate::sync::Run;

#[derive(Debug)]
pub(super) struct LogStream {
    pub(super) plan: StreamPlan,
    pub(super) shape: Shape,
    pub(super) bookmark: Bookmark,
    pub(super) envelope: Envelope,
    /// Whether transactions under way may have changed its table before that was published.
    pub(super) settles: bool,
}

impl LogStream {
    pub(super) fn new(plan: StreamPlan, shape: Shape, bookmark: Bookmark) -> Self {
        let envelope = Envelope::new(&plan.name, None, None);
        let mut stream = Self { plan, shape, bookmark, envelope, settles: true };
        if stream.bookmark.lsn.is_none() {
            // What another method did is none of ours, but the version that it gave.
            let version = stream.bookmark.version;
            stream.bookmark = Bookmark { version, ..Bookmark::default() };
        }
        stream
    }

    /// Compares its table with what its bookmark knows.
    pub(super) async fn begin(&mut self, side: &Session, config: &Config) -> Result<(), TapError> {
        if let Some(before) = self.bookmark.shape.clone() {
            if let (Some(was), Some(is)) = (before.system, self.shape.system)
                && was != is
            {
                let (id, place) = (&self.plan.id, side.place());
                return Err(TapError::config(format!(
                    "{id}: its STATE is of the server with the system identifier {was}, and {place} is {is}: its log has nothing of that one"
                ))
                .with_hint("check `host`; else run once with --full-refresh of the streams that are LOG_BASED"));
            }
            self.turn_from(&before, side, config).await?;
        }
        Ok(())
    }

    /// Whether its table is now as it knows it. `Err`: its changes are not told as they must be.
    pub(super) async fn is_current(&self, side: &Session, config: &Config) -> Result<bool, TapError> {
        let Some(now) = logged(side, &config.publication, &[&self.plan]).await?.pop() else {
            return Ok(false);
        };
        now.require(&self.plan)?;
        Ok(now.shape == self.shape)
    }

    /// Takes its table as it is now. `true`: a SCHEMA is to follow.
    pub(super) async fn renew(
        &mut self,
        side: &Session,
        config: &Config,
        catalog: &Catalog,
    ) -> Result<bool, TapError> {
        self.plan = plan_of(side, config, catalog, &self.plan.id).await?;
        let Some(logged) = logged(side, &config.publication, &[&self.plan]).await?.pop() else {
            return Ok(false);
        };
        logged.require(&self.plan)?;
        let before = std::mem::replace(&mut self.shape, logged.shape);
        let is_new = self.turn_from(&before, side, config).await?;
        self.begin_records();
        Ok(is_new)
    }

    /// `true`: a SCHEMA is to follow.
    async fn turn_from(&mut self, before: &Shape, side: &Session, config: &Config) -> Result<bool, TapError> {
        let change = before.change_to(&self.shape);
        if let Change::Rows(reason) = change {
            self.start_over(&reason);
            return Ok(false);
        }
        // The rest of a table that is being read has all its partitions.
        let partitions = if self.needs_rows() { Vec::new() } else { self.shape.new_partitions(before) };
        for partition in partitions {
            if partition::brings_rows(side, &config.publication, &self.plan, partition).await? {
                self.start_over("a partition that has rows was attached");
                return Ok(false);
            }
        }
        Ok(change == Change::Columns)
    }

    /// All its rows are to be read once more, in a new version.
    pub(super) fn start_over(&mut self, reason: &str) {
        if !self.needs_rows() || self.bookmark.progress.is_some() {
            log::warning(&format!("{}: all rows are read once more, since {reason}", self.plan.id));
        }
        self.bookmark = Bookmark { version: self.bookmark.version, ..Bookmark::default() };
        self.settles = true;
    }

    /// Whether its first rows are not all out.
    pub(super) fn needs_rows(&self) -> bool {
        self.bookmark.lsn.is_none() || self.bookmark.progress.is_some()
    }

    /// Reads its rows. `from`: the slot has all changes from there on.
    pub(super) async fn read_rows(&mut self, from: Lsn, run: &mut Run<'_>) -> Result<(), TapError> {
        let known = self.bookmark.version.map(|_| self.bookmark.clone());
        let start = Start { lsn: from, shape: self.shape.clone() };
        self.bookmark = full_table::run(&self.plan, known, Some(start), run).await?;
        Ok(())
    }

    /// Whether the changes of this transaction are still to be sent.
    pub(super) fn wants(&self, begin: &Begin) -> bool {
        !self.needs_rows()
            && self.bookmark.lsn.is_some_and(|lsn| begin.commit >= lsn)
            && !self.bookmark.snapshot.as_ref().is_some_and(|snapshot| snapshot.saw(begin.xid, begin.commit))
    }

    /// What its records have in common, from now on.
    pub(super) fn begin_records(&mut self) {
        self.envelope = Envelope::new(&self.plan.name, self.bookmark.version, Some(&time_extracted_now()));
    }

    /// A new version for a table without rows.
    pub(super) fn empty(&mut self) -> i64 {
        let version = version_now().max(self.bookmark.version.map_or(0, |before| before + 1));
        self.bookmark.version = Some(version);
        self.begin_records();
        version
    }

    /// Its bookmark where everything is out that was committed before that place.
    pub(super) fn bookmark_at(&mut self, place: Lsn) -> &Bookmark {
        if !self.needs_rows() {
            self.bookmark.lsn = self.bookmark.lsn.max(Some(place));
            self.bookmark.shape = Some(self.shape.clone());
            if self.bookmark.snapshot.as_ref().is_some_and(|snapshot| snapshot.is_past(place)) {
                self.bookmark.snapshot = None;
            }
        }
        &self.bookmark
    }
}
