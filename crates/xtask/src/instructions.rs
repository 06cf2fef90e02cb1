//! `cargo x bench --check`: how many instructions decoding and encoding take, beside what they took before.

#![expect(clippy::print_stdout, reason = "the counts are what is asked for")]

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::{
    needs::valgrind,
    setup::setup,
    shell::{cargo, output, root, run, target_directory},
};

/// What is counted: the functions of `tests/benches/instructions.rs`.
const COUNTED: [&str; 2] = ["decode", "encode"];
/// The committed counts: a line each, of a name and a number.
const BASELINE: &str = "tests/benches/instructions.txt";
/// By how much a count may grow. Hashes are seeded anew each time, and a few instructions hang on that.
const TOLERANCE_PERCENT: u64 = 2;

/// Compares with the committed counts.
pub(crate) fn check() -> Result<()> {
    let text = fs::read_to_string(root().join(BASELINE)).context(BASELINE)?;
    let mut grown = Vec::new();
    for name in COUNTED {
        let before = of(&text, name).with_context(|| format!("{BASELINE} has no count of {name}"))?;
        let now = count(name)?;
        println!("{name}: {now} instructions, {before} in {BASELINE}: {}", change(before, now));
        if now > before + before * TOLERANCE_PERCENT / 100 {
            grown.push(name);
        }
    }
    if grown.is_empty() {
        return Ok(());
    }
    bail!(
        "{} takes more than {TOLERANCE_PERCENT} % more than before; if that is right, or the compiler is another one, \
         `cargo x bench --baseline` writes {BASELINE} anew",
        grown.join(" and ")
    )
}

/// Writes the counts of now.
pub(crate) fn write_baseline() -> Result<()> {
    let counts: Vec<(&str, u64)> =
        COUNTED.iter().map(|name| Ok((*name, count(name)?))).collect::<Result<_>>()?;
    let lines: String =
        counts.iter().map(|(name, count)| [name, " ", &count.to_string(), "\n"].concat()).collect();
    print!("{lines}");
    fs::write(root().join(BASELINE), lines).context(BASELINE)
}

fn of(text: &str, name: &str) -> Option<u64> {
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.filter(|(of, _)| *of == name).find_map(|(_, count)| count.trim().parse().ok())
}

fn change(before: u64, now: u64) -> String {
    let per_mille = i128::from(now) * 1000 / i128::from(before.max(1)) - 1000;
    let sign = if per_mille < 0 { '-' } else { '+' };
    format!("{sign}{}.{} %", per_mille.abs() / 10, per_mille.abs() % 10)
}

/// Runs the bench under callgrind, which counts inside of one function.
fn count(name: &str) -> Result<u64> {
    valgrind()?;
    setup()?;
    let triple = output(&mut cargo(&["--version", "--verbose"]))?;
    let triple =
        triple.lines().find_map(|line| line.strip_prefix("host: ")).context("cargo names no host")?;
    let runner = format!("CARGO_TARGET_{}_RUNNER", triple.to_uppercase().replace('-', "_"));
    let counts = target_directory().join(format!("callgrind.{name}"));
    let valgrind = format!(
        "valgrind --quiet --tool=callgrind --callgrind-out-file={} --toggle-collect=*measured_{name}*",
        counts.display()
    );
    run(cargo(&["bench", "-p", "tests", "--bench", "instructions"]).env(runner, valgrind))?;
    total(&counts)
}

fn total(counts: &Path) -> Result<u64> {
    let text = fs::read_to_string(counts).with_context(|| counts.display().to_string())?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total: u64 =
        total.and_then(|total| total.trim().parse().ok()).context("callgrind wrote no totals")?;
    if total == 0 {
        bail!("callgrind counted nothing: is the function inlined?");
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_by_name_and_told_as_changes() {
        let text = "decode 1000\nencode 20\n";
        assert_eq!((of(text, "encode"), of(text, "code")), (Some(20), None));
        assert_eq!(change(1000, 1021), "+2.1 %");
        assert_eq!(change(1000, 985), "-1.5 %");
    }
}
