//! Several pipelines: one child process a run, since one run is one process. All run, even if one fails.

mod child;

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Arc;

use config::Project;
use runner::{Shutdown, StopSignal};
use serde::Serialize;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::args::{Global, LogFormat, Run};
use crate::commands::in_runtime;
use crate::error::CliError;
use crate::exit_code;
use crate::failure::Outcome;
use crate::output::{Align, Printer, Table};
use crate::progress::Pipelines;
use child::{pass_on, pid, start, wait};

pub(super) use child::hold_to_parent;

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
    let live = live(global, names.len());
    let mut waiting = names.iter();
    let mut pids = HashMap::new();
    let mut running = JoinSet::new();
    let (mut ended, mut stopped) = (Vec::new(), None);
    loop {
        while stopped.is_none() && running.len() < TOGETHER {
            let Some(name) = waiting.next() else { break };
            let child = start(global, name, args, live.is_some()).ok();
            pids.insert(name.clone(), child.as_ref().and_then(pid));
            running.spawn(wait(name.clone(), child, live.clone()));
        }
        if running.is_empty() {
            if let Some(live) = live {
                live.clear();
            }
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

/// A line a pipeline, for a person at a terminal who wants to see it.
fn live(global: &Global, pipelines: usize) -> Option<Arc<Pipelines>> {
    let wanted = !global.json && !global.quiet && global.log_format == LogFormat::Text;
    (wanted && std::io::stderr().is_terminal()).then(|| Pipelines::new(pipelines))
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
    let failed = codes.iter().filter(|code| **code != Some(0));
    let known = |code: &Option<i32>| code.and_then(|code| u8::try_from(code).ok());
    exit_code::together(failed.map(|code| known(code).unwrap_or(exit_code::SEVERAL)))
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
