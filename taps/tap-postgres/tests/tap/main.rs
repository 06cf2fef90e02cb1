//! The tap as a program, against a real server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod discovery;
mod fixture;
mod full_table;
mod incremental;
mod log_based;
mod refusals;
mod values;
