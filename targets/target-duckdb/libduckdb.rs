// Where libduckdb lies, for the build scripts of every crate that has a program or a test with DuckDB in it.
// They include this file by path: link arguments do not travel through dependencies, and a build-dependency
// for twenty lines would cost more than it gives. `cargo x setup` puts the library there.

/// The release of DuckDB that the `duckdb` crate of the root manifest speaks.
const DUCKDB_VERSION: &str = "1.5.6";

/// `DUCKDB_LIB_DIR`, else the copy in the user's cache; `None` where neither holds the library.
fn libduckdb_directory() -> Option<std::path::PathBuf> {
    use std::{env, path::PathBuf};
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo::rerun-if-env-changed=XDG_CACHE_HOME");
    let given = env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from);
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .map(|cache| cache.join("tapster/libduckdb").join(DUCKDB_VERSION));
    let file = if cfg!(target_os = "macos") { "libduckdb.dylib" } else { "libduckdb.so" };
    let found = given.or(cache).map(|directory| directory.join(file)).filter(|library| library.is_file())?;
    println!("cargo::rerun-if-changed={}", found.display());
    found.parent().map(PathBuf::from)
}

/// Lets the programs and tests of this crate find libduckdb: beside themselves first, then where the build found it.
fn give_rpath() {
    let Some(directory) = libduckdb_directory() else {
        println!("cargo::error=libduckdb {DUCKDB_VERSION} was not found: run `cargo x setup`");
        return;
    };
    let beside = if cfg!(target_os = "macos") { "@loader_path" } else { "$ORIGIN" };
    println!("cargo::rustc-link-arg=-Wl,-rpath,{beside}");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", directory.display());
    println!("cargo::rustc-link-search=native={}", directory.display());
}
