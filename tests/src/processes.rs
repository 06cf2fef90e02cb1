//! Who still runs.

use std::fs;
use std::path::Path;
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

/// The most memory that a process has had resident, in bytes.
pub fn peak_resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}
