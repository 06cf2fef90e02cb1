//! Programs that the tests start and kill: this test program itself, told what to be by its environment.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use target_api::{Table, Target as _};
use target_duckdb::DuckDbTarget;

use crate::support::{run, state, table, target, write};

const ROLE: &str = "TAPSTER_TEST_ROLE";
const PATH: &str = "TAPSTER_TEST_PATH";

/// Records of one epoch in each stream.
pub(crate) const EPOCH: usize = 40;
/// Keys of the keyed stream.
pub(crate) const KEYS: usize = 25;
/// The epoch that adds a column.
pub(crate) const COLUMN_AT: usize = 5;
/// The epoch that brings a number that no double keeps.
pub(crate) const NUMBER_AT: usize = 9;
/// How many epochs there are.
pub(crate) const EPOCHS: usize = 24;

/// A child that loads the epochs that the file lacks and says each of its steps on a line.
pub(crate) struct Loading {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Loading {
    pub(crate) fn start(path: &Path) -> Self {
        let mut child = myself("load", path).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads so many of its steps, and returns the last; `None` when it has ended.
    pub(crate) fn follow(&mut self, steps: usize) -> Option<String> {
        let mut line = String::new();
        for _ in 0..steps {
            loop {
                line.clear();
                if self.lines.read_line(&mut line).unwrap() == 0 {
                    return None;
                }
                if line.starts_with("step ") {
                    break;
                }
            }
        }
        Some(line)
    }

    /// Kills it, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn myself(role: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "children::the_child_that_was_asked_for", "--nocapture"]);
    command.env(ROLE, role).env(PATH, path);
    command
}

/// A program to look at left-over logs with, as the `tapster` binary is one.
pub(crate) fn prober(folder: &Path) -> PathBuf {
    let program = folder.join("prober");
    let me = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = __probe-duckdb ] || exit 2\n{ROLE}=probe {PATH}=\"$2\" exec '{}' \
         --exact children::the_child_that_was_asked_for --nocapture\n",
        me.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn the_child_that_was_asked_for() {
    let Some(role) = std::env::var_os(ROLE) else { return };
    let path = PathBuf::from(std::env::var_os(PATH).unwrap());
    if role == "probe" {
        let (code, said) = target_duckdb::probe_main(&path);
        eprintln!("{said}");
        std::process::exit(code.into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut target = target(&path, None);
        load(&mut target, say).await;
    });
}

fn say(step: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "step {step}").and_then(|()| out.flush()).unwrap();
}

/// Loads what the STATE says is missing.
pub(crate) async fn load(target: &mut DuckDbTarget, say: impl Fn(&str)) {
    let done = target.resume(&run("kills")).await.unwrap();
    let first = done.map_or(0, |state| state.parse::<usize>().unwrap() + 1);
    say("resumed");
    for epoch in first..EPOCHS {
        let (orders, events) = tables(epoch);
        target.open(&orders).await.unwrap();
        target.open(&events).await.unwrap();
        let records: Vec<usize> = (epoch * EPOCH..(epoch + 1) * EPOCH).collect();
        for part in records.chunks(EPOCH / 2) {
            let order = |n: &usize| format!("{}|{n}|{}{}", n % KEYS, amount(*n), extra(epoch));
            write(target, &orders, &part.iter().map(order).collect::<Vec<_>>()).await;
            write(target, &events, &part.iter().map(|n| format!("{n}|event {n}")).collect::<Vec<_>>()).await;
            say("write");
        }
        say("merge");
        target.commit(&state(&epoch.to_string())).await.unwrap();
        say("committed");
    }
}

fn tables(epoch: usize) -> (Table, Table) {
    let extra = if epoch < COLUMN_AT { "" } else { ", extra int64" };
    let orders = table(&format!("orders: id int64, n int64, amount numeric{extra}"), &["id"]);
    (orders, table("events: n int64, note text", &[]))
}

fn extra(epoch: usize) -> String {
    if epoch < COLUMN_AT { String::new() } else { format!("|{epoch}") }
}

/// A number that a double keeps, and one of 21 digits from [`NUMBER_AT`] on.
pub(crate) fn amount(n: usize) -> String {
    if n / EPOCH < NUMBER_AT { format!("{n}.25") } else { format!("1000000000000{n:06}.25") }
}
