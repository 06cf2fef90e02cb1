//! The project folder: where it is, what pipelines it has, what `tapster.yml` says, and how the layers lie over each
//! other.

mod discover;
mod environment;
mod fault;
mod files;
mod overlay;
mod reference;
#[cfg(test)]
mod tests;
mod version;

pub use discover::Project;
pub(crate) use environment::overlaid;
pub(crate) use fault::ProjectFault;
pub(crate) use overlay::overlay;
pub(crate) use reference::{PROGRAMS, referenced};
