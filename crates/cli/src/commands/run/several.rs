//! Several pipelines: one child process a run, since one run is one process. All run, even if one fails.

use std::collections::HashMap;
use std::process::Stdio;

use config::Project;
use runner::{Shutdown, StopSignal};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::args::{Color, Global, LogFormat, Run};
use crate::commands::in_runtime;
use crate::error::CliError;
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::{Align, Printer, Table};

/// So many run at a time.
const TOGETHER: usize = 2;

/// What came of one pipeline.
#[derive(Debug, Serialize)]
struct Ended {
    pipeline: String,
    /// `null` when it was killed or never started.
    exit_code: Option<i32>,
    /// The document of its own `run --json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
}

/// Runs them two at a time and tells the exit code of each. A signal stops all of them.
pub(super) fn run(global: &Global, project: &Project, names: &[String], args: &Run) -> Outcome {
    let global = &Global { project: Some(project.root().to_owned()), ..global.clone() };
    let (mut ended, stopped) = in_runtime(async |signals| Ok(all(global, names, args, signals).await))?;
    for name in names {
        if !ended.iter().any(|one| one.pipeline == *name) {
            ended.push(Ended { pipeline: name.clone(), exit_code: None, result: None });
        }
    }
    ended.sort_by_key(|one| names.iter().position(|known| *known == one.pipeline));
    tell(global, &ended, stopped)?;
    let codes: Vec<_> = ended.iter().map(|one| one.exit_code).collect();
    Ok(stopped.map_or_else(|| together(&codes), StopSignal::exit_code))
}

async fn all(
    global: &Global,
    names: &[String],
    args: &Run,
    signals: &mut Shutdown,
) -> (Vec<Ended>, Option<StopSignal>) {
    let mut waiting = names.iter();
    let mut pids = HashMap::new();
    let mut running = JoinSet::new();
    let (mut ended, mut stopped) = (Vec::new(), None);
    loop {
        while stopped.is_none() && running.len() < TOGETHER {
            let Some(name) = waiting.next() else { break };
            let child = start(global, name, args).ok();
            pids.insert(name.clone(), child.as_ref().and_then(pid));
            running.spawn(wait(name.clone(), child));
        }
        if running.is_empty() {
            return (ended, stopped);
        }
        tokio::select! {
            Some(signal) = signals.recv() => {
                stopped = Some(signal);
                pids.values().flatten().for_each(|pid| pass_on(*pid, signal));
            }
            Some(one) = running.join_next() => {
                if let Ok(one) = one {
                    pids.remove(&one.pipeline);
                    ended.push(one);
                }
            }
        }
    }
}

async fn wait(pipeline: String, child: Option<Child>) -> Ended {
    let output = match child {
        Some(child) => child.wait_with_output().await.ok(),
        None => None,
    };
    let exit_code = output.as_ref().and_then(|output| output.status.code());
    let result = output.and_then(|output| serde_json::from_slice(&output.stdout).ok());
    Ended { pipeline, exit_code, result }
}

fn pid(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}

fn pass_on(pid: Pid, signal: StopSignal) {
    let signal = match signal {
        StopSignal::Interrupt => Signal::INT,
        StopSignal::Terminate => Signal::TERM,
    };
    // One that has just ended needs none.
    let _ = kill_process(pid, signal);
}

fn start(global: &Global, name: &str, args: &Run) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    // Apart from the terminal's group, or Ctrl-C would reach it twice: a second signal stops at once.
    command.process_group(0);
    command.arg("run").arg(name).arg("--beside-others");
    if let Some(project) = &global.project {
        command.arg("--project").arg(project);
    }
    if let Some(environment) = &global.environment {
        command.arg("--environment").arg(environment);
    }
    let repeated = args
        .select
        .iter()
        .map(|text| ("--select", text))
        .chain(args.exclude.iter().map(|text| ("--exclude", text)));
    for (flag, text) in repeated {
        command.arg(flag).arg(text);
    }
    for (flag, value) in [("--wait", &args.wait), ("--timeout", &args.timeout)] {
        if let Some(value) = value {
            command.arg(flag).arg(value);
        }
    }
    for (flag, set) in [
        ("--full-refresh", args.full_refresh),
        ("--dry-run", args.dry_run),
        ("--quiet", global.quiet),
        ("--json", global.json),
    ] {
        if set {
            command.arg(flag);
        }
    }
    if global.log_format == LogFormat::Json {
        command.args(["--log-format", "json"]);
    }
    match global.color {
        Color::Auto => {}
        Color::Always => drop(command.args(["--color", "always"])),
        Color::Never => drop(command.args(["--color", "never"])),
    }
    command.args((0..global.verbose).map(|_| "-v"));
    if global.json {
        command.stdout(Stdio::piped());
    }
    command.spawn()
}

fn tell(global: &Global, ended: &[Ended], stopped: Option<StopSignal>) -> Result<(), CliError> {
    Printer::new(global).result(&ended, || {
        let mut table = Table::new(&[("pipeline", Align::Left), ("exit", Align::Right)]);
        for one in ended {
            let code = match one.exit_code {
                Some(code) => code.to_string(),
                None if stopped.is_some() => "not started".to_owned(),
                None => "killed".to_owned(),
            };
            table.line([one.pipeline.clone(), code]);
        }
        format!("\n{}", table.render(0))
    })
}

/// 0 when all succeeded, the common code when all that failed have one, 1 otherwise.
fn together(codes: &[Option<i32>]) -> u8 {
    let mut failed = codes.iter().filter(|code| **code != Some(0));
    let Some(first) = failed.next() else { return exit_code::SUCCESS };
    let same = failed.all(|code| code == first);
    first.filter(|_| same).and_then(|code| u8::try_from(code).ok()).unwrap_or(exit_code::SEVERAL)
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn one_reason_keeps_its_code_and_several_are_1() {
        let codes = |codes: &[i32]| codes.iter().map(|&code| Some(code)).collect::<Vec<_>>();
        assert_eq!(together(&codes(&[0, 0])), 0);
        assert_eq!(together(&codes(&[0, 76, 76])), 76);
        assert_eq!(together(&codes(&[0, 76, 69])), 1);
        assert_eq!(together(&[None]), 1);
    }
}
