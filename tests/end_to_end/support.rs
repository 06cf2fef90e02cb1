//! What several of these tests share.

pub(crate) mod shop;

use std::fs;
use std::path::PathBuf;

use rustix::fs::{CWD, Mode, mknodat};
use serde_json::{Value, json};
use target_testkit::postgres::Cluster;
use tests::project::Project;
use tests::script::{Act, Expected, Script};
use tests::warehouse::Warehouse;

/// The tap that follows a script.
pub(crate) fn hostile_tap() -> PathBuf {
    env!("CARGO_BIN_EXE_hostile-tap").into()
}

/// A pipeline of the hostile tap whose every STATE is a checkpoint.
pub(crate) fn scripted(script: &Script, warehouse: &Warehouse) -> Value {
    scripted_into(script, &warehouse.block())
}

pub(crate) fn scripted_into(script: &Script, target: &Value) -> Value {
    json!({
        "tap": { "command": [hostile_tap()], "config": script },
        "target": target,
        "limits": { "checkpoint_bytes": "1KiB", "grace": "2s" },
    })
}

/// The warehouses that keep each message once, each with a new, empty place.
pub(crate) fn warehouses(project: &Project) -> [(&'static str, Warehouse); 2] {
    [("duckdb", Warehouse::duckdb(project.path())), ("postgres", Warehouse::postgres())]
}

/// Panics unless the tables hold exactly the records up to this number.
#[track_caller]
pub(crate) fn assert_exact(warehouse: &Warehouse, script: &Script, up_to: u64) {
    let expected = script.expected(up_to);
    let compare = |name: &str, found: Vec<Vec<Option<String>>>, expected: Vec<Vec<Option<String>>>| {
        let lost = expected.iter().filter(|row| !found.contains(row)).count();
        let difference = found.iter().zip(&expected).position(|(found, expected)| found != expected);
        assert!(
            found == expected,
            "{name}: {} records, expected {}; {lost} are not there; the first difference is at {difference:?}",
            found.len(),
            expected.len()
        );
    };
    compare("items", warehouse.rows(Expected::ITEMS), expected.items_rows());
    compare("events", warehouse.rows(Expected::EVENTS), expected.events_rows());
}

/// Panics unless nothing is there but the two tables, ours, and, at Postgres, no session.
#[track_caller]
pub(crate) fn assert_nothing_left(project: &Project, warehouse: &Warehouse) {
    if let Warehouse::Postgres(_) = warehouse {
        // A session ends a moment after its connection.
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let mut asked = 0;
        while warehouse.value(others).as_deref() != Some("0") {
            asked += 1;
            assert!(
                asked < 2_000,
                "sessions are left: {:?}",
                warehouse.rows("SELECT query FROM pg_stat_activity")
            );
        }
    }
    assert_eq!(warehouse.tables(), ["_tapster_state", "_tapster_tables", "events", "items"]);
    assert_eq!(project.private_folders(), Vec::<PathBuf>::new());
    let left = tests::processes::gone_within(project.path(), std::time::Duration::from_secs(2));
    assert_eq!(left, []);
}

/// The cluster's server, shared by the tests of this program.
pub(crate) fn cluster() -> &'static Cluster {
    Cluster::shared()
}

/// The target for PostgreSQL that Meltano's people made, with the SDK that it stands on.
pub(crate) fn meltanolabs_target_postgres() -> PathBuf {
    tests::python::program("meltanolabs-target-postgres==0.8.1 singer-sdk==0.54.9", "target-postgres")
}

/// A pipe that holds the tap of a project until it is opened.
pub(crate) struct Gate(PathBuf);

impl Gate {
    pub(crate) fn new(project: &Project) -> Self {
        let path = project.path().join("gate");
        mknodat(CWD, &path, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a named pipe");
        Self(path)
    }

    pub(crate) fn act(&self) -> Act {
        Act::WaitFor(self.0.display().to_string())
    }

    /// Lets the tap go on. Waits until it has come to the gate.
    pub(crate) fn open(&self) {
        drop(fs::File::options().write(true).open(&self.0).expect("the gate"));
    }
}
