//! A tap's or a target's process, seen from tapster: started under its guard, asked to end, ended.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use load::LastSign;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use tokio::sync::mpsc;

use crate::error_log::ErrorLog;
use crate::guard::Report;
use crate::{ProgramCommand, ProgramFailure, RunError, RunEvent, Side, TapFailure, TargetFailure, program};

/// The pipes from the tap and to the target hold this much, so that they are not woken for every few lines.
const PIPE_BYTES: usize = 1 << 20;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessExit {
    Code(i32),
    Signal(i32),
    /// The guard is gone, and the process with it.
    GuardLost,
}

impl ProcessExit {
    /// The tap's failure that it is, unless it is none.
    pub(crate) fn failure(self, records: Option<u64>) -> Option<TapFailure> {
        match self {
            Self::Code(0) => None,
            Self::Code(code) => Some(TapFailure::Exited { code, records }),
            Self::Signal(signal) => Some(TapFailure::Signalled { signal, records }),
            Self::GuardLost => Some(TapFailure::GuardLost),
        }
    }

    /// The target's failure that it is, unless it is none.
    pub(crate) fn target_failure(self) -> Option<TargetFailure> {
        match self {
            Self::Code(0) => None,
            Self::Code(code) => Some(TargetFailure::Exited { code }),
            Self::Signal(signal) => Some(TargetFailure::Signalled { signal }),
            Self::GuardLost => Some(TargetFailure::GuardLost),
        }
    }

    /// What is told of it.
    pub(crate) fn event(self, side: Side) -> RunEvent {
        let (code, signal) = match self {
            Self::Code(code) => (Some(code), None),
            Self::Signal(signal) => (None, Some(signal)),
            Self::GuardLost => (None, None),
        };
        match side {
            Side::Tap => RunEvent::TapExited { code, signal },
            Side::Target => RunEvent::TargetExited { code, signal },
        }
    }
}

/// A running program. Dropping it ends its whole group.
pub(crate) struct Process {
    guard: Option<Child>,
    socket: UnixStream,
    reports: mpsc::Receiver<Report>,
    log: Option<ErrorLog>,
    stdout: Option<OwnedFd>,
    pub(crate) pid: u32,
    exit: Option<ProcessExit>,
}

impl Process {
    /// Starts the program with further arguments and nothing to read; `folder` goes when the guard does.
    pub(crate) async fn start(
        command: &ProgramCommand,
        folder: &Path,
        arguments: &[OsString],
    ) -> Result<Self, RunError> {
        Self::reading(command, folder, arguments, Path::new("/dev/null")).await
    }

    /// The same with a pipe on its standard input, whose other end is given, too.
    pub(crate) async fn start_fed(
        command: &ProgramCommand,
        folder: &Path,
        arguments: &[OsString],
    ) -> Result<(Self, OwnedFd), RunError> {
        let path = folder.join("input");
        let pipe = || NamedPipe::make(&path).map_err(RunError::machine("make the pipe", &path));
        let NamedPipe { reading, writing } = pipe()?;
        let process = Self::reading(command, folder, arguments, &path).await?;
        // From now on the target alone reads: what it leaves is seen.
        drop(reading);
        Ok((process, writing))
    }

    async fn reading(
        program_command: &ProgramCommand,
        folder: &Path,
        arguments: &[OsString],
        input: &Path,
    ) -> Result<Self, RunError> {
        let ProgramCommand { argv, env, guard, .. } = program_command;
        let program = program::find(program_command)?;
        let machine = || RunError::machine("start the guard", guard);
        let (ours, theirs) = UnixStream::pair().map_err(machine())?;
        let mut command = Command::new(guard);
        command.arg("__guard").arg(folder).arg(input).arg(&program);
        command.args(argv.iter().skip(1)).args(arguments);
        command.current_dir(&program_command.folder).env_clear();
        command.envs(env.iter().map(|(key, value)| (key, value)));
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut guard = command.spawn().map_err(machine())?;
        // The child's end of the socket lives in `command` until here.
        drop(command);
        let stdout = guard.stdout.take().map(OwnedFd::from);
        stdout.iter().for_each(widen);
        let log = guard.stderr.take().map(|stderr| ErrorLog::drain(stderr, program_command));
        let reports = listen(ours.try_clone().map_err(machine())?);
        let mut process = Self { guard: Some(guard), socket: ours, reports, log, stdout, pid: 0, exit: None };
        process.pid = process.started(program_command.side, &program).await?;
        Ok(process)
    }

    async fn started(&mut self, side: Side, program: &Path) -> Result<u32, RunError> {
        match self.reports.recv().await {
            Some(Report::Started(pid)) => Ok(pid.unsigned_abs()),
            Some(Report::Failed(reason)) => {
                let hint = "a script needs a first line such as #!/bin/sh; any other program must be built for this machine";
                let program = program.display().to_string();
                Err(ProgramFailure::NotStarted { side, program, reason, hint: hint.into() }.into())
            }
            _ => Err(match side {
                Side::Tap => TapFailure::GuardLost.into(),
                Side::Target => TargetFailure::GuardLost.into(),
            }),
        }
    }

    /// Its standard output, once.
    pub(crate) fn take_stdout(&mut self) -> Option<OwnedFd> {
        self.stdout.take()
    }

    /// When it last wrote to its standard error.
    pub(crate) fn activity(&self) -> Option<LastSign> {
        let activity = self.log.as_ref().map(ErrorLog::activity)?;
        Some(Box::new(move || activity.last()))
    }

    /// Waits for its end. The future may be dropped and asked for again.
    pub(crate) async fn exit(&mut self) -> ProcessExit {
        if let Some(exit) = self.exit {
            return exit;
        }
        let exit = match self.reports.recv().await {
            Some(Report::Exited(code)) => ProcessExit::Code(code),
            Some(Report::Signalled(signal)) => ProcessExit::Signal(signal),
            _ => ProcessExit::GuardLost,
        };
        self.exit = Some(exit);
        exit
    }

    /// Waits for its end, but not longer than this.
    pub(crate) async fn exit_within(&mut self, longest: Duration) -> Option<ProcessExit> {
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
            log.map(ErrorLog::into_last_lines).unwrap_or_default()
        });
        gone.await.unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(mut guard) = self.guard.take() {
            let _ = guard.wait();
        }
    }
}

/// Hears the guard's reports on a thread of its own.
pub(crate) fn listen(socket: UnixStream) -> mpsc::Receiver<Report> {
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

/// A pipe that another process finds by its path.
struct NamedPipe {
    reading: OwnedFd,
    writing: OwnedFd,
}

impl NamedPipe {
    /// Makes it and opens both of its ends, so that whoever opens it next need not wait.
    fn make(path: &Path) -> std::io::Result<Self> {
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        let open = |flags| rustix::fs::open(path, flags | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
        let (reading, writing) = (open(OFlags::RDONLY)?, open(OFlags::WRONLY)?);
        widen(&writing);
        Ok(Self { reading, writing })
    }
}

/// A smaller pipe is only slower.
fn widen(pipe: &OwnedFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
}
