//! Cells as text: how tests write records down, and how they compare what a warehouse gives back.
//!
//! The text forms are PostgreSQL's, with two exceptions: a list is a JSON array, and an instant has no zone
//! because it is UTC.

mod build;
mod canonical;
mod read;

pub use build::batch;
pub use canonical::canonical;
pub use read::text;
