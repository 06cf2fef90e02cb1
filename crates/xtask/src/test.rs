//! `cargo x test`: every test of the workspace, with all that they need.

use anyhow::{Context as _, Result};

use crate::{
    libduckdb::libduckdb_directory,
    needs::needs,
    setup::setup,
    shell::{cargo, find, run},
};

/// Installs what is missing, builds every program (the end-to-end tests start them), runs all tests, doc tests
/// included. `filters` narrow it to the tests whose names hold one of them.
pub(crate) fn test(filters: &[&str]) -> Result<()> {
    needs()?;
    setup()?;
    run(&mut cargo(&["build", "--workspace", "--bins", "--locked"]))?;
    let runner: &[&str] = if find("cargo-nextest").is_some() {
        &["nextest", "run"]
    } else {
        &["test", "--lib", "--bins", "--tests"]
    };
    run(cargo(runner).args(["--workspace", "--locked"]).args(filters))?;
    if !filters.is_empty() {
        return Ok(());
    }
    // rustdoc takes no link arguments from build scripts, so its programs have no rpath to libduckdb.
    let library = libduckdb_directory().context("HOME is not set")?;
    let path = if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
    run(cargo(&["test", "--doc", "--workspace", "--locked"]).env(path, library))
}
