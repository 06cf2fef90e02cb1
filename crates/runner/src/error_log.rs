//! A program's standard error: drained on a thread of its own, never parsed, never allowed to block the program.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::ProgramCommand;

/// Most bytes that are kept in the log's file.
const LOG_BYTES: u64 = 64 << 20;
/// Longest line that is kept whole.
const LINE_BYTES: u64 = 64 << 10;
/// How many last lines an error shows.
const LAST_LINES: usize = 20;

/// Takes secrets out of a text.
type Redact = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// The drain and what it remembers.
pub(crate) struct ErrorLog {
    thread: Option<JoinHandle<()>>,
    last: Arc<Mutex<VecDeque<String>>>,
    activity: Activity,
}

/// When a program last said something, readable from another thread.
#[derive(Clone)]
pub(crate) struct Activity {
    start: Instant,
    millis: Arc<AtomicU64>,
}

impl Activity {
    fn new() -> Self {
        Self { start: Instant::now(), millis: Arc::new(AtomicU64::new(0)) }
    }

    fn note(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.millis.store(millis, Ordering::Relaxed);
    }

    /// The last time.
    pub(crate) fn last(&self) -> Instant {
        self.start + std::time::Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }
}

impl ErrorLog {
    /// Drains `stderr` into the program's log. A log that cannot be written never fails a run.
    pub(crate) fn drain(stderr: impl Read + Send + 'static, command: &ProgramCommand) -> Self {
        Self::into_file(stderr, &command.log, Arc::clone(&command.redact))
    }

    fn into_file(stderr: impl Read + Send + 'static, path: &Path, redact: Redact) -> Self {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let file = file
            .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "the log of its standard error is not kept"))
            .ok();
        let last = Arc::new(Mutex::new(VecDeque::new()));
        let activity = Activity::new();
        let drain = Drain {
            file,
            written: 0,
            dropped: 0,
            last: Arc::clone(&last),
            activity: activity.clone(),
            redact,
        };
        let thread =
            std::thread::Builder::new().name("error-log".into()).spawn(move || drain.run(stderr)).ok();
        Self { thread, last, activity }
    }

    pub(crate) fn activity(&self) -> Activity {
        self.activity.clone()
    }

    /// The program's last lines, once its standard error has ended.
    pub(crate) fn into_last_lines(mut self) -> Vec<String> {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.last.lock().map(|lines| lines.iter().cloned().collect()).unwrap_or_default()
    }
}

struct Drain {
    file: Option<File>,
    written: u64,
    dropped: u64,
    last: Arc<Mutex<VecDeque<String>>>,
    activity: Activity,
    redact: Redact,
}

impl Drain {
    fn run(mut self, stderr: impl Read) {
        let mut reader = BufReader::with_capacity(1 << 16, stderr);
        let mut line = Vec::new();
        loop {
            line.clear();
            match reader.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => self.line(&line),
            }
        }
        if let Some(file) = self.file.as_mut().filter(|_| self.dropped > 0) {
            let _ = writeln!(file, "… {} further lines are not kept", self.dropped);
        }
    }

    fn line(&mut self, bytes: &[u8]) {
        self.activity.note();
        if self.written > LOG_BYTES {
            // A flood: only its last lines matter, and they must not cost time.
            self.dropped += 1;
            if !self.dropped.is_multiple_of(64) {
                return;
            }
        }
        let text = (self.redact)(String::from_utf8_lossy(bytes).trim_end());
        if self.written <= LOG_BYTES {
            self.written += text.len() as u64 + 1;
            if self.file.as_mut().is_some_and(|file| writeln!(file, "{text}").is_err()) {
                self.file = None;
            }
        }
        if let Ok(mut last) = self.last.lock() {
            last.push_back(text);
            if last.len() > LAST_LINES {
                last.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorLog;
    use std::sync::Arc;

    #[test]
    fn a_flood_of_odd_bytes_is_drained_and_its_end_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut flood = b"\xff\xfe secret\n".repeat(100);
        flood.extend_from_slice(b"last words");
        let path = folder.path().join("tap.log");
        let log = ErrorLog::into_file(
            std::io::Cursor::new(flood),
            &path,
            Arc::new(|text| text.replace("secret", "***")),
        );
        let last = log.into_last_lines();
        assert_eq!((last.len(), last.last().map(String::as_str)), (20, Some("last words")));
        let kept = std::fs::read_to_string(path).unwrap();
        assert!(kept.lines().count() == 101 && !kept.contains("secret"));
    }
}
