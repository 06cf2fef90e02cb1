//! One start of the program: in a process group of its own, so that nothing of it is left.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::ended::Ended;
use crate::{ConformanceError, Program};

/// How long a process may outlive its parent before it counts as left behind.
const AFTER: Duration = Duration::from_secs(1);
/// Most bytes that are kept of what a program prints when it is asked something.
const MOST_BYTES: u64 = 64 << 20;
/// Longest last words, in characters.
const LAST_WORDS: usize = 200;

/// A running program. Dropping it kills its whole group.
pub(crate) struct Process {
    child: Child,
    group: Option<Pid>,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stdin: Option<ChildStdin>,
    last_words: Arc<Mutex<String>>,
    /// The last of it to be read.
    stderr: tokio::task::JoinHandle<()>,
}

impl Process {
    /// Starts it with further arguments; with an input only if it is to get one.
    pub(crate) fn start(
        program: &Program,
        arguments: &[OsString],
        input: bool,
    ) -> Result<Self, ConformanceError> {
        let name = program.argv.first().cloned().unwrap_or_default();
        let mut command = Command::new(&name);
        command.args(program.argv.iter().skip(1)).args(arguments).current_dir(&program.folder);
        if let Some(env) = &program.env {
            command.env_clear().envs(env.iter().map(|(key, value)| (key, value)));
        }
        command.stdin(if input { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        let program_name = name.display().to_string();
        let mut child = command
            .spawn()
            .map_err(|source| ConformanceError::NotStarted { program: program_name, source })?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let (stdout, stdin) = (child.stdout.take(), child.stdin.take());
        let last_words = Arc::new(Mutex::new(String::new()));
        let stderr = tokio::spawn(drain(child.stderr.take(), last_words.clone(), program.redact.clone()));
        Ok(Self { child, group, stdout, stdin, last_words, stderr })
    }

    /// Waits for its end. The future may be dropped and asked for again.
    pub(crate) async fn exit(&mut self) -> Option<ExitStatus> {
        self.child.wait().await.ok()
    }

    /// Sends its group a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(group) = self.group.filter(|_| self.child.id().is_some()) {
            // It may have ended meanwhile.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Gives it this long to end, kills what is left of it, and says how it went.
    pub(crate) async fn end(mut self, longest: Duration) -> Ended {
        self.stdin = None;
        let exit = timeout(longest, self.exit()).await.ok().flatten();
        if exit.is_none() {
            self.signal(Signal::KILL);
            let _ = self.exit().await;
            return Ended { exit, left: 0, last_words: self.heard().await };
        }
        let since = Instant::now();
        let mut left = members(self.group);
        while left > 0 && since.elapsed() < AFTER {
            sleep(Duration::from_millis(20)).await;
            left = members(self.group);
        }
        if let Some(group) = self.group.filter(|_| left > 0) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        Ended { exit, left, last_words: self.heard().await }
    }

    async fn heard(&mut self) -> String {
        let _ = timeout(AFTER, &mut self.stderr).await;
        self.last_words.lock().map(|words| words.clone()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.stderr.abort();
    }
}

async fn drain(
    stderr: Option<ChildStderr>,
    last_words: Arc<Mutex<String>>,
    redact: Arc<dyn Fn(&str) -> String + Send + Sync>,
) {
    let Some(stderr) = stderr else { return };
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
        let text = redact(String::from_utf8_lossy(&line).trim());
        if let (Ok(mut last), false) = (last_words.lock(), text.is_empty()) {
            *last = text.chars().take(LAST_WORDS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        }
        line.clear();
    }
}

/// Live processes of a group whose leader is gone. None where the system does not tell.
fn members(group: Option<Pid>) -> usize {
    let (Some(group), Ok(entries)) = (group, std::fs::read_dir("/proc")) else { return 0 };
    let wanted = group.as_raw_nonzero().get().to_string();
    let statistics = entries.flatten().filter_map(|entry| {
        entry.file_name().to_str()?.parse::<u32>().ok()?;
        std::fs::read_to_string(entry.path().join("stat")).ok()
    });
    let is_member = |text: &String| {
        // `pid (name) state parent group …`; a name may hold blanks and brackets.
        let mut fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
        !matches!(fields.next(), Some("Z" | "X")) && fields.nth(1) == Some(wanted.as_str())
    };
    statistics.filter(is_member).count()
}

/// What a program prints when it is asked something, and how it ends. `None` for longer than that, or too much.
pub(crate) async fn ask(
    program: &Program,
    arguments: &[OsString],
    longest: Duration,
    enough: impl Fn(&[u8]) -> bool,
) -> Result<(Vec<u8>, Option<ExitStatus>), ConformanceError> {
    let mut process = Process::start(program, arguments, false)?;
    let mut bytes = Vec::new();
    if let Some(stdout) = process.stdout.take() {
        let mut stdout = stdout.take(MOST_BYTES);
        let read = async {
            while stdout.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) && !enough(&bytes) {}
        };
        let _ = timeout(longest, read).await;
    }
    let longest = if enough(&bytes) { Duration::ZERO } else { longest };
    Ok((bytes, process.end(longest).await.exit))
}
