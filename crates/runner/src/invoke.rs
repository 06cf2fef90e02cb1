//! A program's own command line, by hand: the same folder, environment and private config as in a run, and the
//! terminal of whoever asks.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use rustix::process::{Pid, Signal};

use crate::private_folder::PrivateFolder;
use crate::{ProgramCommand, RunError, Shutdown, StopSignal, program};

/// Starts the program with `--config FILE` and further arguments, and waits for its end. Gives its exit code, or 128
/// and the number of the signal that ended it.
///
/// # Errors
/// When the program does not start.
pub async fn invoke(
    command: &ProgramCommand,
    arguments: &[OsString],
    shutdown: &mut Shutdown,
) -> Result<u8, RunError> {
    let program = program::find(command)?;
    let private = PrivateFolder::create(&command.private, &format!("invoke-{}", std::process::id()))?;
    let config = private.write_config(&command.config)?;
    let mut child = Command::new(&program);
    child.args(command.argv.iter().skip(1)).arg("--config").arg(config.path()).args(arguments);
    child.current_dir(&command.folder).env_clear();
    child.envs(command.env.iter().map(|(key, value)| (key, value)));
    let mut child = child.spawn().map_err(RunError::machine("start", &program))?;
    let pid = Pid::from_raw(child.id().cast_signed());
    let mut ended = tokio::task::spawn_blocking(move || child.wait());
    loop {
        tokio::select! {
            status = &mut ended => {
                config.look();
                let status = status.map_err(|_| RunError::Bug)?;
                return Ok(exit_code(status.map_err(RunError::machine("wait for", &program))?));
            }
            Some(signal) = shutdown.recv() => pass_on(signal, pid),
        }
    }
}

/// A terminal sends its Ctrl-C to both of us; what is sent to tapster alone is meant for the program.
fn pass_on(signal: StopSignal, pid: Option<Pid>) {
    if signal == StopSignal::Terminate
        && let Some(pid) = pid
    {
        // It may have ended meanwhile.
        let _ = rustix::process::kill_process(pid, Signal::TERM);
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
