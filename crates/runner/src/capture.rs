//! Runs a tap's program for what it prints: discovery, help, about.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::config::ConfigFile;
use crate::private_folder::{CATALOG, PrivateFolder};
use crate::process::{Process, ProcessExit};
use crate::{ProgramCommand, RunError, Shutdown, TapFailure};

/// Most bytes that are kept.
const MOST_BYTES: usize = 256 << 20;

/// What a program printed and how it ended.
pub(crate) struct Captured {
    pub(crate) stdout: Vec<u8>,
    /// `None` when it was stopped because enough was seen.
    pub(crate) exit: Option<ProcessExit>,
}

/// What a program is asked.
pub(crate) struct Question<'a> {
    pub(crate) flag: &'static str,
    /// Whether it gets its config, and with it what it logs in with.
    pub(crate) with_config: bool,
    /// What is selected, as JSON text.
    pub(crate) catalog: Option<&'a str>,
    pub(crate) longest: Duration,
    /// Whether this much of the answer will do.
    pub(crate) enough: fn(&[u8]) -> bool,
}

/// Starts the tap with the question's flag, and reads its output until it ends or there is enough of it.
pub(crate) async fn capture(
    command: &ProgramCommand,
    question: Question<'_>,
    shutdown: &mut Shutdown,
) -> Result<Captured, RunError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Question { flag, with_config, catalog, longest, enough } = question;
    let name = format!("discover-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let private = PrivateFolder::create(&command.private, &name)?;
    let mut arguments: Vec<OsString> = Vec::new();
    let config = with_config.then(|| private.write_config(&command.config)).transpose()?;
    if let Some(config) = &config {
        arguments.extend(["--config".into(), config.path().into()]);
    }
    if let Some(catalog) = catalog {
        arguments.extend(["--catalog".into(), private.write(CATALOG, catalog)?.into()]);
    }
    arguments.push(flag.into());
    let mut tap = Process::start(command, private.path(), &arguments).await?;
    let output = tap.take_stdout().ok_or(RunError::Bug)?;
    let reading = tokio::task::spawn_blocking(move || read(&output, enough));
    let stdout = tokio::select! {
        biased;
        Some(signal) = shutdown.recv() => Err(RunError::Cancelled(signal)),
        () = tokio::time::sleep(longest) => Err(TapFailure::Silent(longest).into()),
        read = reading => read.map_err(|_| RunError::Bug),
    };
    let (stdout, whole) = match stdout {
        Ok(read) => read,
        Err(error) => {
            tap.kill();
            tap.end(Duration::ZERO).await;
            return Err(error);
        }
    };
    let exit = if whole { tap.exit_within(Duration::from_secs(30)).await } else { None };
    // It goes with the tap.
    config.iter().for_each(ConfigFile::look);
    tap.end(if whole { Duration::from_secs(2) } else { Duration::ZERO }).await;
    Ok(Captured { stdout, exit })
}

/// Reads to the end; the second part says whether it was reached.
fn read(output: &OwnedFd, enough: fn(&[u8]) -> bool) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let mut space = vec![0_u8; 1 << 16];
    loop {
        match rustix::io::read(output, &mut space) {
            Ok(0) => return (bytes, true),
            Ok(count) => bytes.extend_from_slice(space.get(..count).unwrap_or_default()),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return (bytes, true),
        }
        if enough(&bytes) || bytes.len() > MOST_BYTES {
            return (bytes, false);
        }
    }
}
