//! The files that `init` writes.

/// Name and content, in the order in which they are told.
pub(super) const FILES: &[(&str, &str)] = &[
    ("tapster.yml", include_str!("tapster.yml")),
    ("pipelines/hello.yml", include_str!("hello.yml")),
    ("data/moons.csv", include_str!("moons.csv")),
];

/// Lines of `.gitignore`.
pub(super) const IGNORED: &[&str] = &[".tapster/", "*.duckdb", "*.duckdb.wal", "*.duckdb.lock", ".env"];
