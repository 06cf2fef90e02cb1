//! The source's process: started with one of the protocol's words, heard line by line.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;
use singer::{LineBuffer, framing_excerpt, repaired};
use tap_sdk::TapError;
use tap_sdk::log::{self, Level};

use crate::arguments::Arguments;
use crate::control;
use crate::message::{Kind, Message, parse};
use crate::outcome::Errors;
use crate::secrets::Secrets;
use crate::signals::Stop;

/// After its end, what its own children write is waited for so long.
const AFTER_EXIT: Duration = Duration::from_secs(2);
/// Longest line of its stderr that is kept whole.
const STDERR_LINE: u64 = 64 << 10;

/// How the source is started.
pub(crate) struct Source {
    command: Vec<OsString>,
    manifest: Option<PathBuf>,
    components: Option<PathBuf>,
    line_bytes: usize,
    secrets: Secrets,
    stop: Stop,
}

/// What is heard of a running source.
pub(crate) enum Heard<'a> {
    /// A message that is no log.
    Message(Message<'a>),
    /// For now there is no more.
    Pause,
}

/// How it ended. It is told as in "the source exited 1".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit(ExitStatus);

impl Exit {
    pub(crate) fn is_success(self) -> bool {
        self.0.success()
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (self.0.code(), self.0.signal()) {
            (Some(code), _) => write!(f, "it exited {code}"),
            (None, Some(9)) => f.write_str("it was killed by signal 9, often for want of memory"),
            (None, signal) => write!(f, "it was ended by signal {}", signal.unwrap_or_default()),
        }
    }
}

impl Source {
    pub(crate) fn new(arguments: &Arguments, secrets: Secrets, stop: Stop) -> Self {
        Self {
            command: arguments.command.clone(),
            manifest: arguments.manifest.clone(),
            components: arguments.components.clone(),
            line_bytes: arguments.line_bytes,
            secrets,
            stop,
        }
    }

    /// What will be heard of its errors.
    pub(crate) fn errors(&self) -> Errors {
        Errors::new(self.secrets.clone())
    }

    /// The text without secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// Asks it with one of the protocol's words that have one answer. Gives the last payload of that kind, if one came.
    ///
    /// # Errors
    /// As [`run`](Self::run), and what the source traces as an error.
    pub(crate) fn ask(
        &self,
        word: &str,
        answer: Kind,
        config: Option<&Path>,
    ) -> Result<(Option<String>, Exit), TapError> {
        let arguments: Vec<OsString> =
            config.into_iter().flat_map(|config| ["--config".into(), config.into()]).collect();
        let (mut found, mut errors) = (None, self.errors());
        let exit = self.run(word, &arguments, &mut |heard| {
            match (heard, config) {
                (Heard::Message(Message::Other(kind, payload)), _) if kind == answer => {
                    found = Some(payload.to_owned());
                }
                (Heard::Message(Message::Other(Kind::Control, payload)), Some(config)) => {
                    control::obey(payload, config)?;
                }
                (Heard::Message(Message::Other(Kind::Trace, payload)), _) => errors.hear(payload),
                _ => {}
            }
            Ok(())
        })?;
        errors.verdict(word)?;
        Ok((found, exit))
    }

    /// Runs it with one of the protocol's words to its end. Its logs go to stderr, lines that are no messages are
    /// told there by their shape; everything else goes to `hear`.
    ///
    /// # Errors
    /// It does not start, says what cannot be read, or `hear` refuses something: then it is ended.
    pub(crate) fn run(
        &self,
        word: &str,
        arguments: &[OsString],
        hear: &mut dyn FnMut(Heard) -> Result<(), TapError>,
    ) -> Result<Exit, TapError> {
        let mut child = self.start(word, arguments)?;
        self.stop.tell(child.id().cast_signed());
        let stderr = child.stderr.take().map(|stderr| drain(stderr, self.secrets.clone()));
        let heard = child.stdout.take().map_or(Ok(()), |stdout| self.listen(stdout, &mut child, hear));
        if heard.is_err() {
            // It may have ended meanwhile.
            let _ = child.kill();
        }
        let exit = child.wait();
        self.stop.tell(0);
        if let Some(ended) = stderr {
            let _ = ended.recv_timeout(AFTER_EXIT);
        }
        heard?;
        exit.map(Exit).map_err(|error| TapError::failed(format!("the source cannot be waited for: {error}")))
    }

    fn start(&self, word: &str, arguments: &[OsString]) -> Result<Child, TapError> {
        let program = self.command.first().cloned().unwrap_or_default();
        let mut command = Command::new(&program);
        command.args(self.command.iter().skip(1)).arg(word).args(arguments);
        let files = [("--manifest-path", &self.manifest), ("--components-path", &self.components)];
        for (flag, file) in files.into_iter().filter(|_| word != "spec") {
            if let Some(file) = file {
                command.arg(flag).arg(file);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|error| {
            let problem = format!("the source's program `{}` does not start: {error}", program.display());
            TapError::config(problem).with_hint("is it installed, and executable?")
        })
    }

    fn listen(
        &self,
        mut stdout: ChildStdout,
        child: &mut Child,
        hear: &mut dyn FnMut(Heard) -> Result<(), TapError>,
    ) -> Result<(), TapError> {
        let mut lines = LineBuffer::new(self.line_bytes);
        while let Some(count) = read(&mut stdout, lines.space(), child)
            .map_err(|error| TapError::failed(format!("the source's output cannot be read: {error}")))?
        {
            lines.filled(count);
            loop {
                let line = lines.next_line().map_err(|error| {
                    TapError::failed(format!("the source's output: {error}"))
                        .with_hint("raise `limits.line_bytes`")
                })?;
                let Some(line) = line else { break };
                self.line(line, hear)?;
            }
            hear(Heard::Pause)?;
        }
        let last = lines.last_line().map(<[u8]>::to_vec);
        last.map_or(Ok(()), |line| self.line(&line, hear))
    }

    fn line(&self, line: &[u8], hear: &mut dyn FnMut(Heard) -> Result<(), TapError>) -> Result<(), TapError> {
        let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8");
        let parsed = text.and_then(parse);
        // Python writes NaN, which is no JSON: what tapster makes of it in a tap's line, it makes of it here.
        let meant = if parsed.is_err() { text.ok().and_then(repaired) } else { None };
        match meant.as_deref().map_or(parsed, parse) {
            Ok(Message::Other(Kind::Log, payload)) => self.log(payload),
            Ok(Message::Unknown) => {
                log::info(&format!("the source wrote what is no message: {}", framing_excerpt(line)));
            }
            Ok(message) => return hear(Heard::Message(message)),
            Err(problem) => {
                let excerpt = framing_excerpt(line);
                return Err(TapError::failed(format!(
                    "the source wrote a line that cannot be read: {problem}: {excerpt}"
                ))
                .with_hint("what a STATE covers is kept; tell the source's author"));
            }
        }
        Ok(())
    }

    fn log(&self, payload: &str) {
        #[derive(Deserialize)]
        struct Log {
            level: String,
            message: String,
            stack_trace: Option<String>,
        }
        let Ok(said) = serde_json::from_str::<Log>(payload) else { return };
        let level = match said.level.as_str() {
            "FATAL" => Level::Critical,
            "ERROR" => Level::Error,
            "WARN" | "WARNING" => Level::Warning,
            "DEBUG" | "TRACE" => Level::Debug,
            _ => Level::Info,
        };
        log::write(level, &self.secrets.redact(&said.message));
        if let Some(trace) = said.stack_trace {
            log::debug(&self.secrets.redact(&trace));
        }
    }
}

/// Reads what there is; `None` at the end, which is also reached when the source has exited and what it started is
/// silent.
fn read(stdout: &mut ChildStdout, space: &mut [u8], child: &mut Child) -> std::io::Result<Option<usize>> {
    loop {
        let timeout = Timespec { tv_sec: AFTER_EXIT.as_secs().cast_signed(), tv_nsec: 0 };
        match poll(&mut [PollFd::new(stdout, PollFlags::IN)], Some(&timeout)) {
            Ok(0) if child.try_wait()?.is_some() => return Ok(None),
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        match stdout.read(space) {
            Ok(0) => return Ok(None),
            Ok(count) => return Ok(Some(count)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Passes the source's stderr on without secrets. The receiver hears of its end.
fn drain(stderr: ChildStderr, secrets: Secrets) -> Receiver<()> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stderr);
        let mut line = Vec::new();
        while reader.by_ref().take(STDERR_LINE).read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = secrets.redact(&String::from_utf8_lossy(&line));
            // A closed stderr is no reason to stop.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
            line.clear();
        }
        let _ = sender.send(());
    });
    receiver
}
