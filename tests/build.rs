//! Gives the end-to-end tests the way to libduckdb.

include!("../targets/target-duckdb/libduckdb.rs");

fn main() {
    link();
}
