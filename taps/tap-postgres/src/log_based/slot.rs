//! The slot: what keeps the log at the server until the target has it.

use std::time::{Duration, Instant};

use tap_sdk::{TapError, log};
use tokio_postgres::types::Type;

use crate::config::Config;
use crate::log_based::lsn::Lsn;
use crate::session::{Session, cell};
use crate::statement::{literal, quoted};

/// The plugin that reads the log for us. It is part of every server.
const PLUGIN: &str = "pgoutput";
/// How long another session may hold the slot: mostly one whose tap was killed, and that has not seen it yet.
const WAIT: Duration = Duration::from_secs(30);
/// What to do where a session keeps the slot.
pub(crate) const HELD: &str = "each pipeline needs a `replication_slot` of its own; or SELECT pg_terminate_backend(…) of a process that was left over";
const LOOK: Duration = Duration::from_millis(100);
/// How often it is said that much is held back.
const WARN_EVERY: Duration = Duration::from_mins(10);

/// The slot of this config.
#[derive(Debug)]
pub(super) struct Slot {
    name: String,
    publication: String,
    /// The server may have thrown away what was committed before.
    pub(super) confirmed: Lsn,
    warning: i64,
    warned: Option<Instant>,
}

/// What the server says of it.
#[derive(Debug)]
pub(super) struct Found {
    plugin: Option<String>,
    database: Option<String>,
    held_by: Option<i32>,
    pub(super) confirmed: Lsn,
    /// Whether the server has thrown away what it was to keep.
    pub(super) is_lost: bool,
}

const SLOT: &str = "
SELECT s.plugin::text, s.database::text, s.active_pid, s.confirmed_flush_lsn::text,
       COALESCE(pg_catalog.to_jsonb(s) ->> 'wal_status', '') = 'lost' OR s.restart_lsn IS NULL,
       COALESCE(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), s.restart_lsn), 0)::int8,
       pg_catalog.current_database()::text,
       COALESCE(pg_catalog.pg_wal_lsn_diff(s.confirmed_flush_lsn, s.restart_lsn), 0)::int8
FROM pg_catalog.pg_replication_slots s WHERE s.slot_name::text = $1";

/// Whether the server can tell changes at all.
pub(super) async fn require_server(session: &Session) -> Result<(), TapError> {
    let sql = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('wal_level')";
    let rows = session.query("asking what the server logs", sql, &[]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let place = session.place();
    if cell(row, 0)? {
        return Err(TapError::config(format!(
            "{place} is a replica, and LOG_BASED needs the server that is written to"
        ))
        .with_hint("name the primary as `host`, or choose another replication method"));
    }
    let level: String = cell(row, 1)?;
    if level == "logical" {
        return Ok(());
    }
    Err(TapError::config(format!("LOG_BASED needs `wal_level` logical, and it is {level} at {place}"))
        .with_hint("ALTER SYSTEM SET wal_level = logical, then restart the server"))
}

/// Up to where the log is on the server's disk.
pub(super) async fn flushed(session: &Session) -> Result<Lsn, TapError> {
    let sql = "SELECT pg_catalog.pg_current_wal_flush_lsn()::text";
    let rows = session.query("asking how far the log goes", sql, &[]).await?;
    let lsn = rows.first().map(|row| cell::<&str>(row, 0)).transpose()?.and_then(Lsn::parse);
    lsn.ok_or_else(no_place)
}

/// Waits until the log is on the server's disk up to there. What was committed is so after three rounds of the server's
/// writer; the rest may be of transactions under way, and stay where it is.
pub(super) async fn wait_for_disk(session: &Session, place: Lsn) -> Result<(), TapError> {
    if flushed(session).await? >= place {
        return Ok(());
    }
    let sql = "SELECT setting::int8 FROM pg_catalog.pg_settings WHERE name = 'wal_writer_delay'";
    let rows = session.query("asking how far the log goes", sql, &[]).await?;
    let round = rows.first().map_or(Ok(200), |row| cell::<i64>(row, 0))?;
    let (since, most) = (Instant::now(), Duration::from_millis(u64::try_from(round).unwrap_or(200)) * 3);
    while since.elapsed() < most && flushed(session).await? < place {
        tokio::time::sleep(LOOK / 10).await;
    }
    Ok(())
}

/// Waits until all transactions have ended that were under way: they may have changed a table before the publication
/// had it, which nothing tells.
pub(super) async fn settle(session: &Session) -> Result<(), TapError> {
    const DOING: &str = "waiting for transactions under way";
    let number = async |function: &str| -> Result<i64, TapError> {
        let sql = format!("SELECT pg_catalog.txid_snapshot_{function}(pg_catalog.txid_current_snapshot())");
        let rows = session.query(DOING, &sql, &[]).await?;
        rows.first().map_or(Ok(i64::MAX), |row| cell(row, 0))
    };
    let (next, mut said) = (number("xmax").await?, false);
    while number("xmin").await? < next {
        if !std::mem::replace(&mut said, true) {
            log::info("waiting until the transactions under way have ended: see pg_stat_activity");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Keeps other runs from the slot until the session ends: between two looks at the log nobody holds it.
pub(super) async fn lock(session: &Session, name: &str) -> Result<(), TapError> {
    let sql = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('tapster slot ' || $1, 0))";
    let since = Instant::now();
    loop {
        let rows = session.query("locking the slot", sql, &[(&name, Type::TEXT)]).await?;
        if rows.first().map_or(Ok(true), |row| cell(row, 0))? {
            return Ok(());
        }
        if since.elapsed() > WAIT {
            return Err(in_use(name, session.place(), "another run"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn in_use(name: &str, place: &str, holder: &str) -> TapError {
    TapError::temporary(format!("the slot `{name}` at {place} is in use by {holder}")).with_hint(HELD)
}

/// Changes that no STATE has are no longer there.
pub(super) fn gap(name: &str, place: &str, what: &str) -> TapError {
    TapError::config(format!("the slot `{name}` at {place} {what}: changes since the last STATE are lost"))
        .with_hint("run once with --full-refresh of the streams that are LOG_BASED; each pipeline needs a `replication_slot` of its own")
}

impl Found {
    /// Asks for the slot; waits a while where another session holds it.
    pub(super) async fn ask(session: &Session, name: &str) -> Result<Option<Self>, TapError> {
        let since = Instant::now();
        loop {
            let rows = session.query("looking for the slot", SLOT, &[(&name, Type::TEXT)]).await?;
            let Some(row) = rows.first() else { return Ok(None) };
            let confirmed: Option<&str> = cell(row, 3)?;
            let found = Self {
                plugin: cell(row, 0)?,
                database: cell(row, 1)?,
                held_by: cell(row, 2)?,
                confirmed: confirmed.and_then(Lsn::parse).unwrap_or_default(),
                is_lost: cell(row, 4)?,
            };
            let place = session.place();
            if found.plugin.as_deref() != Some(PLUGIN) || found.database != cell::<Option<String>>(row, 6)? {
                return Err(TapError::config(format!(
                    "the slot `{name}` at {place} is another's: it is of the plugin {} and the database {}",
                    found.plugin.as_deref().unwrap_or("(none)"),
                    found.database.as_deref().unwrap_or("(none)")
                ))
                .with_hint("give another name in `replication_slot`"));
            }
            let Some(holder) = found.held_by else { return Ok(Some(found)) };
            if since.elapsed() > WAIT {
                return Err(in_use(name, place, &format!("process {holder}")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Slot {
    /// Takes the slot that is there.
    pub(super) fn take(config: &Config, found: &Found) -> Self {
        Self::at(config, found.confirmed)
    }

    fn at(config: &Config, confirmed: Lsn) -> Self {
        Self {
            name: config.replication_slot.clone(),
            publication: config.publication.clone(),
            confirmed,
            warning: config.slot_warning_mb.saturating_mul(1 << 20),
            warned: None,
        }
    }

    /// Makes the slot.
    pub(super) async fn create(config: &Config, session: &Session) -> Result<Self, TapError> {
        let name = &config.replication_slot;
        log::info(&format!(
            "making the slot `{name}`, from which on the server keeps its log: it waits for the transactions under way"
        ));
        let sql = "SELECT lsn::text FROM pg_catalog.pg_create_logical_replication_slot($1::name, $2::name)";
        let doing = format!("making the slot `{name}`");
        let parameters = [(name as _, Type::TEXT), (&PLUGIN as _, Type::TEXT)];
        let rows = session.query(&doing, sql, &parameters).await?;
        let lsn = rows.first().map(|row| cell::<&str>(row, 0)).transpose()?.and_then(Lsn::parse);
        Ok(Self::at(config, lsn.ok_or_else(no_place)?))
    }

    /// The COPY of the plugin's messages, up to the first commit behind that place or so many messages.
    pub(super) fn peek(&self, until: Lsn, most: i32) -> String {
        let (name, publication) = (literal(&self.name), literal(&quoted(&self.publication)));
        format!(
            "COPY (SELECT data FROM pg_catalog.pg_logical_slot_peek_binary_changes({name}, '{until}', {most}, \
             'proto_version', '1', 'publication_names', {publication})) TO STDOUT (FORMAT binary)"
        )
    }

    /// Whether the slot still has all that was committed after that place, which is out.
    pub(super) async fn require(&self, session: &Session, out: Lsn) -> Result<(), TapError> {
        let what = match Found::ask(session, &self.name).await? {
            Some(found) if found.is_lost => "was given up by the server (max_slot_wal_keep_size)",
            Some(found) if found.confirmed > out => "was moved by somebody else",
            Some(_) => return Ok(()),
            None => "is gone",
        };
        Err(gap(&self.name, session.place(), what))
    }

    /// Lets the server throw away what was committed before that place.
    pub(super) async fn advance(&mut self, session: &Session, to: Lsn) -> Result<bool, TapError> {
        if to <= self.confirmed {
            return Ok(false);
        }
        let sql = "SELECT end_lsn::text FROM pg_catalog.pg_replication_slot_advance($1::name, $2::pg_lsn)";
        let to_text = to.to_string();
        let parameters = [(&self.name as _, Type::TEXT), (&to_text as _, Type::TEXT)];
        session.query(&format!("moving the slot `{}`", self.name), sql, &parameters).await?;
        self.confirmed = to;
        Ok(true)
    }

    /// Warns where the server must keep much for it.
    pub(super) async fn watch(&mut self, session: &Session) -> Result<(), TapError> {
        if self.warned.is_some_and(|warned| warned.elapsed() < WARN_EVERY) {
            return Ok(());
        }
        self.warned = Some(Instant::now());
        let rows = session.query("looking at the slot", SLOT, &[(&self.name, Type::TEXT)]).await?;
        let holds = rows.first().map_or(Ok(0), |row| cell::<i64>(row, 5))?;
        if holds > self.warning {
            log::warning(&format!(
                "the slot `{}` makes the server keep {} MiB of its log: it moves as the target commits, and --drop-slot ends it",
                self.name,
                holds >> 20
            ));
        }
        let reads = rows.first().map_or(Ok(0), |row| cell::<i64>(row, 7))?;
        if reads > self.warning {
            log::warning(&format!(
                "the server reads {} MiB of its log anew for each look at the slot `{}`: a transaction has been open for so long, see pg_stat_activity",
                reads >> 20,
                self.name
            ));
        }
        Ok(())
    }
}

/// Drops the slot of this config; says what was done.
pub(crate) async fn drop_slot(config: &Config) -> Result<String, TapError> {
    let session = Session::open(config).await?;
    let (name, place) = (&config.replication_slot, session.place());
    lock(&session, name).await?;
    if Found::ask(&session, name).await?.is_none() {
        return Ok(format!("there is no slot `{name}` at {place}"));
    }
    remove(&session, name).await?;
    Ok(format!("the slot `{name}` at {place} is dropped"))
}

pub(super) async fn remove(session: &Session, name: &str) -> Result<(), TapError> {
    let sql = "SELECT pg_catalog.pg_drop_replication_slot($1::name)";
    session.query(&format!("dropping the slot `{name}`"), sql, &[(&name, Type::TEXT)]).await?;
    Ok(())
}

fn no_place() -> TapError {
    TapError::failed("the server named no place in its log")
}
