//! The course of a sync: the slot, the first rows of each table, the changes; and on and on, where it is asked for.

use std::time::{Duration, Instant};

use singer::Catalog;
use tap_sdk::{TapError, log};

use crate::bookmark::Bookmark;
use crate::config::Config;
use crate::log_based::acknowledged::{Acknowledged, reached};
use crate::log_based::logged::{Logged, logged};
use crate::log_based::lsn::Lsn;
use crate::log_based::pass::{self, Pass};
use crate::log_based::publication;
use crate::log_based::slot::{self, Found, Slot};
use crate::log_based::stop::Stop;
use crate::log_based::stream::LogStream;
use crate::plan::StreamPlan;
use crate::record::malformed;
use crate::row::RowReader;
use crate::sender::STATE_EVERY;
use crate::session::Session;
use crate::sync::Run;

/// Messages that a look at the log begins with. As long as nothing is acknowledged, each look sees again what the one
/// before saw: it doubles then.
const WINDOW: i32 = 100_000;
/// How long until the log is looked at again.
const LOOK: Duration = Duration::from_millis(250);
/// How often a STATE says that nothing came: else the server would keep its log for us.
const IDLE_STATE: Duration = Duration::from_secs(10);
/// How often the tables are looked at for what no log tells.
const TABLES: Duration = Duration::from_secs(10);

/// Sends all streams that are `LOG_BASED`.
pub(crate) async fn run(
    plans: Vec<StreamPlan>,
    catalog: &Catalog,
    run: &mut Run<'_>,
) -> Result<(), TapError> {
    let stop = Stop::from_environment()?;
    let side = Session::open(run.config).await?;
    let (asks, reads) = (side.process().await?, run.session.process().await?);
    let begun = tokio::select! {
        begun = Follower::begin(side, plans, catalog, run) => Some(begun?),
        () = stop.asked() => None,
    };
    let Some(mut follower) = begun else {
        // The server would go on with it, and a slot that is being made waits for others.
        return run.session.cancel(asks).await;
    };
    loop {
        tokio::select! {
            read = follower.read_rows(run) => read?,
            // What is out of a table in the middle is no loss: its next rows go on from the last STATE, or over it.
            () = stop.asked() => return Ok(()),
        }
        let end = slot::flushed(&follower.side).await?;
        follower.catch_up(end, &stop, run).await?;
        if stop.is_asked() {
            return follower.side.cancel(reads).await;
        }
        if !stop.is_continuous() {
            return follower.read_rows(run).await;
        }
        if follower.streams.iter().all(|stream| !stream.needs_rows()) {
            // The server reads again what it must keep, so it gets as much rest as work.
            stop.wait(LOOK.max(follower.look_took)).await;
        }
    }
}

/// Whether the server tells the changes of these streams, before anything is made.
pub(crate) async fn check(
    session: &Session,
    config: &Config,
    plans: &[&StreamPlan],
) -> Result<Vec<Logged>, TapError> {
    slot::require_server(session).await?;
    publication::warn(session, &config.publication).await?;
    tables_of(session, config, plans).await
}

/// The tables of these streams as they are now, if all their changes are told.
async fn tables_of(
    session: &Session,
    config: &Config,
    plans: &[&StreamPlan],
) -> Result<Vec<Logged>, TapError> {
    let tables = logged(session, &config.publication, plans).await?;
    for (plan, table) in plans.iter().zip(&tables) {
        table.require(plan)?;
    }
    publication::require(session, &config.publication, plans).await?;
    Ok(tables)
}

struct Follower<'c> {
    catalog: &'c Catalog,
    /// Asks while the run's own session sends.
    side: Session,
    streams: Vec<LogStream>,
    slot: Slot,
    /// All that was committed before it is out.
    place: Lsn,
    acknowledged: Acknowledged,
    window: i32,
    state_sent: Instant,
    tables_seen: Instant,
    /// How long the server worked for the last look.
    look_took: Duration,
}

impl<'c> Follower<'c> {
    async fn begin(
        side: Session,
        plans: Vec<StreamPlan>,
        catalog: &'c Catalog,
        run: &mut Run<'_>,
    ) -> Result<Self, TapError> {
        let tables = check(&side, run.config, &plans.iter().collect::<Vec<_>>()).await?;
        let mut streams = Vec::with_capacity(plans.len());
        for (plan, table) in plans.into_iter().zip(tables) {
            let bookmark = run.state.bookmark::<Bookmark>(&plan.id)?.unwrap_or_default();
            let mut stream = LogStream::new(plan, table.shape, bookmark);
            stream.begin(&side, run.config).await?;
            streams.push(stream);
        }
        let committed = reached(&run.state, streams.iter().map(|stream| stream.plan.id.as_str()))?;
        slot::lock(&side, &run.config.replication_slot).await?;
        let (mut slot, is_new) = open(&side, run, &mut streams, committed).await?;
        if is_new {
            for stream in &mut streams {
                stream.settles = false;
            }
        }
        slot.watch(&side).await?;
        if let Some(committed) = committed {
            slot.advance(&side, committed).await?;
        }
        for stream in streams.iter().filter(|stream| !stream.needs_rows()) {
            let plan = &stream.plan;
            run.output.schema(&plan.name, &plan.schema, &plan.keys, &[])?;
        }
        Ok(Self {
            catalog,
            side,
            place: slot.confirmed,
            streams,
            slot,
            acknowledged: Acknowledged::new(),
            window: WINDOW,
            state_sent: Instant::now(),
            tables_seen: Instant::now(),
            look_took: Duration::ZERO,
        })
    }

    /// Reads the tables whose rows are not all out.
    async fn read_rows(&mut self, run: &mut Run<'_>) -> Result<(), TapError> {
        if self.streams.iter().any(|stream| stream.needs_rows() && stream.settles) {
            slot::settle(&self.side).await?;
            for stream in &mut self.streams {
                stream.settles = false;
            }
        }
        for at in 0..self.streams.len() {
            let Some(stream) = self.streams.get_mut(at).filter(|stream| stream.needs_rows()) else {
                continue;
            };
            run.state.set_currently_syncing(Some(&stream.plan.id));
            // The log is behind its rows, until it has come there.
            stream.read_rows(self.place, run).await?;
            self.acknowledge().await?;
        }
        run.state.set_currently_syncing(None);
        Ok(())
    }

    /// Sends all that was committed before `end`.
    async fn catch_up(&mut self, end: Lsn, stop: &Stop, run: &mut Run<'_>) -> Result<(), TapError> {
        while self.place < end && !stop.is_asked() {
            if self.look(end, stop, run).await? {
                self.place = self.place.max(end);
                if !stop.is_continuous() || self.state_sent.elapsed() >= IDLE_STATE {
                    self.send_state(run)?;
                }
            }
            self.window = if self.acknowledge().await? { WINDOW } else { self.window.saturating_mul(2) };
        }
        self.acknowledge().await?;
        if self.tables_seen.elapsed() >= TABLES && !stop.is_asked() {
            self.see_tables(run).await?;
        }
        self.window = WINDOW;
        self.slot.watch(&self.side).await
    }

    /// Looks at the tables: of some changes to them the log says nothing.
    async fn see_tables(&mut self, run: &mut Run<'_>) -> Result<(), TapError> {
        self.tables_seen = Instant::now();
        let plans: Vec<_> = self.streams.iter().map(|stream| &stream.plan).collect();
        let tables = tables_of(&self.side, run.config, &plans).await?;
        for (stream, table) in self.streams.iter_mut().zip(tables) {
            if stream.shape != table.shape && stream.renew(&self.side, run.config, self.catalog).await? {
                let plan = &stream.plan;
                run.output.schema(&plan.name, &plan.schema, &plan.keys, &[])?;
            }
        }
        Ok(())
    }

    /// Looks at the log once. `true`: nothing was left before `end`.
    async fn look(&mut self, end: Lsn, stop: &Stop, run: &mut Run<'_>) -> Result<bool, TapError> {
        let Some(mut pieces) = pass::start(&run.session, self.slot.peek(end, self.window)) else {
            return Ok(false);
        };
        let mut pass = Pass::new(run.config, self.catalog, &self.side, &mut self.streams);
        let (mut rows, mut count) = (RowReader::new(), 0);
        let since = Instant::now();
        let Some(first) = stop.or(pieces.recv()).await else { return Ok(false) };
        self.look_took = since.elapsed();
        let mut next = first.transpose()?;
        // The server has put all that it shows aside by now. What the slot keeps now, it kept then.
        self.slot.require(&self.side, self.place).await?;
        while let Some(piece) = next {
            rows.push(piece);
            while let Some(row) = rows.next_row().map_err(|fault| malformed("the log", fault))? {
                count += 1;
                let Some(place) = pass.take(row.field(0).unwrap_or_default(), run.output).await? else {
                    continue;
                };
                self.place = self.place.max(place);
                if pass.bytes >= STATE_EVERY || stop.is_asked() {
                    (pass.bytes, pass.is_dirty, self.state_sent) = (0, false, Instant::now());
                    state(pass.streams, self.place, run)?;
                    if stop.is_asked() {
                        return Ok(false);
                    }
                }
            }
            let Some(more) = stop.or(pieces.recv()).await else { return Ok(false) };
            next = more.transpose()?;
        }
        if !rows.is_at_end() {
            return Err(TapError::temporary("the log ended before its end")
                .with_hint("the sync goes on from its last STATE when it is tried again"));
        }
        if pass.is_dirty {
            self.send_state(run)?;
        }
        Ok(count < self.window)
    }

    fn send_state(&mut self, run: &mut Run<'_>) -> Result<(), TapError> {
        self.state_sent = Instant::now();
        state(&mut self.streams, self.place, run)
    }

    /// Lets the slot move to what the target has committed. `true`: it moved.
    async fn acknowledge(&mut self) -> Result<bool, TapError> {
        let ids = self.streams.iter().map(|stream| stream.plan.id.as_str());
        match self.acknowledged.news(ids)? {
            Some(reached) => self.slot.advance(&self.side, reached).await,
            None => Ok(false),
        }
    }
}

fn state(streams: &mut [LogStream], place: Lsn, run: &mut Run<'_>) -> Result<(), TapError> {
    for stream in streams {
        let id = stream.plan.id.clone();
        run.state.set_bookmark(&id, stream.bookmark_at(place))?;
    }
    run.output.state(&run.state)
}

/// Takes the slot, or makes it where no bookmark needs what is before it. `true`: it begins after all transactions that
/// may have changed a table before it was published.
async fn open(
    side: &Session,
    run: &Run<'_>,
    streams: &mut [LogStream],
    committed: Option<Lsn>,
) -> Result<(Slot, bool), TapError> {
    let name = &run.config.replication_slot;
    let found = Found::ask(side, name).await?;
    let place = side.place();
    let gap = |what: &str| slot::gap(name, place, what);
    let furthest = streams.iter().filter_map(|stream| stream.bookmark.lsn).max();
    match (found, furthest.filter(|_| committed.is_some())) {
        (None, None) => Ok((Slot::create(run.config, side).await?, true)),
        (Some(found), None) if found.is_lost => {
            slot::remove(side, name).await?;
            Ok((Slot::create(run.config, side).await?, true))
        }
        (Some(found), None) => {
            if committed.is_none() {
                log::warning(&format!(
                    "the slot `{name}` at {place} is there and the STATE has no place in it: it is taken over; each pipeline needs one of its own"
                ));
            }
            let mut slot = Slot::take(run.config, &found);
            // Nobody needs what is before, and the publication may be newer than that.
            slot::settle(side).await?;
            slot.advance(side, slot::flushed(side).await?).await?;
            Ok((slot, true))
        }
        (None, Some(_)) => Err(gap("is gone")),
        (Some(found), Some(_)) if found.is_lost => {
            Err(gap("was given up by the server (max_slot_wal_keep_size)"))
        }
        (Some(found), Some(furthest)) if found.confirmed > furthest => Err(gap("is past the STATE")),
        (Some(found), Some(furthest)) => {
            let flushed = slot::flushed(side).await?;
            if furthest > flushed {
                return Err(TapError::config(format!(
                    "the STATE is at {furthest}, and the log at {place} ends at {flushed}: the server has lost what was committed, or is another one"
                ))
                .with_hint("run once with --full-refresh of the streams that are LOG_BASED"));
            }
            for stream in streams {
                // Others have come further with the same slot.
                if stream.bookmark.lsn.is_some_and(|lsn| lsn < found.confirmed) {
                    stream.start_over("it was left out while others went on");
                }
            }
            Ok((Slot::take(run.config, &found), false))
        }
    }
}
