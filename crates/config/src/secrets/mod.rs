//! What must not be seen, and how it is hidden in every output.

mod forms;
mod names;
mod redact;

pub(crate) use names::is_secret_name;
pub use redact::{MASK, Secrets};
