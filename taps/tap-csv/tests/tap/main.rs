//! The program tap-csv on real files.

mod bad_files;
mod fixture;
mod flights;
mod full_table;
mod incremental;
mod messages;
