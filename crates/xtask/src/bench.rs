//! `cargo x bench`: what docs/benchmarks.md records.

use anyhow::{Result, bail};

use crate::{
    needs::needs,
    setup::setup,
    shell::{cargo, run},
};

/// A bench's name and the cargo words that run it.
const BENCHES: [(&str, &[&str]); 2] = [
    ("decode", &["bench", "-p", "columns", "--bench", "decode"]),
    ("load", &["bench", "-p", "tests", "--bench", "load"]),
];

/// Runs the named benches, or all.
pub(crate) fn bench(names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|(known, _)| known != *name)) {
        bail!("there is no bench {unknown}: there are {}", BENCHES.map(|(name, _)| name).join(", "));
    }
    needs()?;
    setup()?;
    for (name, words) in BENCHES {
        if names.is_empty() || names.contains(&name) {
            run(&mut cargo(words))?;
        }
    }
    Ok(())
}
