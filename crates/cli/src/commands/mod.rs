//! What each verb does: asks the crates, and says what came of it.

pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod new;
mod not_built;
mod parse;
mod project;
pub(crate) mod runs;
pub(crate) mod state;

pub(crate) use not_built::not_built_yet;
pub(crate) use parse::parse;
