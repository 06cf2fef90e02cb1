//! The guard as a program of its own, for the tests: `guard __guard FOLDER PROGRAM ARGS…`.

use std::process::ExitCode;

fn main() -> ExitCode {
    runner::guard(std::env::args_os().skip(2)).into()
}
