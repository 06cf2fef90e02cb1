//! The files that BATCH messages name: where they may lie, how they are opened, what is in them.

mod error;
mod ipc;
mod lines;
mod parquet;
mod place;

pub use error::FileError;
pub(crate) use ipc::IpcBatches;
pub(crate) use lines::Lines;
pub(crate) use parquet::ParquetBatches;
pub use place::FilePlaces;
pub(crate) use place::{PlacedFile, shown};
