//! Reads the JSON of a line: strict, borrowed, in one pass. Values are given as their own text, so that no digit and no
//! escape is lost. Tests hold it to `serde_json`: what the one takes the other takes.

mod error;
mod nesting;
mod scan;
mod walk;

pub(crate) use error::Fault;
pub use error::ReadError;
pub use scan::JsonReader;
pub use walk::{Member, RawJson};

#[cfg(test)]
mod tests;
