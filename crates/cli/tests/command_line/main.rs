//! What a person and a script see: exit code, stdout and stderr of the program itself.

mod harness;

mod errors;
mod explain;
mod help;
mod history;
mod projects;
