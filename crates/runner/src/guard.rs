//! The guard: a small process between tapster and a tap, or a target that is a program, which outlives neither.
//!
//! It leads a session of its own, starts the program in a process group, and listens to the socket on its standard
//! input. When the socket ends, by whatever death of tapster, the program's group and everything that descends from it
//! is killed and the run's private folder is removed. A parent-death signal would not do: it follows the thread that
//! started the child, and misses grandchildren.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions};

/// What the guard tells over its socket, one line each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The program runs, with this process id.
    Started(i32),
    /// It does not start.
    Failed(String),
    /// It exited with this code.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
}

impl Report {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.trim_end().split_once(' ')?;
        Some(match word {
            "started" => Self::Started(rest.parse().ok()?),
            "failed" => Self::Failed(rest.to_owned()),
            "exited" => Self::Exited(rest.parse().ok()?),
            "signalled" => Self::Signalled(rest.parse().ok()?),
            _ => return None,
        })
    }

    fn line(&self) -> String {
        match self {
            Self::Started(pid) => format!("started {pid}\n"),
            Self::Failed(reason) => format!("failed {}\n", reason.replace('\n', " ")),
            Self::Exited(code) => format!("exited {code}\n"),
            Self::Signalled(signal) => format!("signalled {signal}\n"),
        }
    }
}

/// The whole life of a guard: `FOLDER INPUT PROGRAM ARGS…`, where the program reads the file or named pipe `INPUT`.
/// Returns its exit code.
#[must_use]
pub fn guard(mut arguments: impl Iterator<Item = OsString>) -> u8 {
    let mut next = || arguments.next();
    let (Some(folder), Some(input), Some(program)) = (next().map(PathBuf::from), next(), next()) else {
        return 2;
    };
    let Ok(socket) = socket() else { return 2 };
    // Not being a session's leader already is the usual case; failing is harmless.
    let _ = rustix::process::setsid();
    let _ = rustix::process::set_child_subreaper(rustix::process::Pid::from_raw(1));
    let mut command = Command::new(program);
    command.args(arguments).process_group(0);
    let started = fs::File::open(input).and_then(|input| command.stdin(input).spawn());
    // The input is the program's alone.
    drop(command);
    let mut child = match started {
        Ok(child) => child,
        Err(error) => {
            report(&socket, &Report::Failed(error.to_string()));
            let _ = fs::remove_dir_all(&folder);
            return 0;
        }
    };
    release_output();
    let pid = child.id().cast_signed();
    report(&socket, &Report::Started(pid));
    let Ok(reports) = socket.try_clone() else { return 2 };
    let ears = std::thread::spawn(move || obey(socket, pid));
    if let Ok(status) = child.wait() {
        let signalled = status.signal().map(Report::Signalled);
        report(&reports, &signalled.unwrap_or(Report::Exited(status.code().unwrap_or_default())));
    }
    let _ = ears.join();
    end_everything(pid);
    let _ = fs::remove_dir_all::<&Path>(folder.as_ref());
    0
}

/// The socket that stands on standard input.
fn socket() -> io::Result<UnixStream> {
    let descriptor: OwnedFd = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    Ok(UnixStream::from(descriptor))
}

/// Lets go of the program's output and log, whose ends tapster waits for.
fn release_output() {
    if let Ok(null) = fs::OpenOptions::new().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}

fn report(mut socket: &UnixStream, report: &Report) {
    // Nobody listens any more: the ears will hear that, too.
    let _ = socket.write_all(report.line().as_bytes());
}

/// Obeys until the socket ends, then kills the group.
fn obey(socket: UnixStream, pid: i32) {
    for line in BufReader::new(socket).lines() {
        match line.as_deref() {
            Ok("interrupt") => signal_group(pid, Signal::INT),
            Ok("terminate") => signal_group(pid, Signal::TERM),
            Ok("kill") => signal_group(pid, Signal::KILL),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    end_everything(pid);
}

fn signal_group(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

/// Kills the group, and then whatever has become our child because its parents are dead.
fn end_everything(pid: i32) {
    signal_group(pid, Signal::KILL);
    for _ in 0..500 {
        let children = children();
        if children.is_empty() {
            return;
        }
        for child in children.into_iter().filter_map(Pid::from_raw) {
            let _ = rustix::process::kill_process(child, Signal::KILL);
        }
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Our children, those adopted included. Empty where the system does not tell.
fn children() -> Vec<i32> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let lists = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}
