//! A database, and the tap run on it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use serde_json::{Map, Value, json};
use target_testkit::postgres::{Cluster, Database};
use tempfile::TempDir;
use tokio::runtime::Builder;

/// A new database with a config for it.
pub(crate) struct Source {
    database: Database,
    folder: TempDir,
    /// Settings beside those of the connection.
    pub(crate) config: Value,
}

/// What a run of the tap said.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) messages: Vec<Value>,
    /// What it wrote, as text.
    pub(crate) output: String,
    pub(crate) log: String,
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

impl Source {
    /// A database in which these statements were run.
    pub(crate) fn new(sql: &str) -> Self {
        Self::at(Cluster::shared(), sql)
    }

    /// The same on a server of one's own.
    pub(crate) fn at(cluster: &Cluster, sql: &str) -> Self {
        let database = block_on(cluster.database());
        let source = Self { database, folder: tempfile::tempdir().unwrap(), config: json!({}) };
        source.sql(sql);
        source
    }

    /// Runs statements.
    pub(crate) fn sql(&self, sql: &str) {
        block_on(self.database.execute(sql));
    }

    /// Begins a transaction with these statements; what is given back commits it.
    pub(crate) fn begin(&self, sql: &str) -> impl FnOnce() {
        let (begun, wait) = mpsc::channel();
        let (commit, committed) = mpsc::channel::<()>();
        let (database, sql) = (self.database.clone(), format!("BEGIN; {sql}"));
        let session = thread::spawn(move || {
            block_on(async {
                let client = database.connect().await;
                client.batch_execute(&sql).await.unwrap();
                begun.send(()).unwrap();
                let _ = committed.recv();
                client.batch_execute("COMMIT").await.unwrap();
            });
        });
        wait.recv().unwrap();
        move || {
            drop(commit);
            session.join().unwrap();
        }
    }

    /// The folder of its files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The one value that a query finds.
    pub(crate) fn value(&self, sql: &str) -> String {
        block_on(self.database.value(sql)).unwrap_or_default()
    }

    /// Starts a proxy that pools transactions; gives its port.
    pub(crate) fn pool_transactions(&self) -> u16 {
        Cluster::shared().pool_transactions(&self.database)
    }

    /// The tap with these words and files.
    fn command(&self, words: &[&str], files: &[(&str, &Value)]) -> Command {
        let mut config: Map<String, Value> = self.database.settings().as_object().unwrap().clone();
        config.extend(self.config.as_object().unwrap().clone());
        let mut command = Command::new(env!("CARGO_BIN_EXE_tap-postgres"));
        command.current_dir(self.folder.path()).args(words).args(["--config", "config.json"]);
        fs::write(self.folder.path().join("config.json"), Value::Object(config).to_string()).unwrap();
        for (name, content) in files {
            fs::write(self.folder.path().join(name), content.to_string()).unwrap();
            command.args([format!("--{name}"), (*name).to_owned()]);
        }
        command
    }

    fn said(mut command: Command) -> Said {
        let output = command.output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(!log.contains(Cluster::PASSWORD), "{log}");
        let written = String::from_utf8(output.stdout).unwrap();
        let messages = written.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Said { code: output.status.code(), messages, output: written, log }
    }

    /// The catalog.
    pub(crate) fn discover(&self) -> Value {
        let output = self.command(&["--discover"], &[]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs the tap with these words.
    pub(crate) fn run(&self, words: &[&str]) -> Said {
        Self::said(self.command(words, &[]))
    }

    /// What discovery says where it fails.
    pub(crate) fn discovery(&self) -> Said {
        Self::said(self.command(&["--discover"], &[]))
    }

    /// The catalog with one stream selected and these metadata put to it.
    pub(crate) fn catalog(&self, id: &str, metadata: &Value) -> Value {
        let mut catalog = self.discover();
        for stream in catalog["streams"].as_array_mut().unwrap() {
            let wanted = stream["tap_stream_id"] == id;
            let mut entries = stream["metadata"].as_array_mut().unwrap().iter_mut();
            let root = entries.find(|entry| entry["breadcrumb"] == json!([])).unwrap();
            let root = root["metadata"].as_object_mut().unwrap();
            root.insert("selected".to_owned(), json!(wanted));
            if wanted {
                root.extend(metadata.as_object().unwrap().clone());
            }
        }
        catalog
    }

    /// Runs a sync to its end.
    pub(crate) fn sync(&self, catalog: &Value, state: Option<&Value>) -> Said {
        let files: Vec<_> = [("catalog", Some(catalog)), ("state", state)]
            .into_iter()
            .filter_map(|(name, content)| Some((name, content?)))
            .collect();
        Self::said(self.command(&[], &files))
    }

    /// Runs a sync for a reader of columns; gives the size of each file, in their order.
    pub(crate) fn sync_columns(&self, catalog: &Value) -> Vec<u64> {
        let mut command = self.command(&[], &[("catalog", catalog)]);
        command.env("TAPSTER_RUN_FOLDER", self.folder.path());
        let said = Self::said(command).expect_code(0);
        let file = |message: &Value| message["manifest"][0].as_str().unwrap().replacen("file://", "", 1);
        said.of("BATCH").into_iter().map(|message| fs::metadata(file(message)).unwrap().len()).collect()
    }

    /// Starts a sync that is watched.
    pub(crate) fn start(&self, catalog: &Value) -> Running {
        self.follow(catalog, &[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn follow(&self, catalog: &Value, environment: &[(&str, &Path)]) -> Running {
        let mut command = self.command(&[], &[("catalog", catalog)]);
        command.envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Running { child, lines }
    }
}

/// A sync under way. It waits where its output is not read.
pub(crate) struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    /// The messages up to and with the first that is as wanted.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut messages = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the tap ended: {messages:?}");
            messages.push(serde_json::from_str(&line).unwrap());
            if wanted(&messages[messages.len() - 1]) {
                return messages;
            }
        }
    }

    /// Whether it has not ended by itself.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        let kill = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// The messages up to the end.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        self.lines.by_ref().lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Reads the rest; gives the exit code and the log.
    pub(crate) fn finish(mut self) -> (Option<i32>, String) {
        let mut rest = Vec::new();
        self.lines.read_to_end(&mut rest).unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Said {
    /// Panics with the log unless it ended so.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.log);
        self
    }

    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.messages.iter().filter(|message| message["type"] == kind).collect()
    }

    /// The records' values of one property.
    pub(crate) fn column(&self, name: &str) -> Vec<&Value> {
        self.of("RECORD").into_iter().map(|message| &message["record"][name]).collect()
    }

    /// The last STATE.
    pub(crate) fn state(&self) -> &Value {
        &self.of("STATE").last().unwrap()["value"]
    }
}
