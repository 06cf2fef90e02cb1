//! A Singer target as a program of its own, ours or somebody else's, and what a test says to it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::project::{Outcome, Project};

/// A target with its config, which lies in a project's folder.
#[derive(Debug)]
pub struct SingerTarget<'p> {
    project: &'p Project,
    program: PathBuf,
    config: PathBuf,
}

impl<'p> SingerTarget<'p> {
    /// A program and its config.
    #[must_use]
    pub fn new(project: &'p Project, program: PathBuf, config: &Value) -> Self {
        let name = program.file_name().expect("a program").to_string_lossy().into_owned();
        let config = project.write(&format!("{name}.json"), config.to_string());
        Self { project, program, config }
    }

    /// It with these words, in the project's folder and with nothing of our environment but PATH.
    #[must_use]
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(self.project.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TZ", "UTC");
        command
    }

    /// It with its config.
    #[must_use]
    pub fn loading(&self) -> Command {
        let mut command = self.command(&["--config"]);
        command.arg(&self.config);
        command
    }

    /// Loads these messages to its end.
    pub fn load(&self, messages: impl AsRef<[u8]>) -> Outcome {
        let input = self.project.write("messages", messages);
        self.project.outcome(self.loading().stdin(File::open(input).expect("just written")))
    }

    /// Starts it with an input that stays open.
    pub fn start(&self) -> Fed {
        let stderr = self.project.path().join("stderr");
        let mut command = self.loading();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(File::create(&stderr).expect("a file for its stderr"));
        let mut child = command.spawn().expect("the target starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Fed { input: child.stdin.take(), output, child, stderr }
    }
}

/// A target that is being fed.
#[derive(Debug)]
pub struct Fed {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    stderr: PathBuf,
}

impl Fed {
    /// Gives it these messages, and keeps its input open.
    pub fn say(&mut self, messages: &str) {
        self.input.as_mut().expect("open").write_all(messages.as_bytes()).expect("it reads");
    }

    /// Waits until it has read all that was said.
    pub fn wait_until_read(&self) {
        let input = self.input.as_ref().expect("open");
        while rustix::io::ioctl_fionread(input).expect("a pipe") > 0 {
            std::thread::yield_now();
        }
    }

    /// The next line of its output, without the line feed; waits for it.
    pub fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("UTF-8");
        line.strip_suffix('\n').unwrap_or_else(|| panic!("{line:?}\n{}", self.said())).to_owned()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("nobody has waited for it");
    }

    /// Its stderr up to now.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Ends its input and waits; gives its exit code and the rest of its output.
    pub fn finish(&mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        self.wait()
    }

    /// Waits with its input open; gives its exit code and the rest of its output.
    pub fn wait(&mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("UTF-8");
        (self.child.wait().expect("it is our child").code(), rest)
    }
}

impl Drop for Fed {
    /// Ends what a failed test leaves.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
