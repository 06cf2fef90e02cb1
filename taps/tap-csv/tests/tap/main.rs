//! The program tap-csv on real files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_files;
mod fixture;
mod flights;
mod full_table;
mod incremental;
mod messages;
