//! What a target's own test gives.

use target_api::{TableName, Target, async_trait};

use crate::memory::Record;

/// A warehouse under test: makes targets, and shows by other ways than theirs what is in it.
#[async_trait]
pub trait Warehouse: Send + Sync {
    /// A new target on this warehouse, as a new process would have it.
    async fn target(&self) -> Box<dyn Target>;

    /// All records of a table in any order, `None` where there is no such table. Values are text in PostgreSQL's
    /// form, lists are JSON arrays. Other forms of the same value (`1.50` for `1.5`) are fine. No target of
    /// this warehouse is alive, unless [`shared`](Self::shared).
    async fn records(&self, table: &TableName) -> Option<Vec<Record>>;

    /// Whether there is anything of a kept STATE, be it empty: a table or file of the name `_tapster_state`.
    async fn keeps_state(&self) -> bool;

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
