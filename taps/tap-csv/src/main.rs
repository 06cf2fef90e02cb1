//! tap-csv: a Singer tap that reads CSV files, plain or gzip, one stream an entry of `files`.
//!
//! Owns the CSV grammar, the types found in files, and the places in files that bookmarks hold. Must not know
//! anything of tapster beyond the Singer wire.

mod bookmark;
mod column;
mod config;
mod dialect;
mod discover;
mod error;
mod files;
mod header;
mod infer;
mod pace;
mod plan;
mod reader;
mod record;
mod scan;
mod sync;
mod tap;
mod value;

fn main() -> std::process::ExitCode {
    tap_sdk::main(&tap::TapCsv)
}
