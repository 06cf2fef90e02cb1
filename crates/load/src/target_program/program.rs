//! From the command line to the exit code.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd as _, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

use super::arguments::Arguments;
use super::input::{Signals, load_input};
use super::state_lines::StateLines;
use super::{ProgramError, TargetProgram, config, log};

/// Runs a target as the process that it is: reads the command line, loads what comes, writes STATE values to stdout and
/// all other words to stderr, and gives the exit code, which [`ProgramError::exit_code`] lists.
pub fn target_main(program: &TargetProgram) -> ExitCode {
    log::set_up(program.name);
    let arguments = match Arguments::parse(program, std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(usage) => usage.exit(),
    };
    let done =
        catch_unwind(AssertUnwindSafe(|| run(program, &arguments))).unwrap_or_else(|_| Err(log::bug()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(program: &TargetProgram, arguments: &Arguments) -> Result<(), ProgramError> {
    let mut stdout = stdout().map_err(ProgramError::Machine)?;
    if let Some(format) = arguments.about {
        let page = program.about(format) + "\n";
        return stdout.write_all(page.as_bytes()).map_err(ProgramError::Output);
    }
    let config = config::read(program, arguments.config.as_deref())?;
    let mut target = (program.make)(&config.target)?;
    let can = target.capabilities();
    config.load.check(can.upsert, can.grants)?;
    let input = open(arguments.input.as_deref())?;
    // Two threads: one drives the load, one has the signals.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(ProgramError::Machine)?;
    let states = StateLines::new(Box::new(stdout));
    let loaded = runtime.block_on(async {
        let mut signals = Signals::listen().map_err(ProgramError::Machine)?;
        load_input(&mut *target, input, &config.load, &states, &mut signals).await
    });
    // The target closes what it holds open, which it may need the runtime for.
    let entered = runtime.enter();
    drop(target);
    drop(entered);
    // A thread that a second signal left behind is not waited for.
    runtime.shutdown_background();
    loaded
}

/// The messages.
fn open(path: Option<&Path>) -> Result<OwnedFd, ProgramError> {
    let Some(path) = path else {
        return io::stdin().as_fd().try_clone_to_owned().map_err(ProgramError::Machine);
    };
    let opened = File::open(path).map_err(|source| ProgramError::Input { path: path.to_owned(), source })?;
    Ok(opened.into())
}

/// Without a buffer: a STATE counts once it is out.
fn stdout() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}
