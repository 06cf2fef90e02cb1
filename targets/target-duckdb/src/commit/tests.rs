use std::sync::Arc;

use columns::arrow_array::{ArrayRef, Int64Array, RecordBatch};
use columns::{Column, ColumnType, StreamName, TableSchema};
use target_api::{Checkpoint, FullRefresh, RunIdentity, StateChange, Status, Table, table_name};

use crate::config::Config;
use crate::connection::Opening;
use crate::session::Session;

fn session(folder: &tempfile::TempDir) -> Session {
    let json = serde_json::json!({"path": folder.path().join("a.duckdb")});
    let config = Config::parse(&json.to_string()).unwrap();
    Session::new(Opening { config, prober: None, closing: Arc::default() })
}

fn run(id: &str) -> RunIdentity {
    RunIdentity {
        environment: String::new(),
        pipeline: "shop".into(),
        shard: String::new(),
        tap: "tap".into(),
        run: id.into(),
        full_refresh: FullRefresh::No,
        takes_over: false,
        keeps_state: true,
    }
}

fn count(session: &Session, sql: &str) -> i64 {
    session.held().unwrap().0.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn written(session: &mut Session) -> StreamName {
    let column = Column { name: "n".into(), column_type: ColumnType::Int64, nullable: true };
    let schema = TableSchema {
        stream: "v".into(),
        columns: vec![column],
        key_properties: Vec::new(),
        keeps_absent: false,
    };
    let values: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let batch = RecordBatch::try_new(schema.arrow(), vec![values]).unwrap();
    let stream = schema.stream.clone();
    session.open(&Table::new(schema, table_name("v"))).unwrap();
    session.write(&stream, batch).unwrap();
    stream
}

/// The file has one writer at a time, so only somebody who copies or restores it can overtake a run; it is the
/// sequence and the fence that notice.
#[test]
fn an_overtaken_run_cannot_commit() {
    let checkpoint = Checkpoint { state: StateChange::Set("{\"mine\":1}".into()) };
    for overtaken in ["fence = fence + 1, run = 'newer'", "sequence = sequence + 1, run = 'newer'"] {
        let folder = tempfile::tempdir().unwrap();
        let mut session = session(&folder);
        session.resume(&run("older")).unwrap();
        written(&mut session);
        let sql = format!("UPDATE _tapster_state SET {overtaken}");
        session.held().unwrap().0.execute_batch(&sql).unwrap();
        let error = session.commit(&checkpoint).unwrap_err();
        assert_eq!((error.code, &error.status), ("E0321", &Status::Busy));
        assert!(error.message.contains("(run newer)"), "{error}");
        assert_eq!(count(&session, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'v'"), 0);
        assert_eq!(count(&session, "SELECT count(state) FROM _tapster_state"), 0);
        session.resume(&run("newest")).unwrap();
        written(&mut session);
        session.commit(&checkpoint).unwrap();
        assert_eq!(count(&session, "SELECT count(*) FROM v"), 3);
    }
}

#[test]
fn nothing_is_staged_once_an_epoch_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder);
    let staged = "SELECT count(*) FROM duckdb_tables() WHERE temporary";
    session.resume(&run("one")).unwrap();
    written(&mut session);
    assert_eq!(count(&session, staged), 1);
    session.commit(&Checkpoint { state: StateChange::Keep }).unwrap();
    assert_eq!(count(&session, staged), 0);
    written(&mut session);
    session.resume(&run("two")).unwrap();
    assert_eq!((count(&session, staged), count(&session, "SELECT count(*) FROM v")), (0, 3));
}

#[test]
fn a_file_that_was_moved_from_elsewhere_keeps_its_log_small() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(&folder);
    session.resume(&run("one")).unwrap();
    let log = folder.path().join("a.duckdb.wal");
    let mut most = 0;
    for _ in 0..40 {
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(
            (0..50_000).map(|n: i64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed())),
        ));
        let stream = written(&mut session);
        let schema = session.tables[&stream].wanted.schema.arrow();
        session.write(&stream, RecordBatch::try_new(schema, vec![values]).unwrap()).unwrap();
        session.commit(&Checkpoint { state: StateChange::Keep }).unwrap();
        most = most.max(std::fs::metadata(&log).map_or(0, |log| log.len()));
    }
    assert!((1..24 << 20).contains(&most), "{most} bytes");
}
