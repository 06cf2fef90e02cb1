//! `cargo x test`: every test of the workspace, with all that they need.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    libduckdb::libduckdb_directory,
    needs::needs,
    setup::setup,
    shell::{cargo, find, run, target_directory},
};

/// What every build here selects. One selection, and all is compiled once: another one has other features of what
/// it depends on. The points where tests stop a commit are in.
const SELECTION: [&str; 4] = ["--workspace", "--locked", "--features", "cli/failpoints"];

/// Installs what is missing, builds every program (the end-to-end tests start them), runs all tests, doc tests
/// included. `filters` narrow it to the tests whose names hold one of them.
pub(crate) fn test(filters: &[&str]) -> Result<()> {
    needs()?;
    setup()?;
    // With the tests of a package its programs are built, too.
    run(cargo(&["test", "--no-run", "--lib", "--bins", "--tests"]).args(SELECTION))?;
    if filters.is_empty() {
        doc_tests()?;
    }
    if find("cargo-nextest").is_some() {
        return run(with_programs(cargo(&["nextest", "run", "--no-fail-fast"]).args(SELECTION)).args(filters));
    }
    counted(filters)
}

/// Tells the end-to-end tests that what they start is built.
fn with_programs(command: &mut Command) -> &mut Command {
    command.env("TAPSTER_PROGRAMS", target_directory().join("debug"))
}

/// rustdoc takes no link arguments from build scripts, so its programs have no rpath to libduckdb.
fn doc_tests() -> Result<()> {
    let library = libduckdb_directory().context("HOME is not set")?;
    let path = if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
    run(cargo(&["test", "--quiet", "--doc"]).args(SELECTION).env(path, library))
}

/// `cargo test`, whose many summaries are added up into one last line.
fn counted(filters: &[&str]) -> Result<()> {
    let mut command = cargo(&["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    with_programs(command.args(SELECTION)).arg("--").args(filters).stdout(Stdio::piped());
    let mut child = command.spawn().context("could not start cargo")?;
    let mut total = [0; 3];
    for line in BufReader::new(child.stdout.take().context("cargo has no stdout")?).lines() {
        let line = line?;
        eprintln!("{line}");
        for (sum, count) in total.iter_mut().zip(counts(&line)) {
            *sum += count;
        }
    }
    let status = child.wait()?;
    let [passed, failed, ignored] = total;
    eprintln!("Summary: {} tests run: {passed} passed, {failed} failed, {ignored} ignored", passed + failed);
    ensure!(status.success(), "`cargo test` failed ({status})");
    Ok(())
}

/// Passed, failed and ignored of a line `test result: ok. 31 passed; 0 failed; 0 ignored; …`.
fn counts(line: &str) -> [u64; 3] {
    let Some(result) = line.strip_prefix("test result: ") else { return [0; 3] };
    ["passed", "failed", "ignored"].map(|kind| {
        let words: Vec<&str> = result.split([' ', ';']).collect();
        let at = words.iter().position(|word| *word == kind);
        at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summaries_of_cargo_test_are_added_up() {
        let line = "test result: FAILED. 31 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(counts(line), [31, 2, 1]);
        assert_eq!(counts("test tidy::tests::x ... ok"), [0, 0, 0]);
    }
}
