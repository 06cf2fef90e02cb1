use crate::error::CliError;
use crate::failure::Outcome;

/// Refuses a verb that is decided and not built, so that nobody takes it for a mistake in writing.
pub(crate) fn not_built_yet(verb: &str) -> Outcome {
    Err(CliError::NotBuiltYet(verb.to_owned()).into())
}
