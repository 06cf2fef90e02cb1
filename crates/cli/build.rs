//! Gives the `tapster` program the way to libduckdb.

include!("../../targets/target-duckdb/libduckdb.rs");

fn main() {
    link();
}
