//! Records into Arrow batches: each is walked once, straight into the columns.

mod batch;
mod column;
mod names;
mod object;
mod record;
mod validity;

pub use batch::{BatchBuilder, PropertyFilter};
pub(crate) use batch::{Trouble, deleted};
pub(crate) use column::ColumnBuilder;
pub(crate) use names::PropertyNames;
pub(crate) use object::RECORD;

#[cfg(test)]
mod tests;
