//! A tap as a script, a warehouse in memory, a run.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use load::{DecodeLimits, StreamRule};
use runner::{Attempts, Observer, ProgramCommand, RunEvent, RunLimits, RunPlan, RunSummary, StopSignal, run};
use target_api::{FullRefresh, RunIdentity, TableName};
use target_testkit::faulty::{Faults, FaultyTarget};
use target_testkit::memory::{MemoryTarget, MemoryWarehouse};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// One stream `a` of integers `n`, keyless: what is loaded twice is seen.
pub(crate) const SCHEMA: &str =
    r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"n":{"type":"integer"}}},"key_properties":[]}"#;

/// A Python prelude: `say` writes a line and flushes; `record` and `state` are messages.
const PRELUDE: &str = r#"
import json, os, signal, sys, time
def say(line): sys.stdout.write(line + "\n"); sys.stdout.flush()
def record(n): say(json.dumps({"type": "RECORD", "stream": "a", "record": {"n": n}}))
def state(v): say(json.dumps({"type": "STATE", "value": v}))
args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
"#;

pub(crate) struct Harness {
    pub(crate) folder: TempDir,
    pub(crate) warehouse: MemoryWarehouse,
    pub(crate) faults: Arc<Faults>,
    pub(crate) plan: RunPlan,
    pub(crate) events: Arc<Mutex<Vec<RunEvent>>>,
    pub(crate) signals: mpsc::Sender<StopSignal>,
    shutdown: runner::Shutdown,
}

impl Harness {
    /// A tap whose body is this Python; the SCHEMA is said before it.
    pub(crate) fn python(body: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("tap.py");
        std::fs::write(&script, format!("{PRELUDE}\nsay('''{SCHEMA}''')\n{body}\n")).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let warehouse = MemoryWarehouse::default();
        let faults = Arc::new(Faults::default());
        let plan = plan(&folder, &warehouse, &faults, vec!["python3".into(), script.into()]);
        let (signals, shutdown) = mpsc::channel(4);
        Self { folder, warehouse, faults, plan, events: Arc::default(), signals, shutdown }
    }

    /// Runs to the end; `hear` sees every event first.
    pub(crate) async fn run_hearing(
        &mut self,
        hear: impl Fn(&RunEvent) + Send + Sync + 'static,
    ) -> RunSummary {
        let events = Arc::clone(&self.events);
        let observer: Observer = Arc::new(move |event: &RunEvent| {
            hear(event);
            events.lock().unwrap().push(event.clone());
        });
        run(&self.plan, &mut self.shutdown, &observer).await
    }

    pub(crate) async fn run(&mut self) -> RunSummary {
        self.run_hearing(|_| {}).await
    }

    /// The numbers in the table, in order.
    pub(crate) fn numbers(&self) -> Vec<String> {
        let table = self.warehouse.table(&TableName { schema: None, table: "a".into() });
        let records = table.map(|table| table.records).unwrap_or_default();
        records.iter().map(|record| record["n"].clone().unwrap()).collect()
    }

    pub(crate) fn state(&self) -> Option<String> {
        self.warehouse.stored_state("p").and_then(|stored| stored.state)
    }

    /// What is left of private folders.
    pub(crate) fn private(&self) -> usize {
        std::fs::read_dir(&self.plan.tap.private).map_or(0, Iterator::count)
    }
}

/// The guard that Cargo builds beside this test.
fn guard() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().and_then(|deps| deps.parent()).unwrap().join("examples/guard")
}

fn plan(
    folder: &TempDir,
    warehouse: &MemoryWarehouse,
    faults: &Arc<Faults>,
    argv: Vec<std::ffi::OsString>,
) -> RunPlan {
    let (warehouse, faults) = (warehouse.clone(), Arc::clone(faults));
    let tap = ProgramCommand {
        side: runner::Side::Tap,
        argv,
        env: vec![("PATH".into(), std::env::var_os("PATH").unwrap())],
        folder: folder.path().to_owned(),
        config: runner::ProgramConfig::unkept(r#"{"secret":"hunter2"}"#.into()),
        batch_roots: Vec::new(),
        guard: guard(),
        private: folder.path().join("private"),
        log: folder.path().join("tap.log"),
        redact: Arc::new(|text| text.replace("hunter2", "***")),
    };
    RunPlan {
        identity: RunIdentity {
            environment: String::new(),
            pipeline: "p".into(),
            shard: String::new(),
            tap: "t".into(),
            run: "r".into(),
            full_refresh: FullRefresh::No,
            takes_over: false,
            keeps_state: true,
        },
        tap,
        catalog: None,
        flags: singer::TapFlags::default(),
        target: Arc::new(move || {
            Ok(Box::new(FaultyTarget::new(MemoryTarget::new(&warehouse), Arc::clone(&faults))))
        }),
        relay: None,
        rules: Arc::new(|_| StreamRule::default()),
        start_edit: Arc::new(|state| Ok(Some(state))),
        commit_edit: Arc::new(|state, _| Ok(state)),
        continuous: false,
        limits: RunLimits {
            decode: DecodeLimits { checkpoint_bytes: 1, ..DecodeLimits::default() },
            timeout: Some(Duration::from_mins(1)),
            idle_timeout: Duration::from_mins(1),
            max_staged: u64::MAX,
            grace: Duration::from_secs(10),
            attempts: Attempts(vec![Duration::from_millis(1); 3]),
        },
        started: std::time::Instant::now(),
    }
}
