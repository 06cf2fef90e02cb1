//! `cargo x check`: the whole gate, at home and in CI alike.

use anyhow::Result;

use crate::{
    generate::fresh,
    licences::licences,
    setup::setup,
    shell::{cargo, run},
    tidy::tidy,
};

/// Cheapest first; the first failure ends it.
pub(crate) fn check() -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    tidy()?;
    licences()?;
    setup()?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    fresh()?;
    eprintln!("check: all is well");
    Ok(())
}
