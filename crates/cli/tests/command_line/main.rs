//! What a person and a script see: exit code, stdout and stderr of the program itself.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

mod authors;
mod bench;
mod catalogs;
mod errors;
mod explain;
mod help;
mod history;
mod projects;
mod rewritten;
mod runs;
mod scripted;
mod states;
