//! Loads into a DuckDB file: exactly once, one transaction a checkpoint, the STATE in it.
//!
//! Owns the file's lock, its write-ahead log after a kill, DuckDB's types, staging and merging. Must not know other
//! targets, the runner or the tap. DuckDB is synchronous, so everything but [`DuckDbTarget`] runs on one thread of
//! its own.
//! Entry point: [`DuckDbTarget`].

mod change;
mod commit;
mod config;
mod connection;
mod ddl;
mod error;
mod failpoint;
mod lock;
mod merge;
mod numbers;
mod open;
mod probe;
mod session;
mod stage;
mod state;
mod tables;
mod target;
mod type_map;
mod worker;
mod write;

pub use probe::{PROBE_WORD, probe_main};
pub use target::{DuckDbTarget, settings_schema};
