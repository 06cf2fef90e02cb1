//! A verb of tapster that starts programs of others by itself, under the guard as a whole: whatever ends it, nothing of
//! them is left.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use crate::guard::Report;
use crate::process::listen;
use crate::{RunError, Shutdown, StopSignal, TapFailure};

/// Starts `argv` under the guard, with our own outputs and environment, `env` added, and nothing to read, and waits for
/// its end. Signals are passed on. `folder` goes with it. Gives its exit code, or 128 and the number of the signal that ended it.
///
/// # Errors
/// The guard or the program does not start.
pub async fn guarded(
    guard: &Path,
    argv: &[OsString],
    env: &[(&str, &OsStr)],
    folder: &Path,
    shutdown: &mut Shutdown,
) -> Result<u8, RunError> {
    let machine = || RunError::machine("start the guard", guard);
    let (ours, theirs) = UnixStream::pair().map_err(machine())?;
    let mut command = Command::new(guard);
    command.arg("__guard").arg(folder).arg("/dev/null").args(argv).envs(env.iter().copied());
    command.stdin(OwnedFd::from(theirs));
    let mut child = command.spawn().map_err(machine())?;
    // The child's end of the socket lives in `command` until here.
    drop(command);
    let mut reports = listen(ours.try_clone().map_err(machine())?);
    let ended = loop {
        tokio::select! {
            report = reports.recv() => match report {
                Some(Report::Started(_)) => {}
                Some(Report::Exited(code)) => break Ok(code),
                Some(Report::Signalled(signal)) => break Ok(128 + signal),
                Some(Report::Failed(reason)) => break Err(machine()(std::io::Error::other(reason))),
                None => break Err(TapFailure::GuardLost.into()),
            },
            Some(signal) = shutdown.recv() => {
                let word: &[u8] = match signal {
                    StopSignal::Interrupt => b"interrupt\n",
                    StopSignal::Terminate => b"terminate\n",
                };
                // It may have ended meanwhile.
                let _ = (&ours).write_all(word);
            }
        }
    };
    let _ = ours.shutdown(std::net::Shutdown::Both);
    // It ends once nothing is left of what it guards.
    let _ = tokio::task::spawn_blocking(move || child.wait()).await;
    ended.map(|code| u8::try_from(code).unwrap_or(u8::MAX))
}
