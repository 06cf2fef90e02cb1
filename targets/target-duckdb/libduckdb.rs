// Where libduckdb lies: included by path in the build script of every crate that has a program or a test with
// DuckDB in it, and in `cargo x setup`, which puts it there. Link arguments do not travel through dependencies,
// and a build-dependency for thirty lines would cost more than it gives.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The release of DuckDB that the `duckdb` crate of the root manifest speaks.
pub(crate) const DUCKDB_VERSION: &str = "1.5.6";

/// The library's file name on this platform.
pub(crate) const LIBDUCKDB: &str = if cfg!(target_os = "macos") { "libduckdb.dylib" } else { "libduckdb.so" };

/// The folder that must hold the library: `DUCKDB_LIB_DIR` where it is set, else the user's cache, which every
/// clone finds. `None` where there is no home.
pub(crate) fn libduckdb_directory() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("DUCKDB_LIB_DIR").or_else(|| {
        let cache = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let cache = cache.or_else(|| env::home_dir().map(|home| home.join(".cache")))?;
        Some(cache.join("tapster/libduckdb").join(DUCKDB_VERSION))
    })
}

/// For build scripts: links against the library, and lets the programs and tests of this crate find it when they
/// run, beside themselves first, then where the build found it.
#[allow(dead_code, clippy::print_stdout, reason = "`cargo x setup` needs the place alone; cargo listens on stdout")]
fn link() {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    println!("cargo::rerun-if-env-changed=XDG_CACHE_HOME");
    let Some(directory) = libduckdb_directory().filter(|directory| Path::is_file(&directory.join(LIBDUCKDB)))
    else {
        println!("cargo::error=libduckdb {DUCKDB_VERSION} was not found: run `cargo x setup`");
        return;
    };
    let beside = if cfg!(target_os = "macos") { "@loader_path" } else { "$ORIGIN" };
    println!("cargo::rerun-if-changed={}", directory.join(LIBDUCKDB).display());
    println!("cargo::rustc-link-search=native={}", directory.display());
    println!("cargo::rustc-link-arg=-Wl,-rpath,{beside}");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", directory.display());
}
