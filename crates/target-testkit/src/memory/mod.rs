//! A warehouse in memory that keeps the whole contract, unless a defect is switched on.

mod epoch;
mod target;
mod warehouse;

pub use target::MemoryTarget;
pub use warehouse::{Defect, MemoryTable, MemoryWarehouse, Record};
