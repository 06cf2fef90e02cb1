//! `_tapster_state`: the STATE beside the records, the fence that keeps older runs out, the number of the commit.

use std::time::{Duration, Instant};

use target_api::sql::{literal, quoted};
use target_api::{FullRefresh, Result, RunIdentity, StateChange, StoredState, TargetError, refusal};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::config::Settings;
use crate::connection::{Parameter, Session};
use crate::error::bug;
use crate::tables;

/// Whose state row it is, and what must stand in it for a commit.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    pub(crate) run: RunIdentity,
    pub(crate) number: i64,
    pub(crate) sequence: i64,
    /// Whether there is a STATE, which tables must then agree with.
    pub(crate) has_state: bool,
}

/// What became of a COMMIT whose reply did not come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Committed,
    RolledBack,
    Fenced,
}

pub(crate) fn table(settings: &Settings) -> String {
    format!("{}.\"_tapster_state\"", quoted(&settings.default_schema))
}

/// Creates our two tables (one, where no STATE is kept) and the schema where they are missing. One session at a time: two CREATE … IF NOT EXISTS
/// at the same moment can fail.
pub(crate) async fn create(session: &mut Session, settings: &Settings, run: &RunIdentity) -> Result<()> {
    let state_is_there = !run.keeps_state || exists(session, &table(settings)).await?;
    if state_is_there && exists(session, &tables::table(settings)).await? {
        return Ok(());
    }
    let doing = "creating tapster's own tables";
    session.begin().await?;
    let schema = literal(&settings.default_schema);
    let lock =
        format!("SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('tapster ' || {schema}))");
    session.execute(doing, &lock).await?;
    let schemas = "SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1";
    if session.query(doing, schemas, &[(&settings.default_schema, Type::TEXT)]).await?.is_empty() {
        session.execute(doing, &format!("CREATE SCHEMA {}", quoted(&settings.default_schema))).await?;
    }
    if run.keeps_state {
        session.execute(doing, &create_statement(settings)).await?;
    }
    session.execute(doing, &tables::create_statement(settings)).await?;
    session.commit().await.map_err(|error| session.error(doing, &error))
}

fn create_statement(settings: &Settings) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {} (environment text NOT NULL, pipeline text NOT NULL, shard text NOT NULL, \
         tap text NOT NULL, state text, sequence bigint NOT NULL, fence bigint NOT NULL, run text NOT NULL, \
         \"time\" timestamptz NOT NULL, PRIMARY KEY (environment, pipeline, shard))",
        table(settings)
    )
}

/// Whether a table (quoted) is there.
pub(crate) async fn exists(session: &Session, table: &str) -> Result<bool> {
    let rows = session
        .query(
            "looking for a table",
            "SELECT pg_catalog.to_regclass($1) IS NOT NULL",
            &[(&table, Type::TEXT)],
        )
        .await?;
    rows.first().map_or(Ok(false), |row| cell(row, 0))
}

/// A cell of one of our own queries.
pub(crate) fn cell<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, index: usize) -> Result<T> {
    row.try_get(index).map_err(|error| bug(format!("the server's answer has another shape: {error}")))
}

fn key(run: &RunIdentity) -> [Parameter<'_>; 3] {
    [(&run.environment, Type::TEXT), (&run.pipeline, Type::TEXT), (&run.shard, Type::TEXT)]
}

const KEY: &str = "environment = $1 AND pipeline = $2 AND shard = $3";

/// Takes the fence and reads the STATE in one locking statement. Where no STATE is kept there is neither.
pub(crate) async fn resume(
    session: &Session,
    settings: &Settings,
    run: &RunIdentity,
) -> Result<(Fence, Option<String>)> {
    if !run.keeps_state {
        return Ok((Fence { run: run.clone(), number: 0, sequence: 0, has_state: false }, None));
    }
    let all = run.full_refresh == FullRefresh::All;
    let table = table(settings);
    let sql = format!(
        "INSERT INTO {table} AS s (environment, pipeline, shard, tap, state, sequence, fence, run, \"time\") \
         VALUES ($1, $2, $3, $4, NULL, 0, 1, $5, now()) \
         ON CONFLICT (environment, pipeline, shard) DO UPDATE \
         SET fence = s.fence + 1, run = excluded.run, \"time\" = now() \
         WHERE s.state IS NULL OR s.tap = excluded.tap OR $6 \
         RETURNING fence, sequence, state"
    );
    let [environment, pipeline, shard] = key(run);
    let replaces = run.replaces_foreign_state();
    let rest: [Parameter<'_>; 3] = [(&run.tap, Type::TEXT), (&run.run, Type::TEXT), (&replaces, Type::BOOL)];
    let [tap, id, replaces] = rest;
    let parameters = [environment, pipeline, shard, tap, id, replaces];
    let rows = session.query("taking the fence", &sql, &parameters).await?;
    let Some(row) = rows.first() else { return Err(foreign_state(session, settings, run).await?) };
    // Another tap's STATE is given up with the first commit only; until then nobody may see it.
    let state: Option<String> = if all { None } else { cell(row, 2)? };
    let fence = Fence {
        run: run.clone(),
        number: cell(row, 0)?,
        sequence: cell(row, 1)?,
        has_state: state.is_some(),
    };
    Ok((fence, state))
}

async fn foreign_state(session: &Session, settings: &Settings, run: &RunIdentity) -> Result<TargetError> {
    let tap = stored(session, settings, run).await?.map(|stored| stored.tap).unwrap_or_default();
    Ok(refusal::foreign_state(&run.pipeline, &session.place, &tap, &run.tap))
}

/// Locks the state row for the rest of the transaction, if the fence is still ours.
pub(crate) async fn lock(session: &Session, settings: &Settings, fence: &Fence) -> Result<bool> {
    if !fence.run.keeps_state {
        return Ok(true);
    }
    let sql =
        format!("SELECT FROM {} WHERE {KEY} AND fence = $4 AND sequence = $5 FOR UPDATE", table(settings));
    let [environment, pipeline, shard] = key(&fence.run);
    let (number, sequence) = ((&fence.number as _, Type::INT8), (&fence.sequence as _, Type::INT8));
    let parameters = [environment, pipeline, shard, number, sequence];
    Ok(!session.query("locking the state row", &sql, &parameters).await?.is_empty())
}

/// Writes the STATE and the next sequence into the locked row.
pub(crate) async fn write(
    session: &Session,
    settings: &Settings,
    fence: &Fence,
    change: &StateChange,
) -> Result<()> {
    if !fence.run.keeps_state {
        return Ok(());
    }
    let (set, state) = match change {
        StateChange::Keep => ("state", None),
        StateChange::Set(state) => ("$4", Some(state.as_ref())),
        StateChange::Clear => ("NULL", None),
    };
    // The fourth parameter is always given, so it is always named.
    let sql = format!(
        "UPDATE {} SET state = CASE WHEN $4::text IS NULL THEN {set} ELSE $4 END, tap = $5, run = $6, \
         sequence = sequence + 1, \"time\" = now() WHERE {KEY}",
        table(settings)
    );
    let [environment, pipeline, shard] = key(&fence.run);
    let rest: [Parameter<'_>; 3] =
        [(&state, Type::TEXT), (&fence.run.tap, Type::TEXT), (&fence.run.run, Type::TEXT)];
    let [state, tap, run] = rest;
    let parameters = [environment, pipeline, shard, state, tap, run];
    match session.change("writing the STATE", &sql, &parameters).await? {
        1 => Ok(()),
        rows => Err(bug(format!("writing the STATE touched {rows} rows"))),
    }
}

/// The state row as it stands.
pub(crate) async fn stored(
    session: &Session,
    settings: &Settings,
    run: &RunIdentity,
) -> Result<Option<StoredState>> {
    if !exists(session, &table(settings)).await? {
        return Ok(None);
    }
    let sql = format!("SELECT state, sequence, tap, run FROM {} WHERE {KEY}", table(settings));
    let rows = session.query("reading the STATE", &sql, &key(run)).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(StoredState {
        state: cell(row, 0)?,
        sequence: cell(row, 1)?,
        tap: cell(row, 2)?,
        run: cell(row, 3)?,
    }))
}

/// The error of a run that another one has overtaken.
pub(crate) async fn fenced(session: &Session, settings: &Settings, fence: &Fence) -> Result<TargetError> {
    let now = stored(session, settings, &fence.run).await?;
    let by = now.as_ref().map(|now| now.run.as_str());
    Ok(refusal::fenced(&fence.run.pipeline, &session.place, by))
}

/// Finds out whether the commit number `sequence + 1` was made, by the same locking read. Reconnects for up to
/// `patience`; returns the session that could ask.
pub(crate) async fn settle(
    settings: &Settings,
    fence: &Fence,
    patience: Duration,
) -> Result<(Session, Outcome)> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        match ask(settings, fence).await {
            Err(_) if started.elapsed() + pause < patience => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            Err(error) => return Err(unsettled(settings, error)),
            answer => return answer,
        }
    }
}

async fn ask(settings: &Settings, fence: &Fence) -> Result<(Session, Outcome)> {
    let session = Session::open(settings).await?;
    // FOR UPDATE waits until the old session's COMMIT, which may still be under way, has ended either way.
    let sql = format!("SELECT fence, sequence FROM {} WHERE {KEY} FOR UPDATE", table(settings));
    let rows = session.query("settling a commit", &sql, &key(&fence.run)).await?;
    let Some(row) = rows.first() else { return Ok((session, Outcome::Fenced)) };
    let found: (i64, i64) = (cell(row, 0)?, cell(row, 1)?);
    let outcome = if found == (fence.number, fence.sequence + 1) {
        Outcome::Committed
    } else if found == (fence.number, fence.sequence) {
        Outcome::RolledBack
    } else {
        Outcome::Fenced
    };
    Ok((session, outcome))
}

fn unsettled(settings: &Settings, error: TargetError) -> TargetError {
    let text =
        format!("the connection to {settings} was lost during COMMIT, and asking what became of it failed");
    TargetError::temporary("E0330", text)
        .with_hint("the next run reads the STATE and goes on from what was committed, whichever it was")
        .caused_by(error)
}

/// Gives the state row, and the tables, to another pipeline.
pub(crate) async fn rename(
    session: &mut Session,
    settings: &Settings,
    fence: &Fence,
    new: &str,
) -> Result<()> {
    let doing = "renaming the pipeline";
    session.begin().await?;
    if !lock(session, settings, fence).await? {
        let error = fenced(session, settings, fence).await?;
        session.rollback().await?;
        return Err(error);
    }
    let run = &fence.run;
    let names: [Parameter<'_>; 2] = [(&run.environment, Type::TEXT), (&new, Type::TEXT)];
    // A run of the new name that failed before its first commit leaves a row that says nothing, as does `state clear`.
    let of_it = "environment = $1 AND pipeline = $2";
    let empty = format!("DELETE FROM {} WHERE {of_it} AND state IS NULL", table(settings));
    session.change(doing, &empty, &names).await?;
    let taken = format!("SELECT FROM {} WHERE {of_it} LIMIT 1", table(settings));
    if !session.query(doing, &taken, &names).await?.is_empty() {
        session.rollback().await?;
        return Err(refusal::name_taken(new, &session.place));
    }
    // What was loaded under it stays, and is nobody's.
    session.change(doing, &format!("DELETE FROM {} WHERE {of_it}", tables::table(settings)), &names).await?;
    for table in [table(settings), tables::table(settings)] {
        let sql = format!("UPDATE {table} SET pipeline = $3 WHERE environment = $1 AND pipeline = $2");
        let [environment, new_name] = names.clone();
        let parameters = [environment, (&run.pipeline as _, Type::TEXT), new_name];
        session.change(doing, &sql, &parameters).await?;
    }
    session.commit().await.map_err(|error| session.error(doing, &error))
}
