//! tap-postgres: a Singer tap that reads tables, views and queries of one PostgreSQL database by COPY BINARY.
//!
//! Owns the server's catalog, the types of its columns and what bookmarks hold. Must not know anything of tapster
//! beyond the Singer wire.

mod array;
mod batch;
mod bookmark;
mod cells;
mod check;
mod column_type;
mod config;
mod copy;
mod discover;
mod error;
mod full_table;
mod incremental;
mod json;
mod log_based;
mod moment;
mod pages;
mod plan;
mod record;
mod relation;
mod row;
mod scalar;
mod sender;
mod session;
mod snapshot;
mod statement;
mod sync;
mod tap;
mod type_catalog;

fn main() -> std::process::ExitCode {
    tap_sdk::main(&tap::TapPostgres)
}
