//! tap-airbyte: a Singer tap that runs an Airbyte source and says what it says as Singer messages.
//!
//! Owns the Airbyte protocol: spec, catalog, configured catalog, states, traces, and what a run of a source is worth.
//! Must not know anything of tapster beyond the Singer wire, nor of any source.

mod arguments;
mod cache;
mod check;
mod configured;
mod control;
mod discover;
mod message;
mod offered;
mod outcome;
mod program;
mod secrets;
mod signals;
mod source;
mod spec;
mod state;
mod stream;
mod sync;

fn main() -> std::process::ExitCode {
    program::main()
}
