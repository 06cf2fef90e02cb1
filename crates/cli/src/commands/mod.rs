//! What each verb does: asks the crates, and says what came of it.

pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod new;
mod parse;
mod project;
pub(crate) mod runs;
pub(crate) mod state;

use crate::error::CliError;
use crate::failure::Outcome;

pub(crate) use parse::parse;

/// Refuses a verb that is decided and not built, so that nobody takes it for a mistake in writing.
pub(crate) fn not_built_yet(verb: &str) -> Outcome {
    Err(CliError::NotBuiltYet(verb.to_owned()).into())
}
