//! What keys there are, what their values look like, and which of them are built. One table serves the check of a
//! file, "did you mean", and the JSON Schema.

mod check;
mod fault;
mod not_built;
mod quantity;
pub mod schema;
mod shape;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use check::check;
pub(crate) use fault::SettingFault;
pub(crate) use not_built::{idle, not_built};
pub use quantity::parse_duration;
pub(crate) use quantity::parse_size;
pub(crate) use shape::{Block, Key, Shape, Word};
pub(crate) use table::{PIPELINE_FILE, PROJECT_FILE};
