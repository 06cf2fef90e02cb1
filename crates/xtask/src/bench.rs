//! `cargo x bench`: what docs/benchmarks.md records, and the tests that take too long for every day.

use anyhow::{Result, bail};

use crate::{
    needs::needs,
    setup::setup,
    shell::{cargo, run},
};

/// What is measured, and how: the cargo words, and a variable that asks the tests for more than they do daily.
struct Bench {
    name: &'static str,
    words: &'static [&'static str],
    variable: Option<(&'static str, &'static str)>,
}

const BENCHES: [Bench; 5] = [
    Bench { name: "decode", words: &["bench", "-p", "columns", "--bench", "decode"], variable: None },
    Bench { name: "load", words: &["bench", "-p", "tests", "--bench", "load"], variable: None },
    Bench { name: "copy", words: &["bench", "-p", "tests", "--bench", "copy"], variable: None },
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

/// Runs the named ones, or all.
pub(crate) fn bench(names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|known| known.name != **name)) {
        bail!("there is no bench {unknown}: there are {}", BENCHES.map(|bench| bench.name).join(", "));
    }
    needs()?;
    setup()?;
    for bench in BENCHES.iter().filter(|bench| names.is_empty() || names.contains(&bench.name)) {
        run(cargo(bench.words).envs(bench.variable))?;
    }
    Ok(())
}
