//! SQLite: one file, one process, one writer.

/// The store in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore;
