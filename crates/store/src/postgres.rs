//! PostgreSQL: many replicas over one database.

/// The store in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresStore;
