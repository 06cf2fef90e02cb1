use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use store::{Run, RunStatus, Store};

use super::readable::readable;
use crate::args::{Global, RunsLogs};
use crate::error::CliError;
use crate::exit_code;
use crate::failure::{Failure, Outcome};
use crate::output::{Printer, print_bytes};

/// How often a followed log is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

#[derive(Serialize)]
struct Document {
    run: String,
    run_log: String,
    tap_log: String,
    /// Empty unless the target is a program of its own.
    target_log: String,
}

/// `runs logs RUN`: tapster's own log of the run, then the tap's stderr byte for byte, then that of a target that is a
/// program, each of its lines marked.
pub(super) fn run(global: &Global, args: &RunsLogs) -> Outcome {
    let (store, run) = super::find(global, &args.run)?;
    let folder = store.run_folder(&run.id);
    let printer = Printer::new(global);
    let mut files = vec![Followed::new(folder.tap_log.clone())];
    if printer.json() {
        let text = |path: &Path| Followed::new(path.to_owned()).more().map(|bytes| lossy(&bytes));
        let document = Document {
            run: run.id.to_string(),
            run_log: text(&folder.run_log)?,
            tap_log: text(&folder.tap_log)?,
            target_log: text(&folder.target_log)?,
        };
        printer.result(&document, String::new)?;
        return Ok(exit_code::SUCCESS);
    }
    if !args.tap {
        files.insert(0, Followed { shown: Shown::Readable, ..Followed::new(folder.run_log) });
        files.push(Followed { shown: Shown::Marked, ..Followed::new(folder.target_log) });
    }
    let mut told = print_more(&mut files)?;
    if args.follow {
        told |= follow(&store, &run, &mut files)?;
    }
    if !told {
        printer.note("the run left no log");
    }
    Ok(exit_code::SUCCESS)
}

fn follow(store: &Store, run: &Run, files: &mut [Followed]) -> Result<bool, Failure> {
    let mut told = false;
    loop {
        // Asked before the last look, so that no line of its end is missed.
        let running = store.find_run(&run.id.to_string(), None)?.status == RunStatus::Running;
        told |= print_more(files)?;
        if !running {
            return Ok(told);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn print_more(files: &mut [Followed]) -> Result<bool, CliError> {
    let mut told = false;
    for file in files {
        let more = file.more()?;
        told |= !more.is_empty();
        match file.shown {
            Shown::AsItIs => print_bytes(&more)?,
            Shown::Readable => print_bytes(readable(&lossy(&more)).as_bytes())?,
            Shown::Marked => {
                let lines: Vec<_> = lossy(&more).lines().map(|line| format!("target | {line}\n")).collect();
                print_bytes(lines.concat().as_bytes())?;
            }
        }
    }
    Ok(told)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A file that may still grow, or not be there yet.
struct Followed {
    path: PathBuf,
    read: u64,
    shown: Shown,
}

/// How a log is shown.
#[derive(Clone, Copy)]
enum Shown {
    AsItIs,
    /// Ours: JSON lines, shown as text.
    Readable,
    /// The target's, to be told from the tap's.
    Marked,
}

impl Followed {
    fn new(path: PathBuf) -> Self {
        Self { path, read: 0, shown: Shown::AsItIs }
    }

    /// What was added since the last look.
    fn more(&mut self) -> Result<Vec<u8>, CliError> {
        let mut bytes = Vec::new();
        let look = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.read))?;
            file.read_to_end(&mut bytes)
        });
        match look {
            Ok(length) => {
                self.read += length as u64;
                Ok(bytes)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(bytes),
            Err(source) => Err(CliError::File { what: "read", path: self.path.clone(), source }),
        }
    }
}
