//! What benches find: two sides in turn, their ratio with its spread, and a row of docs/benchmarks.md.

#![expect(clippy::cast_precision_loss, reason = "figures are for people")]
#![expect(clippy::print_stdout, reason = "benches talk to whoever runs them")]

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::processes;

/// Turns of each side, alternately: a busy minute slows both.
pub const TURNS: usize = 5;

/// File to which [`Figures`] adds a line of JSON for each: `cargo x bench` reads it.
const REPORT: &str = "TAPSTER_BENCH_REPORT";

const MIB: f64 = 1_048_576.0;

/// How long something takes.
pub fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

/// The middle one.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// `NAME` as a number, or this.
#[must_use]
pub fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

/// A program of somebody else that does the same, where the folder of their virtual environments is given:
/// `TAPSTER_BENCH_PEERS=FOLDER`, and in it `PEER/bin/PROGRAM`.
#[must_use]
pub fn peer(name: &str, program: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("TAPSTER_BENCH_PEERS")?).join(name).join("bin").join(program);
    path.is_file().then_some(path)
}

/// The figures of one bench.
#[derive(Debug, Default)]
pub struct Figures {
    broken: Vec<String>,
}

impl Figures {
    /// `ours` and `theirs` are seconds, a turn each; the ratio of their medians may be `most`, infinity for what
    /// nothing is promised of.
    pub fn ratio(&mut self, what: &str, against: &str, most: f64, ours: &[f64], theirs: &[f64]) {
        let ratio = median(ours) / median(theirs);
        let each = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs);
        let (least, greatest) =
            each.fold((f64::MAX, f64::MIN), |(least, greatest), one| (least.min(one), greatest.max(one)));
        let measured = format!(
            "{ratio:.2} ({least:.2} to {greatest:.2}); {:.2} s beside {:.2} s",
            median(ours),
            median(theirs)
        );
        let limit = if most.is_finite() { format!("at most {most} × its seconds") } else { String::new() };
        self.add(what, against, &limit, ratio <= most, &measured);
    }

    /// Seconds that each of these may take.
    pub fn lag(&mut self, what: &str, most: f64, measured: &[f64]) {
        let greatest = measured.iter().copied().fold(0.0, f64::max);
        let measured = format!("{:.2} s, {greatest:.2} s at the most", median(measured));
        self.add(what, "", &format!("at most {most} s"), greatest <= most, &measured);
    }

    /// A number of bytes that may be `most`.
    pub fn bytes(&mut self, what: &str, most: u64, measured: &[f64]) {
        let greatest = measured.iter().copied().fold(0.0, f64::max);
        let measured = format!("{:.0} MiB, {:.0} MiB at the most", median(measured) / MIB, greatest / MIB);
        let limit = format!("at most {:.0} MiB", most as f64 / MIB);
        self.add(what, "", &limit, greatest <= most as f64, &measured);
    }

    /// What somebody else's program takes, beside the same limit.
    pub fn peer(&mut self, name: &str, what: &str, theirs: f64, limit: &[f64]) {
        let measured = format!("{:.2}; {theirs:.2} s", theirs / median(limit));
        self.add(&format!("{name}: {what}"), "the same limit", "", true, &measured);
    }

    fn add(&mut self, what: &str, against: &str, must: &str, holds: bool, measured: &str) {
        let mut line = format!("{what}: {measured}");
        if !must.is_empty() {
            let _ = write!(line, " ({must}{})", if holds { "" } else { ": BROKEN" });
        }
        println!("{line}");
        if !holds {
            self.broken.push(line);
        }
        if let Some(path) = std::env::var_os(REPORT) {
            let figure = json!({ "what": what, "against": against, "must": must, "holds": holds, "measured": measured });
            let mut file =
                OpenOptions::new().create(true).append(true).open(path).expect("the report's file");
            writeln!(file, "{figure}").expect("the report");
        }
    }

    /// Ends the bench: with an error where a limit is broken.
    pub fn finish(self) {
        assert!(self.broken.is_empty(), "limits are broken:\n{}", self.broken.join("\n"));
    }
}

/// The most that was seen while something ran.
#[derive(Debug, Clone, Copy, Default)]
pub struct Peak {
    /// Resident bytes of all processes of the folder together.
    pub resident: u64,
    /// Bytes of the files of records that lay in the run's private folder.
    pub files: u64,
}

/// Looks at a project's processes and files until it is asked.
#[derive(Debug)]
pub struct Watch {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Peak>,
}

impl Watch {
    /// Begins to look, every 20 milliseconds.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        let (folder, done) = (folder.to_owned(), Arc::new(AtomicBool::new(false)));
        let until = Arc::clone(&done);
        let thread = thread::spawn(move || {
            let mut peak = Peak::default();
            while !until.load(Ordering::Relaxed) {
                let resident = processes::of_folder(&folder).iter().map(|one| resident(one.pid)).sum();
                peak.resident = peak.resident.max(resident);
                peak.files = peak.files.max(arrow_bytes(&folder.join(".tapster/private")));
                thread::sleep(Duration::from_millis(20));
            }
            peak
        });
        Self { done, thread }
    }

    /// What was seen.
    pub fn end(self) -> Peak {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().expect("looking does not panic")
    }
}

fn resident(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn arrow_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => arrow_bytes(&entry.path()),
        Ok(metadata) if entry.path().extension().is_some_and(|ext| ext == "arrow") => metadata.len(),
        _ => 0,
    });
    bytes.sum()
}
