//! What each verb does: asks the crates, and says what came of it.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod discover;
mod editor;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod install;
pub(crate) mod invoke;
pub(crate) mod new;
mod not_built;
mod parse;
pub(crate) mod preview;
mod project;
pub(crate) mod run;
pub(crate) mod runs;
mod runtime;
pub(crate) mod schema;
pub(crate) mod state;
pub(crate) mod test;

pub(crate) use not_built::not_built_yet;
pub(crate) use parse::parse;
use runtime::{in_runtime, runtime, scratch};
