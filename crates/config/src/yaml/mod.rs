//! YAML into a tree that knows the place of every key and value.

mod fault;
mod merge_key;
mod node;
mod quotes;
mod read;
mod scalar;
#[cfg(test)]
mod tests;

pub(crate) use fault::YamlFault;
pub(crate) use node::{Entry, Map, Node, Value};
#[cfg(test)]
pub(crate) use read::read;
pub(crate) use read::read_file;
