//! The semantic conventions that have columns of their own, read from `sql/semconv.toml`.
