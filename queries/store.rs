//! The store: one DuckDB file, opened once per process.
