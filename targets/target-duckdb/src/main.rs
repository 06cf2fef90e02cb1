//! The Singer target `target-duckdb`.

use std::io::Write as _;
use std::process::ExitCode;

use load::TargetProgram;
use target_duckdb::{DuckDbTarget, PROBE_WORD, probe_main, settings_schema};

fn main() -> ExitCode {
    // A file that a killed program left is opened in a child first, which is this program, too.
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == PROBE_WORD)
        && let Some(path) = words.next()
    {
        let (code, said) = probe_main(path.as_ref());
        let _ = std::io::stderr().write_all(said.as_bytes());
        return code.into();
    }
    load::target_main(&TargetProgram {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        settings: settings_schema(),
        make: |config| Ok(Box::new(DuckDbTarget::new(config, std::env::current_exe().ok())?)),
    })
}
