//! Links against the libduckdb that `cargo x setup` placed.

include!("libduckdb.rs");

fn main() {
    link();
}
