//! Reads JSON of a line: strict, borrowed, and without an error's cost on the way. It is a serde deserializer, so that
//! whoever reads with it may as well be given `serde_json`'s; that one is its oracle in tests.

mod deserialize;
mod error;
mod nesting;
mod raw_json;
mod scan;

pub(crate) use error::Fault;
pub use error::ReadError;
pub use raw_json::RawJson;
pub(crate) use scan::JsonReader;

#[cfg(test)]
mod tests;
