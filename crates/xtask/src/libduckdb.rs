//! Where libduckdb lies: the very code of the build scripts, so that setup and build cannot disagree.

include!("../../../targets/target-duckdb/libduckdb.rs");
