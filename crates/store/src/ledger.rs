use std::path::PathBuf;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use crate::{
    NewRun, PipelineLock, PipelineName, Result, Run, RunEnd, RunFailure, RunFilter, RunId, RunStatus, Store,
    StoreError, StreamFigures, lock, lost, time,
};

const COLUMNS: &str = "id, environment, pipeline, tap, target, pid, host, started, ended, status, exit_code, \
                       error_code, error_text, error_hint, tap_said, log, state_before, state_after, target_said";

impl Store {
    /// Writes the first line of a run. The lock is the proof that no other run of the pipeline is open,
    /// and what tells a running from a lost one later: hold it until after [`Store::finish_run`].
    pub fn begin_run(&self, lock: &PipelineLock, new: &NewRun) -> Result<()> {
        let (name, id) = (lock.name(), lock.run());
        let log = self.run_folder(&id).path;
        self.write(|ledger| {
            ledger
                .execute(
                    "INSERT INTO runs (id, environment, pipeline, tap, target, pid, host, started, status, log) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'running', ?9)",
                    params![
                        id.to_string(),
                        name.environment,
                        name.pipeline,
                        new.tap,
                        new.target,
                        std::process::id(),
                        lock::host(),
                        time::to_text(time::now()),
                        log.to_string_lossy(),
                    ],
                )
                .map_err(|error| self.sqlite_error(error))?;
            Ok(())
        })
    }

    /// Notes the STATE that the run starts from, byte for byte.
    pub fn record_state_before(&self, run: &RunId, state: Option<&str>) -> Result<()> {
        self.update_open(run, "state_before = ?2", vec![optional(state)])
    }

    /// Writes the run's figures, in the order given, in place of those written before.
    pub fn record_streams(&self, run: &RunId, streams: &[StreamFigures]) -> Result<()> {
        self.write(|ledger| replace_streams(ledger, run, streams).map_err(|error| self.sqlite_error(error)))
    }

    /// Writes how the run ended.
    pub fn finish_run(&self, run: &RunId, end: &RunEnd) -> Result<()> {
        let failure = end.failure.clone().unwrap_or_default();
        let failed = end.failure.is_some();
        let values = vec![
            Value::Text(end.status.as_str().to_owned()),
            Value::Text(time::to_text(time::now())),
            Value::Integer(end.exit_code.into()),
            optional(failed.then_some(failure.code.as_str())),
            optional(failed.then_some(failure.text.as_str())),
            optional(failure.hint.as_deref()),
            optional(failure.tap_said.as_deref()),
            optional(end.state_after.as_deref()),
            optional(failure.target_said.as_deref()),
        ];
        let assignments = "status = ?2, ended = ?3, exit_code = ?4, error_code = ?5, error_text = ?6, \
                           error_hint = ?7, tap_said = ?8, state_after = ?9, target_said = ?10";
        self.update_open(run, assignments, values)
    }

    /// Lists runs, newest first.
    pub fn list_runs(&self, filter: &RunFilter) -> Result<Vec<Run>> {
        lost::mark_all(self)?;
        let (condition, mut values) = condition_of(filter);
        values.push(Value::Integer(filter.limit.map_or(-1, i64::from)));
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE {condition} ORDER BY id DESC LIMIT ?");
        self.read(|ledger| {
            let mut runs = ledger
                .prepare(&sql)?
                .query_map(params_from_iter(values), read_run)?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            for run in &mut runs {
                run.streams = read_streams(ledger, &run.id)?;
            }
            Ok(runs)
        })
    }

    /// Finds the run that a person means: a pipeline's name (its latest run, in `environment` if one is
    /// given), else a run's id or a unique beginning of one.
    pub fn find_run(&self, run: &str, environment: Option<&str>) -> Result<Run> {
        let filter = RunFilter {
            environment: environment.map(str::to_owned),
            pipeline: Some(run.to_owned()),
            limit: Some(1),
            ..RunFilter::default()
        };
        if let Some(latest) = self.list_runs(&filter)?.pop() {
            return Ok(latest);
        }
        let mut ids = self.ids_beginning(run)?;
        let unknown = || StoreError::UnknownRun { run: run.to_owned() };
        match (ids.pop(), ids.is_empty()) {
            (Some(id), true) => self.get_run(&id)?.ok_or_else(unknown),
            (Some(id), false) => {
                ids.push(id);
                Err(StoreError::AmbiguousRun { run: run.to_owned(), candidates: ids })
            }
            (None, _) => Err(unknown()),
        }
    }

    fn get_run(&self, id: &str) -> Result<Option<Run>> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
        self.read(|ledger| {
            let run = ledger.query_row(&sql, [id], read_run).optional()?;
            run.map(|run| Ok(Run { streams: read_streams(ledger, &run.id)?, ..run })).transpose()
        })
    }

    /// At most five ids that begin so. Anything that is no beginning of an id begins none.
    fn ids_beginning(&self, text: &str) -> Result<Vec<String>> {
        let text = text.to_ascii_lowercase();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Ok(Vec::new());
        }
        self.read(|ledger| {
            ledger
                .prepare("SELECT id FROM runs WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id LIMIT 5")?
                .query_map([text], |row| row.get(0))?
                .collect()
        })
    }

    fn update_open(&self, run: &RunId, assignments: &str, values: Vec<Value>) -> Result<()> {
        let sql = format!("UPDATE runs SET {assignments} WHERE id = ?1 AND status = 'running'");
        let all = std::iter::once(Value::Text(run.to_string())).chain(values);
        self.write(|ledger| {
            match ledger.execute(&sql, params_from_iter(all)).map_err(|error| self.sqlite_error(error))? {
                0 => Err(StoreError::NotRunning { run: run.to_string() }),
                _ => Ok(()),
            }
        })
    }
}

fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.to_owned()))
}

fn condition_of(filter: &RunFilter) -> (String, Vec<Value>) {
    let status = filter.status.map(|status| status.as_str().to_owned());
    let wanted = [("environment", &filter.environment), ("pipeline", &filter.pipeline), ("status", &status)];
    let mut condition = "true".to_owned();
    let mut values = Vec::new();
    for (column, value) in wanted {
        if let Some(value) = value {
            condition.extend([" AND ", column, " = ?"]);
            values.push(Value::Text(value.clone()));
        }
    }
    (condition, values)
}

/// Notes the last STATE that a run has committed so far.
pub(crate) fn note_state_after(
    ledger: &Connection,
    run: &RunId,
    state: Option<&str>,
) -> rusqlite::Result<()> {
    let sql = "UPDATE runs SET state_after = ?2 WHERE id = ?1 AND status = 'running'";
    ledger.execute(sql, params![run.to_string(), state]).map(drop)
}

pub(crate) fn replace_streams(
    ledger: &Connection,
    run: &RunId,
    streams: &[StreamFigures],
) -> rusqlite::Result<()> {
    ledger.execute("DELETE FROM run_streams WHERE run = ?1", [run.to_string()])?;
    let mut insert = ledger
        .prepare("INSERT INTO run_streams VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?;
    for (position, stream) in streams.iter().enumerate() {
        insert.execute(params![
            run.to_string(),
            i64::try_from(position).unwrap_or(i64::MAX),
            stream.stream,
            stream.place,
            signed(stream.records_read),
            signed(stream.records_written),
            signed(stream.records_rejected),
            signed(stream.bytes),
            stream.seconds,
            stream.bookmark_before,
            stream.bookmark_after,
            stream.merged,
        ])?;
    }
    Ok(())
}

/// SQLite's integers are signed; no count of ours reaches the difference.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn read_streams(ledger: &Connection, run: &RunId) -> rusqlite::Result<Vec<StreamFigures>> {
    let count = |row: &Row<'_>, column: usize| row.get::<_, i64>(column).map(i64::unsigned_abs);
    ledger
        .prepare_cached(
            "SELECT stream, place, records_read, records_written, records_rejected, bytes, seconds, \
             bookmark_before, bookmark_after, merged FROM run_streams WHERE run = ?1 ORDER BY position",
        )?
        .query_map([run.to_string()], |row| {
            Ok(StreamFigures {
                stream: row.get(0)?,
                place: row.get(1)?,
                records_read: count(row, 2)?,
                records_written: count(row, 3)?,
                records_rejected: count(row, 4)?,
                bytes: count(row, 5)?,
                seconds: row.get(6)?,
                bookmark_before: row.get(7)?,
                bookmark_after: row.get(8)?,
                merged: row.get(9)?,
            })
        })?
        .collect()
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<Run> {
    let strange = |column| rusqlite::Error::IntegralValueOutOfRange(column, 0);
    let code: Option<String> = row.get(11)?;
    let (text, hint, tap_said) = (row.get::<_, Option<String>>(12)?, row.get(13)?, row.get(14)?);
    let target_said = row.get(18)?;
    let ended: Option<String> = row.get(8)?;
    Ok(Run {
        id: RunId::parse(&row.get::<_, String>(0)?).ok_or(strange(0))?,
        name: PipelineName { environment: row.get(1)?, pipeline: row.get(2)? },
        tap: row.get(3)?,
        target: row.get(4)?,
        pid: row.get(5)?,
        host: row.get(6)?,
        started: time::from_text(7, &row.get::<_, String>(7)?)?,
        ended: ended.map(|text| time::from_text(8, &text)).transpose()?,
        status: RunStatus::parse(&row.get::<_, String>(9)?).ok_or(strange(9))?,
        exit_code: row.get(10)?,
        failure: code.map(|code| RunFailure {
            code,
            text: text.unwrap_or_default(),
            hint,
            tap_said,
            target_said,
        }),
        log: PathBuf::from(row.get::<_, String>(15)?),
        state_before: row.get(16)?,
        state_after: row.get(17)?,
        streams: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
