//! The files that BATCH messages name: where they may lie, how they are opened, what is in them.

mod error;
mod lines;
mod place;

pub use error::FileError;
pub(crate) use lines::Lines;
pub use place::FilePlaces;
pub(crate) use place::{PlacedFile, shown};
