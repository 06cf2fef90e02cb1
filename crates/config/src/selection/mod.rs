//! The rules applied to a tap's catalog: what it selects, and what it cannot honour.

mod apply;
mod columns;
mod hidden;
mod named;
mod offered;
mod replication;
mod report;
mod tables;
#[cfg(test)]
mod tests;

pub use report::{ColumnDecision, DecidedBy, SelectedStream, SelectionReport, Warning};
