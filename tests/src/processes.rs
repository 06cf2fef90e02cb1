//! Who still runs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// A process whose command line names something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its command line.
    pub words: String,
}

/// All processes with this folder in their command line or as their working folder, zombies aside.
pub fn of_folder(folder: &Path) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let found = pids.filter_map(|pid| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        let there = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        let named = there || words.contains(&folder.display().to_string());
        (named && !words.is_empty()).then_some(Process { pid, words })
    });
    found.collect()
}

/// Waits until none of the folder's processes is there; gives those that outlive this time.
pub fn gone_within(folder: &Path, longest: Duration) -> Vec<Process> {
    let end = Instant::now() + longest;
    loop {
        let left = of_folder(folder);
        let Some(process) = left.first() else { return left };
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return left;
        }
        wait_for_end(process.pid, rest);
    }
}

/// Waits for the end of a process that need not be our child.
fn wait_for_end(pid: i32, longest: Duration) {
    let Some(pid) = Pid::from_raw(pid) else { return };
    let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let rest = Timespec {
        tv_sec: i64::try_from(longest.as_secs()).unwrap_or(60),
        tv_nsec: longest.subsec_nanos().into(),
    };
    let _ = poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&rest));
}

/// How a measured command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Its exit code; negative for a signal.
    pub code: i32,
    /// The most memory that it, or a process that it waited for, had resident, in bytes.
    pub peak_resident: u64,
    /// What it wrote to stderr.
    pub stderr: String,
}

/// Runs a command to its end and measures it. Python's `wait4` does, which the standard library lacks.
pub fn measure(command: &Command) -> Measured {
    const SCRIPT: &str = "import os, sys\n\
        pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)\n\
        _, status, usage = os.wait4(pid, 0)\n\
        print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)";
    let mut python = Command::new("python3");
    python.args(["-c", SCRIPT]).arg(command.get_program()).args(command.get_args()).env_clear();
    python.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    python.stdin(Stdio::null()).current_dir(command.get_current_dir().expect("a project's folder"));
    let output = python.output().expect("python3: install it (Debian: apt-get install python3)");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = said.lines().last().unwrap_or_default();
    let numbers =
        last.split_once(' ').and_then(|(code, peak)| Some((code.parse().ok()?, peak.parse::<u64>().ok()?)));
    let (code, kibibytes) = numbers.unwrap_or_else(|| panic!("python3 said {said:?}\n{stderr}"));
    Measured { code, peak_resident: kibibytes * 1024, stderr }
}
