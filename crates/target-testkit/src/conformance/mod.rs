//! The contract as checks, each a function whose name says what holds.
//!
//! A target's own test gives a [`Warehouse`] and calls [`run`]. Which checks apply follows from the target's
//! capabilities. That each of them can fail is shown by a defect of the memory target in this crate's tests.

mod absent;
mod commits;
mod deletes;
mod keys;
mod names;
mod overwrite;
mod ownership;
mod refresh;
mod scene;
mod shapes;
mod sharing;
mod stateless;
mod states;
mod suite;
mod values;
mod versions;
mod warehouse;

pub use suite::{Failure, run, try_run};
pub use warehouse::Warehouse;

pub use crate::memory::Record;
