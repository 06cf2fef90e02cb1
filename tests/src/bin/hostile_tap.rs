//! A tap that does what its script says: streams that are known to the last byte, and whatever taps do wrong.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write};
use std::os::fd::AsFd as _;
use std::process::{Command, ExitCode, Stdio};

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tests::script::{Act, Script};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let value_of = |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1));
    if let Some(depth) = value_of("--linger") {
        linger(depth.parse()?)?;
    }
    if words.iter().any(|word| word == "--help") {
        writeln!(
            io::stdout(),
            "usage: hostile-tap --config FILE [--discover] [--catalog FILE] [--state FILE]"
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = value_of("--config").ok_or("no --config")?;
    let script: Script = serde_json::from_reader(File::open(config)?)?;
    if words.iter().any(|word| word == "--discover") {
        writeln!(io::stdout(), "{}", catalog())?;
        return Ok(ExitCode::SUCCESS);
    }
    let state: Option<Value> =
        value_of("--state").map(File::open).transpose()?.map(serde_json::from_reader).transpose()?;
    let done = state.and_then(|state| state["bookmarks"]["all"]["at"].as_u64()).unwrap_or(0);
    let mut tap =
        HostileTap { script, output: Some(BufWriter::with_capacity(64 * 1024, io::stdout())), config };
    Ok(tap.run(done)?)
}

fn catalog() -> Value {
    let streams = Script::schemas(false).map(|message| {
        let root = json!({ "breadcrumb": [], "metadata": { "selected": true, "table-key-properties": message["key_properties"] } });
        json!({
            "tap_stream_id": message["stream"],
            "stream": message["stream"],
            "schema": message["schema"],
            "key_properties": message["key_properties"],
            "metadata": [root],
        })
    });
    json!({ "streams": streams })
}

struct HostileTap<'a> {
    script: Script,
    /// `None` when stdout was closed.
    output: Option<BufWriter<io::Stdout>>,
    /// Handed on to the processes that stay, so that they can be found.
    config: &'a str,
}

impl HostileTap<'_> {
    fn run(&mut self, done: u64) -> io::Result<ExitCode> {
        let (script, mut acts) = (self.script.clone(), self.script.acts.clone());
        acts.retain(|(at, _)| *at > done);
        acts.sort_by_key(|(at, _)| *at);
        let mut acts = acts.into_iter().peekable();
        self.schemas(script.is_wide(done + 1))?;
        for n in done + 1..=script.records {
            while let Some((_, act)) = acts.next_if(|(at, _)| *at <= n) {
                if let Some(code) = self.act(act)? {
                    return Ok(code);
                }
            }
            self.say(script.record(n).message().as_bytes())?;
            if script.state_every > 0 && n % script.state_every == 0 {
                let state = json!({ "type": "STATE", "value": { "bookmarks": { "all": { "at": n } } } });
                self.say(format!("{state}\n").as_bytes())?;
                // Whoever waits for the commit of this STATE gets it now.
                self.flush()?;
            }
        }
        for (_, act) in acts {
            if let Some(code) = self.act(act)? {
                return Ok(code);
            }
        }
        self.flush()?;
        Ok(ExitCode::SUCCESS)
    }

    fn schemas(&mut self, wide: bool) -> io::Result<()> {
        for message in Script::schemas(wide) {
            self.say(format!("{message}\n").as_bytes())?;
        }
        Ok(())
    }

    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.as_mut().map_or(Ok(()), |output| output.write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.as_mut().map_or(Ok(()), Write::flush)
    }

    /// Does it; gives the exit code where it ends the tap.
    fn act(&mut self, act: Act) -> io::Result<Option<ExitCode>> {
        self.flush()?;
        match act {
            Act::Exit(code) => return Ok(Some(u8::try_from(code).unwrap_or(1).into())),
            Act::Signal(number) => {
                let signal = Signal::from_named_raw(number).unwrap_or(Signal::KILL);
                rustix::process::kill_process(rustix::process::getpid(), signal)?;
                stay();
            }
            Act::Say(text) => self.say(text.as_bytes())?,
            Act::Bytes(bytes) => self.say(&bytes)?,
            Act::Flood(bytes) => flood(bytes)?,
            Act::CloseStdout => {
                self.output = None;
                let null = File::options().write(true).open("/dev/null")?;
                rustix::stdio::dup2_stdout(null.as_fd())?;
            }
            Act::IgnoreSigterm => ignore_sigterm()?,
            Act::Fork(depth) => start_lingering(depth, self.config)?,
            Act::BigRecord(bytes) => self.big_record(bytes)?,
            Act::Sleep => stay(),
            Act::WaitFor(pipe) => {
                let mut nothing = Vec::new();
                File::open(pipe)?.read_to_end(&mut nothing)?;
            }
            Act::Widen => self.schemas(true)?,
        }
        self.flush()?;
        Ok(None)
    }

    /// Written piece by piece: the tap itself need not hold it.
    fn big_record(&mut self, bytes: u64) -> io::Result<()> {
        self.say(b"{\"type\":\"RECORD\",\"stream\":\"items\",\"record\":{\"id\":1000000,\"n\":0,\"amount\":0,\"text\":\"")?;
        let piece = vec![b'x'; 64 * 1024];
        let mut left = bytes;
        while left > 0 {
            let length = left.min(piece.len() as u64);
            self.say(&piece[..usize::try_from(length).unwrap_or(0)])?;
            left -= length;
        }
        self.say(b"\"}}\n")
    }
}

fn flood(bytes: u64) -> io::Result<()> {
    let mut line = [b'e'; 200];
    (line[100], line[199]) = (0xff, b'\n');
    let mut output = BufWriter::with_capacity(64 * 1024, io::stderr());
    for _ in 0..bytes.div_ceil(200) {
        output.write_all(&line)?;
    }
    output.flush()
}

/// A runtime that listens to the signal and does nothing.
fn ignore_sigterm() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
    let entered = runtime.enter();
    let mut signals = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    runtime.spawn(async move { while signals.recv().await.is_some() {} });
    drop(entered);
    std::mem::forget(runtime);
    Ok(())
}

/// Starts the next of a line of processes that stay, and waits until the last of them is there.
fn start_lingering(depth: u32, config: &str) -> io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--linger", &depth.to_string(), "--config", config]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut ready = [0];
    child.stdout.take().map_or(Ok(()), |mut output| output.read_exact(&mut ready))
}

/// The life of such a process. Its parent waits for one byte.
fn linger(depth: u32) -> io::Result<()> {
    let words: Vec<String> = std::env::args().collect();
    if depth > 1 {
        start_lingering(depth - 1, words.last().map_or("", String::as_str))?;
    } else {
        rustix::process::setsid()?;
    }
    debug_assert!(rustix::process::getppid() != Pid::from_raw(0));
    io::stdout().write_all(b"x")?;
    io::stdout().flush()?;
    stay()
}

fn stay() -> ! {
    loop {
        std::thread::park();
    }
}
