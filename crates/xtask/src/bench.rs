//! `cargo x bench`: what docs/benchmarks.md records, and the tests that take too long for every day.

mod page;

use std::fs;

use anyhow::{Result, bail};

use crate::{
    needs::needs,
    setup::setup,
    shell::{cargo, run, target_directory},
};

/// What is measured, and how: the cargo words, and a variable that asks the tests for more than they do daily.
struct Bench {
    name: &'static str,
    words: &'static [&'static str],
    variable: Option<(&'static str, &'static str)>,
}

const BENCHES: [Bench; 8] = [
    Bench { name: "decode", words: &["bench", "-p", "columns", "--bench", "decode"], variable: None },
    Bench { name: "load", words: &["bench", "-p", "tests", "--bench", "load"], variable: None },
    Bench { name: "copy", words: &["bench", "-p", "tests", "--bench", "copy"], variable: None },
    Bench { name: "duckdb", words: &["bench", "-p", "tests", "--bench", "duckdb"], variable: None },
    Bench { name: "growth", words: &["bench", "-p", "tests", "--bench", "growth"], variable: None },
    Bench { name: "log_based", words: &["bench", "-p", "tests", "--bench", "log_based"], variable: None },
    Bench { name: "memory", words: &END_TO_END_IGNORED, variable: None },
    Bench { name: "kills", words: &END_TO_END_KILLS, variable: Some(("TAPSTER_KILLS", "200")) },
];

const END_TO_END_IGNORED: [&str; 11] = [
    "test",
    "-p",
    "tests",
    "--test",
    "end_to_end",
    "memory_of",
    "--",
    "--ignored",
    "--nocapture",
    "--test-threads",
    "1",
];
const END_TO_END_KILLS: [&str; 8] =
    ["test", "-p", "tests", "--test", "end_to_end", "killed_runs", "--", "--nocapture"];

/// Runs the named ones, or all, and writes what they found into docs/benchmarks.md. A broken limit does not keep the
/// others from being measured.
pub(crate) fn bench(names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|known| known.name != **name)) {
        bail!("there is no bench {unknown}: there are {}", BENCHES.map(|bench| bench.name).join(", "));
    }
    needs()?;
    setup()?;
    let report = target_directory().join("bench-report.jsonl");
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut failed = Vec::new();
    for bench in BENCHES.iter().filter(|bench| names.is_empty() || names.contains(&bench.name)) {
        let variables = bench.variable.into_iter().map(|(name, value)| (name, value.into()));
        let variables = variables.chain([("TAPSTER_BENCH_REPORT", report.clone().into_os_string())]);
        if let Err(error) = run(cargo(bench.words).envs(variables)) {
            eprintln!("error: {error:#}");
            failed.push(bench.name);
        }
    }
    page::write(&report)?;
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("limits are broken, or could not be measured: {}", failed.join(", "))
    }
}
