//! A connection out of the pool, which goes back only if it is known to be at rest.

use deadpool_postgres::Object;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresStore;
use super::trouble::Trouble;
use crate::StoreError;

/// A connection. Dropped before [`Lease::rest`], as when its caller went away or had waited for too
/// long, it is thrown away, for nobody knows what the server is doing for it.
pub(super) struct Lease(Option<Object>);

/// What a statement's `$1`, `$2`... stand for.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Lease {
    pub(super) async fn new(store: &PostgresStore) -> Result<Self, Trouble> {
        Ok(Self(Some(store.pool.get().await?)))
    }

    fn client(&self) -> Result<&Object, Trouble> {
        let gone = StoreError::Unavailable("the connection was given back".to_owned());
        self.0.as_ref().ok_or(Trouble::Store(gone))
    }

    /// The rows of a statement that is prepared once for each connection.
    pub(super) async fn rows(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, Trouble> {
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query(&statement, values).await?)
    }

    /// Its one row, if it has one.
    pub(super) async fn row(&self, sql: &str, values: Values<'_>) -> Result<Option<Row>, Trouble> {
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query_opt(&statement, values).await?)
    }

    /// How many rows it changed.
    pub(super) async fn run(&self, sql: &str, values: Values<'_>) -> Result<u64, Trouble> {
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await?;
        Ok(client.execute(&statement, values).await?)
    }

    /// Statements without values, in one message.
    pub(super) async fn simple(&self, sql: &str) -> Result<(), Trouble> {
        Ok(self.client()?.batch_execute(sql).await?)
    }

    /// The work is done and the server knows it: gives the connection back.
    pub(super) fn rest(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}
