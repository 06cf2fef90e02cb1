//! `test tap` and `test target`: what they owe, for their authors.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use conformance::{Check, ConformanceError, Limits, Program, Report, TapTest, Verdict};
use runner::{RunError, Shutdown};

use crate::args::{Global, Longest, Test, TestTap, TestTarget};
use crate::commands::run::{duration, pattern};
use crate::commands::{in_runtime, project};
use crate::error::CliError;
use crate::exit_code;
use crate::failure::{Failure, Outcome};
use crate::output::{BAD, DIM, GOOD, Printer};
use crate::wiring::Invoked;

/// Set for the tapster that runs under the guard of another one.
const GUARDED: &str = "TAPSTER_GUARDED";

/// Under the guard, so that a test which is killed leaves neither the program nor the folder with its config.
pub(crate) fn run(global: &Global, args: &Test) -> Outcome {
    if env::var_os(GUARDED).is_none() {
        return in_runtime(guarded);
    }
    match args {
        Test::Tap(args) => tap(global, args),
        Test::Target(args) => target(global, args),
    }
}

/// This command once more, with its folders for temporary files in one that goes with it.
async fn guarded(signals: &mut Shutdown) -> Outcome {
    let file = |what, path: &Path| {
        let path = path.to_owned();
        move |source| CliError::File { what, path, source }
    };
    let folder = tempfile::tempdir().map_err(file("make a folder in", &env::temp_dir()))?;
    let own = env::current_exe().map_err(file("find", Path::new("tapster")))?;
    let argv: Vec<OsString> = [own.clone().into()].into_iter().chain(env::args_os().skip(1)).collect();
    let env = [(GUARDED, OsStr::new("1")), ("TMPDIR", folder.path().as_os_str())];
    Ok(runner::guarded(&own, &argv, &env, folder.path(), signals).await?)
}

fn tap(global: &Global, args: &TestTap) -> Outcome {
    let invoked = args.pipeline.as_ref().map(|name| of_pipeline(global, name)).transpose()?;
    let program = match &invoked {
        Some(invoked) => Program {
            argv: invoked.command.argv.clone(),
            env: Some(invoked.command.env.clone()),
            folder: invoked.command.folder.clone(),
            config: Some(invoked.command.config.text()),
            redact: invoked.command.redact.clone(),
        },
        None => program(&args.command, args.config.as_deref())?,
    };
    let patterns = args.select.iter().map(|text| pattern(text)).collect::<Result<Vec<_>, _>>()?;
    let select = |stream: &str| patterns.iter().any(|pattern| pattern.matches(stream));
    let catalog = args.catalog.as_deref().map(read).transpose()?;
    let test = TapTest { catalog, select: if patterns.is_empty() { None } else { Some(&select) } };
    let limits = limits(args.records, &args.longest)?;
    let report = in_runtime(async |signals| {
        unless_stopped(signals, conformance::test_tap(&program, &test, limits)).await
    })?;
    tell(global, &report, exit_code::TAP)
}

fn target(global: &Global, args: &TestTarget) -> Outcome {
    let program = program(&args.command, args.config.as_deref())?;
    let limits = limits(u64::MAX, &args.longest)?;
    let report = in_runtime(async |signals| {
        unless_stopped(signals, conformance::test_target(&program, limits)).await
    })?;
    tell(global, &report, exit_code::UNAVAILABLE)
}

/// A signal drops the test, and with it every process that it has started.
async fn unless_stopped(
    signals: &mut Shutdown,
    test: impl Future<Output = Result<Report, ConformanceError>>,
) -> Result<Report, Failure> {
    tokio::select! {
        biased;
        Some(signal) = signals.recv() => Err(RunError::Cancelled(signal).into()),
        report = test => Ok(report?),
    }
}

fn of_pipeline(global: &Global, name: &str) -> Result<Invoked, Failure> {
    let (project, name) = project::open_one(global, name)?;
    let pipeline = project.pipeline(&name)?;
    Invoked::tap(&project, &pipeline, Printer::new(global))
}

/// A program as it stands on the command line, with the environment of whoever asks.
fn program(command: &[OsString], config: Option<&Path>) -> Result<Program, CliError> {
    Ok(Program {
        argv: command.to_vec(),
        env: None,
        folder: PathBuf::from("."),
        config: config.map(read).transpose()?,
        redact: Arc::new(str::to_owned),
    })
}

fn read(path: &Path) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(|source| project::file_error("read", path, source))
}

fn limits(records: u64, longest: &Longest) -> Result<Limits, CliError> {
    let (timeout, grace) = (duration("--timeout", &longest.timeout)?, duration("--grace", &longest.grace)?);
    Ok(Limits { records: records.max(1), timeout, grace })
}

fn tell(global: &Global, report: &Report, failed: u8) -> Outcome {
    Printer::new(global).result(report, || text(report, global.verbose > 0))?;
    Ok(if report.count(Verdict::Failed) == 0 { exit_code::SUCCESS } else { failed })
}

/// One line a check, with the reason below where it does not hold, or for all with `--verbose`.
fn text(report: &Report, is_verbose: bool) -> String {
    let widest = report.checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for check in &report.checks {
        let Check { name, verdict, found, why } = check;
        let (word, style) = match verdict {
            Verdict::Ok => ("ok", GOOD),
            Verdict::Failed => ("failed", BAD),
            Verdict::Skipped => ("skipped", DIM),
        };
        text.push_str(&format!("{style}{word:<7}{style:#}  {name:<widest$}  {found}\n"));
        if *verdict == Verdict::Failed || is_verbose {
            text.push_str(&format!("{:9}{:widest$}  {DIM}why: {why}{DIM:#}\n", "", ""));
        }
    }
    let count = |verdict| report.count(verdict);
    let (ok, failed, skipped) = (count(Verdict::Ok), count(Verdict::Failed), count(Verdict::Skipped));
    text.push_str(&format!(
        "\n{} checks: {ok} ok, {failed} failed, {skipped} skipped\n",
        report.checks.len()
    ));
    text
}
