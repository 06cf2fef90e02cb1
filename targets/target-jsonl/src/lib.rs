//! Appends records to JSON Lines files, one file a table.
//!
//! Owns the files of a folder, the encoding of values and the commit, with which `_tapster_state.json` and the
//! files change together. Must not know other targets, the runner or the tap.
//! Entry point: [`JsonlTarget`].

mod check;
mod commit;
mod config;
mod encode;
mod error;
mod lock;
mod memory;
mod open;
mod settle;
mod stage;
mod state;
mod tables;
mod target;

pub use config::settings_schema;
pub use encode::lines;
pub use tables::file_name;
pub use target::JsonlTarget;
