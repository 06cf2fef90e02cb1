use anstyle::Style;
use chrono::{DateTime, Utc};
use store::{Run, RunStatus, StreamFigures};

use crate::output::{Align, BAD, BOLD, DIM, GOOD, Table, bookmark_change, count, duration, size, time};
use crate::wiring::is_own_target;

/// What came before a run that failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    pub(super) failing_since: DateTime<Utc>,
    pub(super) last_success: Option<DateTime<Utc>>,
}

/// A run as it is read at three in the morning: whose fault, is the data safe, what to type; then the
/// streams.
pub(super) fn render(run: &Run, past: &Past) -> String {
    let failed = matches!(run.status, RunStatus::Failed | RunStatus::Lost | RunStatus::Cancelled);
    let mut text = head(run);
    let mut line = |name: &str, words: String| {
        let words = words.trim_end().replace('\n', "\n            ");
        text.push_str(&format!("  {DIM}{name:<9}{DIM:#} {words}\n"));
    };
    line("pipeline", format!("{}{}", run.name, if failed { since(past) } else { String::new() }));
    line("run", format!("{}, {}", run.id, when(run)));
    line("from", format!("{} to {}", run.tap, run.target));
    if let Some(said) = run.failure.as_ref().and_then(|failure| failure.tap_said.clone()) {
        line("tap said", said);
    }
    if let Some(said) = run.failure.as_ref().and_then(|failure| failure.target_said.clone()) {
        line("target said", said);
    }
    if failed {
        line("fault", fault(run.exit_code).to_owned());
    }
    let running = run.status == RunStatus::Running;
    let so_far = if running { "so far" } else { "loaded" };
    line(if failed { "safe" } else { so_far }, safe(run, failed));
    if failed {
        line("heals", heals(run.exit_code).to_owned());
    }
    if let Some(hint) = run.failure.as_ref().and_then(|failure| failure.hint.as_deref()) {
        text.push_str(&format!("  {BOLD}hint:{BOLD:#} {hint}\n"));
    }
    text.push_str(&next(run, failed));
    if !run.streams.is_empty() {
        text.push('\n');
        text.push_str(&streams(&run.streams).render(2));
    }
    text
}

/// The colour of a status.
pub(super) fn status_style(status: RunStatus) -> Style {
    match status {
        RunStatus::Succeeded => GOOD,
        RunStatus::Failed | RunStatus::Lost => BAD,
        RunStatus::Running | RunStatus::Cancelled => BOLD,
    }
}

/// How many seconds the run took, once it has ended.
pub(super) fn taken(run: &Run) -> Option<f64> {
    Some((run.ended? - run.started).as_seconds_f64())
}

fn head(run: &Run) -> String {
    let style = status_style(run.status);
    match &run.failure {
        Some(failure) => {
            format!("{style}error[{}]{style:#}{BOLD}: {}{BOLD:#}\n", failure.code, failure.text.trim_end())
        }
        None => format!("{style}{}{style:#}\n", run.status),
    }
}

fn since(past: &Past) -> String {
    let success = past
        .last_success
        .map_or_else(|| "never succeeded".to_owned(), |last| format!("last success {}", time(last)));
    format!("      failing since {}, {success}", time(past.failing_since))
}

fn when(run: &Run) -> String {
    let started = time(run.started);
    let (pid, host) = (run.pid, &run.host);
    match (taken(run), run.exit_code) {
        (None, _) => format!("since {started}, pid {pid} on {host}"),
        (Some(seconds), Some(code)) => format!("{started}, took {}, exit {code}", duration(seconds)),
        (Some(_), None) => format!("{started}, pid {pid} on {host}"),
    }
}

/// What is in the target now, as of the last commit. Without figures (none was made) nothing is claimed of numbers.
fn safe(run: &Run, failed: bool) -> String {
    if failed && !is_own_target(&run.target) {
        return format!(
            "the last STATE that {} printed is kept; how much more it has loaded is not known",
            run.target
        );
    }
    let sum = |figure: fn(&StreamFigures) -> u64| run.streams.iter().map(figure).sum::<u64>();
    let written = sum(|stream| stream.records_written);
    let records = if written == 1 { "record" } else { "records" };
    let written = count(written);
    let rejected = match sum(|stream| stream.records_rejected) {
        0 => String::new(),
        rejected => format!(", {} rejected", count(rejected)),
    };
    match (failed, run.streams.is_empty()) {
        (true, true) => "what the last committed STATE covers; nothing after it is visible".to_owned(),
        (true, false) => {
            format!("{written} {records} committed{rejected}; nothing after the bookmark is visible")
        }
        (false, true) if run.status == RunStatus::Running => "nothing is committed yet".to_owned(),
        (false, false) if run.status == RunStatus::Running => {
            format!("{written} {records} committed{rejected}")
        }
        (false, _) => format!("{written} {records}{rejected}"),
    }
}

/// Where to look, by the exit code; a lost run has none.
fn fault(exit_code: Option<i32>) -> &'static str {
    match exit_code {
        Some(65) => "the tap's output, or a record in it",
        Some(69) => "the target, or the way to it",
        Some(70) => "tapster",
        Some(75) => "none: another run had the pipeline",
        Some(76) => "the tap, or what it reads",
        Some(78) => "a file, a secret, or a stream or table that does not fit it",
        Some(124) => "the tap was too slow for its limit",
        Some(130 | 143) => "none: somebody stopped it",
        _ => "the machine, or a kill",
    }
}

/// Whether the next run may succeed without anybody's help.
fn heals(exit_code: Option<i32>) -> &'static str {
    match exit_code {
        Some(65) => "no: the same record comes again until the tap, its data or a rule is mended",
        Some(70) => "hardly: please report it",
        Some(78) => "no: it fails the same way until that is changed",
        Some(69) => "yes, once the target answers again: the next run goes on from the last commit",
        Some(76 | 124) => "if the cause was passing: the next run goes on from the last commit",
        _ => "yes: the next run goes on from the last commit",
    }
}

fn next(run: &Run, failed: bool) -> String {
    let environment = match run.name.environment.as_str() {
        "" => String::new(),
        environment => format!(" -e {environment}"),
    };
    let log = format!("log: tapster runs logs {}", run.id.short());
    if failed {
        let pipeline = &run.name.pipeline;
        format!("  {BOLD}next:{BOLD:#} tapster run {pipeline}{environment}        {log}\n")
    } else {
        format!("  {log}\n")
    }
}

/// One line a stream: what was read and written, and how far it came.
fn streams(figures: &[StreamFigures]) -> Table {
    let mut table = Table::new(&[
        ("stream", Align::Left),
        ("read", Align::Right),
        ("written", Align::Right),
        ("rejected", Align::Right),
        ("bytes", Align::Right),
        ("took", Align::Right),
        ("table", Align::Left),
        ("bookmark", Align::Left),
    ]);
    for stream in figures {
        table.line([
            stream.stream.clone(),
            count(stream.records_read),
            count(stream.records_written),
            count(stream.records_rejected),
            size(stream.bytes),
            duration(stream.seconds),
            stream.place.clone(),
            bookmark_change(stream.bookmark_before.as_deref(), stream.bookmark_after.as_deref()),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
