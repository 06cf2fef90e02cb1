//! The contract as checks, each a function whose name says what holds.
//!
//! A target's own test gives a [`Warehouse`] and calls [`run`]. Which checks apply follows from the target's
//! capabilities. That each of them can fail is shown by a defect of the memory target in this crate's tests.

mod commits;
mod keys;
mod names;
mod ownership;
mod refresh;
mod scene;
mod shapes;
mod states;
mod suite;
mod values;
mod versions;

pub use suite::{Failure, run, try_run};

use target_api::{TableName, Target, async_trait};

pub use crate::memory::Record;

/// A warehouse under test: makes targets, and shows by other ways than theirs what is in it.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// A new target on this warehouse, as a new process would have it.
    async fn target(&self) -> Box<dyn Target>;

    /// All records of a table in any order, `None` where there is no such table. Values are text in PostgreSQL's
    /// form, lists are JSON arrays. Other forms of the same value (`1.50` for `1.5`) are fine. No target of
    /// this warehouse is alive, unless [`shared`](Self::shared).
    async fn records(&self, table: &TableName) -> Option<Vec<Record>>;

    /// Drops a table, as a person would.
    async fn drop_table(&self, table: &TableName);

    /// Whatever targets made and ought to have removed: staging tables, part files.
    async fn left_over(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether two targets, or a target and a reader, may be at it at once.
    fn shared(&self) -> bool {
        true
    }
}
