//! What a target implements, and what all targets share.
//!
//! Owns the contract between `load` and a warehouse, capabilities as data, error status, names, quoting and
//! table differences. Must not know JSON, Singer messages, processes or the project's files.
//! Entry point: implement [`Target`].

mod capabilities;
mod checkpoint;
mod error;
mod given_names;
mod names;
pub mod refusal;
pub mod sql;
mod table;
mod table_diff;
mod target;

pub use async_trait::async_trait;
pub use columns::{self, ColumnType, StreamName, TableSchema, ValueLimits, arrow_array, arrow_schema};

pub use capabilities::{Capabilities, IdentifierRule, Promise};
pub use checkpoint::{Checkpoint, Committed, FullRefresh, RunIdentity, StateChange, StoredState};
pub use error::{Result, Status, TargetError};
pub use given_names::GivenNames;
pub use names::{column_names, shortened, table_name};
pub use table::{Deletes, KeyChange, LoadMethod, OnDelete, Table, TableChange, TableName, Version};
pub use table_diff::{ActualColumn, ColumnChange, table_diff};
pub use target::Target;
