//! SQL that several warehouses share.

mod identifier;

pub use identifier::{literal, quoted};
