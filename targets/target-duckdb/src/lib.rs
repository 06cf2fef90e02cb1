//! Loads into a DuckDB file.
