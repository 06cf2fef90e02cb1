//! One of several runs: how its process is started, heard, stopped, and held to the life of this one.

use std::io::Read;
use std::process::Stdio;
use std::sync::Arc;

use runner::StopSignal;
use rustix::process::{Pid, Signal, getpid, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};

use super::Ended;
use crate::args::{Color, Global, LogFormat, Run};
use crate::output::print_bytes;
use crate::progress::{Pipelines, above};

/// Starts the run of one pipeline. With `heard` what it says comes to this process, its log as JSON lines.
pub(super) fn start(global: &Global, name: &str, args: &Run, heard: bool) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    // Apart from the terminal's group, or Ctrl-C would reach it twice: a second signal stops at once.
    command.process_group(0);
    // Its end tells the child that this process is gone, by whatever death.
    command.stdin(Stdio::piped());
    command.arg("run").arg(name).arg("--beside-others");
    if let Some(project) = &global.project {
        command.arg("--project").arg(project);
    }
    if let Some(environment) = &global.environment {
        command.arg("--environment").arg(environment);
    }
    narrow(&mut command, args);
    for (flag, set) in [
        ("--full-refresh", args.streams.full_refresh),
        ("--dry-run", args.dry_run),
        ("--quiet", global.quiet),
        ("--json", global.json),
    ] {
        if set {
            command.arg(flag);
        }
    }
    if heard || global.log_format == LogFormat::Json {
        command.args(["--log-format", "json"]);
    }
    match global.color {
        Color::Auto
            if heard && anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never =>
        {
            command.args(["--color", "always"]);
        }
        Color::Auto => {}
        Color::Always => drop(command.args(["--color", "always"])),
        Color::Never => drop(command.args(["--color", "never"])),
    }
    command.args((0..global.verbose).map(|_| "-v"));
    if global.json || heard {
        command.stdout(Stdio::piped());
    }
    if heard {
        command.stderr(Stdio::piped());
    }
    command.spawn()
}

/// The flags with values.
fn narrow(command: &mut Command, args: &Run) {
    let repeated = args
        .streams
        .select
        .iter()
        .map(|text| ("--select", text))
        .chain(args.streams.exclude.iter().map(|text| ("--exclude", text)));
    let single = [("--wait", &args.wait), ("--timeout", &args.timeout)];
    let single = single.into_iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?)));
    for (flag, text) in repeated.chain(single) {
        command.arg(flag).arg(text);
    }
}

/// Waits for its end, and shows what it says where this process hears it.
pub(super) async fn wait(pipeline: String, child: Option<Child>, live: Option<Arc<Pipelines>>) -> Ended {
    let Some(mut child) = child else { return Ended { pipeline, exit_code: None, result: None } };
    // Held until its end: `wait_with_output` would close it.
    let leash = child.stdin.take();
    let heard = match (live.clone(), child.stderr.take()) {
        (Some(live), Some(said)) => Some(tokio::spawn(hear(pipeline.clone(), said, live))),
        _ => None,
    };
    let output = child.wait_with_output().await.ok();
    drop(leash);
    if let Some(heard) = heard {
        // What it left behind may hold its stderr open for longer than it lived.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), heard).await;
    }
    let exit_code = output.as_ref().and_then(|output| output.status.code());
    let stdout = output.map(|output| output.stdout).unwrap_or_default();
    if let Some(live) = live {
        live.ended(&pipeline);
        // A reader of stdout that is gone is told of by the table that follows.
        let _ = above(|| print_bytes(&stdout));
    }
    let result = serde_json::from_slice(&stdout).ok();
    Ended { pipeline, exit_code, result }
}

async fn hear(pipeline: String, said: ChildStderr, live: Arc<Pipelines>) {
    let mut lines = BufReader::new(said).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        live.hear(&pipeline, &String::from_utf8_lossy(&line));
    }
}

/// In the child: when the parent is gone, this run stops as by SIGTERM, in order.
pub(crate) fn hold_to_parent() {
    std::thread::spawn(|| {
        let mut nothing = [0];
        while matches!(std::io::stdin().read(&mut nothing), Ok(1)) {}
        let _ = kill_process(getpid(), Signal::TERM);
    });
}

pub(super) fn pid(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}

pub(super) fn pass_on(pid: Pid, signal: StopSignal) {
    let signal = match signal {
        StopSignal::Interrupt => Signal::INT,
        StopSignal::Terminate => Signal::TERM,
    };
    // One that has just ended needs none.
    let _ = kill_process(pid, signal);
}
