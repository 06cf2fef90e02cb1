//! One server: made, stopped hard, started again, and gone with its test program.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::database::Database;
use super::programs::{self, ServerUser, finish};

/// Whether what was committed outlives a server that is stopped hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It may be lost: for tests that leave the server alone.
    Fast,
    /// As in production: for tests that stop the server hard.
    Full,
}

/// A throw-away PostgreSQL server on a free port of 127.0.0.1 and a socket in a private folder.
///
/// A watchdog process waits at a pipe that only this program holds. When the pipe ends, because the cluster is
/// dropped, the program ends or is killed, the watchdog stops the server and removes the folder.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    user: ServerUser,
    port: u16,
    watchdog: Child,
    pipe: Option<ChildStdin>,
}

impl Cluster {
    /// The password of the user `tapster`, who owns everything.
    pub const PASSWORD: &str = "not-a-secret";

    /// The cluster that all tests of this program share, each with a [`database`](Self::database) of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Durability::Fast))
    }

    /// A cluster of one's own.
    #[must_use]
    pub fn start(durability: Durability) -> Self {
        let (programs, user) = (programs::folder(), ServerUser::find());
        let folder = tempfile::Builder::new().prefix("tapster-postgres-").tempdir_in("/tmp");
        let folder = folder.map(TempDir::keep).expect("a folder for the cluster");
        user.own(&folder);
        let mut watchdog = watchdog(&folder, &user.words(&programs.join("pg_ctl")));
        let (port, pipe) = (free_port(), watchdog.stdin.take());
        let cluster = Self { folder, programs, user, port, watchdog, pipe };
        cluster.initialise(durability);
        cluster.start_again();
        cluster
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket.
    pub fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// What the server has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// A new, empty database. It goes with the cluster.
    pub async fn database(&self) -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.named_database("postgres").execute(&format!("CREATE DATABASE {name}")).await;
        self.named_database(&name)
    }

    fn named_database(&self, name: &str) -> Database {
        Database { port: self.port, name: name.to_owned() }
    }

    /// Stops the server as a crash would: no session ends, nothing is written.
    pub fn stop_immediate(&self) {
        finish(self.control().args(["stop", "--mode", "immediate", "--wait"]));
    }

    /// Starts the server, or starts it again; it answers when this returns.
    pub fn start_again(&self) {
        let log = self.folder.join("log");
        finish(self.control().args(["start", "--wait", "--timeout", "120", "--log"]).arg(log));
    }

    fn control(&self) -> Command {
        let mut command = self.user.program(&self.programs.join("pg_ctl"));
        command.arg("--pgdata").arg(self.folder.join("data"));
        command
    }

    fn initialise(&self, durability: Durability) {
        let (data, password) = (self.folder.join("data"), self.folder.join("password"));
        fs::write(&password, Self::PASSWORD).expect("the password file");
        self.user.own(&password);
        let mut command = self.user.program(&self.programs.join("initdb"));
        command.arg("--pgdata").arg(&data).arg("--pwfile").arg(&password);
        command.args(["--username", "tapster", "--auth-local", "trust", "--auth-host", "scram-sha-256"]);
        finish(command.args(["--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"]));
        let mut settings = fs::read_to_string(data.join("postgresql.conf")).expect("postgresql.conf");
        settings += &self.settings(durability);
        fs::write(data.join("postgresql.conf"), settings).expect("postgresql.conf");
    }

    fn settings(&self, durability: Durability) -> String {
        let fast = match durability {
            Durability::Fast => "fsync = off\nfull_page_writes = off\n",
            Durability::Full => "",
        };
        let (port, folder) = (self.port, self.folder.display());
        format!(
            "\nlisten_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\n{fast}\
             max_connections = 60\nwal_level = logical\nmax_replication_slots = 60\nautovacuum_naptime = 1h\nlog_min_messages = warning\n"
        )
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.watchdog.wait();
    }
}

/// Starts the process that outlives this one. It is in a group of its own, so that ^C does not reach it.
fn watchdog(folder: &Path, control: &[String]) -> Child {
    let script = r#"folder=$1; shift; read -r line; "$@"; rm -rf "$folder""#;
    let mut command = Command::new("sh");
    command.args(["-c", script, "watchdog"]).arg(folder).args(control);
    command.arg("--pgdata").arg(folder.join("data")).args(["stop", "--mode", "immediate", "--wait"]);
    command
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("sh for the watchdog")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::{Cluster, Durability};

    #[tokio::test]
    async fn what_was_committed_outlives_a_hard_stop() {
        let cluster = Cluster::start(Durability::Full);
        let database = cluster.database().await;
        database.execute("CREATE TABLE t AS SELECT 'it''s' AS a, NULL AS b").await;
        cluster.stop_immediate();
        cluster.start_again();
        assert_eq!(database.rows("TABLE t").await, [[Some("it's".to_owned()), None]]);
        let folder = cluster.socket_folder().to_owned();
        drop(cluster);
        assert!(!folder.exists(), "the folder is gone");
    }

    /// The program that the next test kills; of itself it does nothing.
    #[test]
    fn a_program_that_stays() {
        if std::env::var_os("STAY").is_none() {
            return;
        }
        println!("FOLDER {}", Cluster::shared().socket_folder().display());
        loop {
            std::thread::park();
        }
    }

    #[test]
    fn a_server_goes_with_the_program_that_is_killed() {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--nocapture", "--exact", "postgres::cluster::tests::a_program_that_stays"]);
        command.env("STAY", "1");
        let mut program = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(program.stdout.take().unwrap()).lines().map_while(Result::ok);
        let folder =
            lines.into_iter().find_map(|line| line.split_once("FOLDER ").map(|(_, path)| path.to_owned()));
        let folder = folder.expect("the server started");
        assert!(Path::new(&folder).exists());
        program.kill().unwrap();
        program.wait().unwrap();
        let killed = Instant::now();
        while Path::new(&folder).exists() {
            assert!(killed.elapsed() < Duration::from_secs(20), "the server is still there");
            std::thread::yield_now();
        }
    }
}
