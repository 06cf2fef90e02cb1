//! Records into Arrow batches: each is walked once, straight into the columns.

mod batch;
mod column;
mod names;
mod record;
mod validity;

pub use batch::{BatchBuilder, PropertyFilter};

#[cfg(test)]
mod tests;
