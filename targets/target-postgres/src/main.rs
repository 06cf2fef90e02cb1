//! The Singer target `target-postgres`.

use std::process::ExitCode;

use load::TargetProgram;
use target_postgres::{PostgresTarget, settings_schema};

fn main() -> ExitCode {
    load::target_main(&TargetProgram {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        settings: settings_schema(),
        make: |config| Ok(Box::new(PostgresTarget::new(config)?)),
    })
}
