//! A tap's process, seen from tapster: started under its guard, asked to end, ended.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use load::LastSign;
use tokio::sync::mpsc;

use crate::guard::Report;
use crate::tap_log::TapLog;
use crate::{RunError, TapCommand, TapFailure, program};

/// The pipe from the tap holds this much, so that a tap is not woken for every few lines.
const PIPE_BYTES: usize = 1 << 20;

/// How a tap ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TapExit {
    Code(i32),
    Signal(i32),
    /// The guard is gone, and the tap with it.
    GuardLost,
}

impl TapExit {
    /// The failure that it is, unless it is none.
    pub(crate) fn failure(self, records: Option<u64>) -> Option<TapFailure> {
        match self {
            Self::Code(0) => None,
            Self::Code(code) => Some(TapFailure::Exited { code, records }),
            Self::Signal(signal) => Some(TapFailure::Signalled { signal, records }),
            Self::GuardLost => Some(TapFailure::GuardLost),
        }
    }
}

/// A running tap. Dropping it ends its whole group.
pub(crate) struct Tap {
    guard: Option<Child>,
    socket: UnixStream,
    reports: mpsc::Receiver<Report>,
    log: Option<TapLog>,
    stdout: Option<OwnedFd>,
    pub(crate) pid: u32,
    program: String,
    exit: Option<TapExit>,
}

impl Tap {
    /// Starts the tap with further arguments; `folder` goes when the guard does.
    pub(crate) async fn start(
        tap: &TapCommand,
        folder: &std::path::Path,
        arguments: &[OsString],
    ) -> Result<Self, RunError> {
        let program = program::find(tap)?;
        let machine = || RunError::machine("start the guard", &tap.guard);
        let (ours, theirs) = UnixStream::pair().map_err(machine())?;
        let mut command = Command::new(&tap.guard);
        command.arg("__guard").arg(folder).arg(&program).args(tap.argv.iter().skip(1)).args(arguments);
        command.current_dir(&tap.folder).env_clear().envs(tap.env.iter().map(|(key, value)| (key, value)));
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut guard = command.spawn().map_err(machine())?;
        // The child's end of the socket lives in `command` until here.
        drop(command);
        let stdout = guard.stdout.take().map(OwnedFd::from);
        if let Some(stdout) = &stdout {
            // A smaller pipe is only slower.
            let _ = rustix::pipe::fcntl_setpipe_size(stdout, PIPE_BYTES);
        }
        let log = guard.stderr.take().map(|stderr| TapLog::drain(stderr, &tap.log, tap.redact.clone()));
        let reports = listen(ours.try_clone().map_err(machine())?);
        let program = program.display().to_string();
        let mut tap =
            Self { guard: Some(guard), socket: ours, reports, log, stdout, pid: 0, program, exit: None };
        tap.pid = tap.started().await?;
        Ok(tap)
    }

    async fn started(&mut self) -> Result<u32, RunError> {
        match self.reports.recv().await {
            Some(Report::Started(pid)) => Ok(pid.unsigned_abs()),
            Some(Report::Failed(reason)) => {
                let hint = "a script needs a first line such as #!/bin/sh; any other program must be built for this machine";
                Err(TapFailure::NotStarted { program: self.program.clone(), reason, hint: hint.into() }
                    .into())
            }
            _ => Err(TapFailure::GuardLost.into()),
        }
    }

    /// Its standard output, once.
    pub(crate) fn take_stdout(&mut self) -> Option<OwnedFd> {
        self.stdout.take()
    }

    /// When it last wrote to its standard error.
    pub(crate) fn activity(&self) -> Option<LastSign> {
        let activity = self.log.as_ref().map(TapLog::activity)?;
        Some(Box::new(move || activity.last()))
    }

    /// Waits for its end. The future may be dropped and asked for again.
    pub(crate) async fn exit(&mut self) -> TapExit {
        if let Some(exit) = self.exit {
            return exit;
        }
        let exit = match self.reports.recv().await {
            Some(Report::Exited(code)) => TapExit::Code(code),
            Some(Report::Signalled(signal)) => TapExit::Signal(signal),
            _ => TapExit::GuardLost,
        };
        self.exit = Some(exit);
        exit
    }

    /// Waits for its end, but not longer than this.
    pub(crate) async fn exit_within(&mut self, longest: Duration) -> Option<TapExit> {
        tokio::time::timeout(longest, self.exit()).await.ok()
    }

    /// Asks its group to end.
    pub(crate) fn terminate(&self) {
        let _ = (&self.socket).write_all(b"terminate\n");
    }

    /// Kills its group.
    pub(crate) fn kill(&self) {
        let _ = (&self.socket).write_all(b"kill\n");
    }

    /// Ends it: asks, waits as long as `grace`, kills, and waits until nothing of it is left. Gives its last lines.
    pub(crate) async fn end(mut self, grace: Duration) -> Vec<String> {
        if self.exit.is_none() {
            self.terminate();
            if self.exit_within(grace).await.is_none() {
                self.kill();
            }
        }
        let _ = self.socket.shutdown(Shutdown::Both);
        let (guard, log) = (self.guard.take(), self.log.take());
        let gone = tokio::task::spawn_blocking(move || {
            if let Some(mut guard) = guard {
                let _ = guard.wait();
            }
            log.map(TapLog::into_last_lines).unwrap_or_default()
        });
        gone.await.unwrap_or_default()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(mut guard) = self.guard.take() {
            let _ = guard.wait();
        }
    }
}

/// Hears the guard's reports on a thread of its own.
fn listen(socket: UnixStream) -> mpsc::Receiver<Report> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        for line in BufReader::new(socket).lines() {
            let Some(report) = line.ok().as_deref().and_then(Report::parse) else { break };
            if sender.blocking_send(report).is_err() {
                break;
            }
        }
    });
    receiver
}
