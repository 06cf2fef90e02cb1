//! The Singer target `target-jsonl`.

use std::process::ExitCode;

use load::TargetProgram;
use target_jsonl::{JsonlTarget, settings_schema};

fn main() -> ExitCode {
    load::target_main(&TargetProgram {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        settings: settings_schema(),
        make: |config| Ok(Box::new(JsonlTarget::new(config)?)),
    })
}
