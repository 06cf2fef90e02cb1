//! End-to-end tests of the tapster binary.
//!
//! Owns what they are written with: projects in temporary folders, running tapster in them, reading warehouses,
//! and the script of the hostile tap with its oracle. The tests themselves are in `end_to_end/`.
#![expect(clippy::missing_panics_doc, reason = "panicking is how a test fails")]

pub mod figures;
pub mod processes;
pub mod programs;
pub mod project;
pub mod psql;
pub mod python;
pub mod script;
pub mod singer_target;
pub mod warehouse;
pub mod wheel;
