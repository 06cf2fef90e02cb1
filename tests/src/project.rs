//! A project in a temporary folder, and tapster run in it.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::programs;

/// A project's folder, gone with its test.
#[derive(Debug)]
pub struct Project {
    folder: TempDir,
    program: PathBuf,
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

impl Project {
    /// An empty project.
    #[must_use]
    pub fn new() -> Self {
        Self::with(programs::tapster())
    }

    /// An empty project for this build of tapster.
    #[must_use]
    pub fn with(program: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("tapster-project-").tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("pipelines")).expect("pipelines/");
        fs::create_dir_all(folder.path().join("home")).expect("home/");
        Self { folder, program: program.to_owned() }
    }

    /// Its root.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("its folder");
        fs::write(&path, text).expect("the file");
        path
    }

    /// Writes `pipelines/NAME.yml`. JSON is YAML.
    pub fn pipeline(&self, name: &str, content: &Value) {
        self.write(&format!("pipelines/{name}.yml"), serde_json::to_string_pretty(content).expect("JSON"));
    }

    /// A tap that replays a stream, whatever it is asked.
    pub fn replay(stream: &Path) -> Value {
        json!({ "command": ["sh", "-c", format!("cat '{}'", stream.display())] })
    }

    /// tapster with these words, in this project, with nothing of our environment but PATH.
    pub fn tapster<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path().join("home")).env("TZ", "UTC").env("LANG", "C.UTF-8");
        command
    }

    /// Runs tapster to its end.
    pub fn run<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Outcome {
        self.outcome(&mut self.tapster(words))
    }

    /// Runs a command of this project to its end.
    pub fn outcome(&self, command: &mut Command) -> Outcome {
        let output = command.output().expect("tapster starts");
        let text = |bytes: Vec<u8>| {
            String::from_utf8_lossy(&bytes).replace(&self.path().display().to_string(), "[PROJECT]")
        };
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
        Outcome {
            code: output.status.code(),
            signal,
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Starts `tapster run PIPELINE` with all of its log as JSON, to be watched and killed.
    pub fn start(&self, pipeline: &str, failpoints: Option<&str>) -> Running {
        self.start_with(pipeline, &[], failpoints)
    }

    /// The same with further flags.
    pub fn start_with(&self, pipeline: &str, flags: &[&str], failpoints: Option<&str>) -> Running {
        let arguments = ["run", pipeline, "--log-format", "json", "-vv"];
        let mut command = self.tapster(arguments.iter().chain(flags));
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        if let Some(failpoints) = failpoints {
            command.env("FAILPOINTS", failpoints);
        }
        let mut child = command.spawn().expect("tapster starts");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        Running { child, log }
    }

    /// What runs have left in the folder of private files.
    pub fn private_folders(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join(".tapster/private")).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    }
}

/// How a command ended, its texts without the project's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Its exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its output.
    pub stdout: String,
    /// Its log and errors.
    pub stderr: String,
}

impl Outcome {
    /// Panics with all of it unless it ended so.
    #[must_use]
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let code = self.code.map_or_else(|| format!("signal {:?}", self.signal), |code| code.to_string());
        write!(
            f,
            "exit code: {code}\n----- stdout -----\n{}\n----- stderr -----\n{}",
            self.stdout, self.stderr
        )
    }
}

/// A run that is watched.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its log; `None` when it has ended.
    pub fn next_line(&mut self) -> Option<LogLine> {
        let mut line = String::new();
        let length = self.log.read_line(&mut line).unwrap_or(0);
        (length > 0).then(|| LogLine::parse(line))
    }

    /// Reads until a line is as wanted; panics with everything read when the run ends before.
    pub fn wait_for(&mut self, wanted: impl Fn(&LogLine) -> bool) -> LogLine {
        let mut read = String::new();
        while let Some(line) = self.next_line() {
            if wanted(&line) {
                return line;
            }
            read += &line.text;
        }
        panic!("the run ended before what was waited for:\n{read}");
    }

    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("it is there: nobody has waited for it");
    }

    /// Kills it, and gives what it still had written.
    pub fn kill(mut self) -> Vec<LogLine> {
        let _ = self.child.kill();
        std::iter::from_fn(|| self.next_line()).collect()
    }

    /// Waits for its end; gives its exit code and the rest of its log.
    pub fn finish(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        let _ = self.log.read_to_string(&mut rest);
        (self.child.wait().expect("it is our child").code(), rest)
    }
}

impl Drop for Running {
    /// Ends what a failed test leaves.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line of a log.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// As it came.
    pub text: String,
    fields: Value,
}

impl LogLine {
    fn parse(text: String) -> Self {
        let fields = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { text, fields }
    }

    /// A field of the line.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// The phase of a commit that has begun, where the line tells of one.
    pub fn phase(&self) -> Option<&str> {
        self.field("phase").and_then(Value::as_str)
    }

    /// Whether the line tells that the STATE after this record is committed. The state's own text is asked: the
    /// line's timestamp holds digits, too.
    pub fn is_checkpoint_at(&self, record: u64) -> bool {
        let state = self.field("state").and_then(Value::as_str).unwrap_or_default();
        self.is_event("checkpointed") && state.contains(&format!("\"at\":{record}}}"))
    }

    /// Whether the line tells of this event of the run.
    pub fn is_event(&self, name: &str) -> bool {
        self.field("event").and_then(Value::as_str) == Some(name)
    }
}
