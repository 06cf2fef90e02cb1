//! Gives the `tapster` program the way to libduckdb, and the pages of `docs/errors` for `tapster explain`.

use std::fmt::Write as _;
use std::fs;

include!("../../targets/target-duckdb/libduckdb.rs");

fn main() {
    link();
    compile_error_pages();
}

/// Writes a table of (code, page), sorted by code, for `include!`.
fn compile_error_pages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut codes: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".md").map(str::to_owned))
        .filter(|code| code.starts_with('E'))
        .collect();
    codes.sort();
    let mut table = "&[\n".to_owned();
    for code in codes {
        let page = folder.join(format!("{code}.md"));
        println!("cargo::rerun-if-changed={}", page.display());
        let page = page.to_string_lossy();
        writeln!(table, "    ({code:?}, include_str!({page:?})),").expect("writing to a string");
    }
    table.push_str("]\n");
    let output = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&output).join("error_pages.rs"), table).expect("OUT_DIR can be written");
}
