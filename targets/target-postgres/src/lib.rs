//! Loads into PostgreSQL by COPY BINARY, each message once: records and STATE are committed together.
//!
//! Owns the session, DDL, the encoding of values, staging, merging and the commit. Must not know other
//! targets, the runner or the tap.
//! Entry point: [`PostgresTarget`].

mod actual;
mod after;
mod beside;
mod change;
mod check;
mod commit;
mod config;
mod connection;
mod copy;
mod ddl;
mod encode;
mod error;
mod failpoint;
mod grants;
mod merge;
mod open;
mod stage;
mod state;
mod tables;
mod target;
mod version;

pub use config::settings_schema;
#[doc(hidden)]
pub use copy::copy_bytes;
pub use target::PostgresTarget;
