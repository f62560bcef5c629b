//! How the schema comes to be, and whether it is this program's.
//!
//! Each migration is one transaction together with its line in the history, so a killed migrator
//! leaves whole steps only (DB9). Of two migrators one works, the other waits and then finds nothing
//! left to do: an advisory lock of the session, which goes with the session.

use std::time::Duration;

use refinery::{Runner, error::Kind};
use tokio::task::JoinSet;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::lease::Lease;
use super::trouble::{Trouble, of_database};
use super::url::{self, Target};
use super::{PostgresError, PostgresOptions};
use crate::StoreError;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// Any number that nobody else takes in this database: `luminous` in ASCII.
const LOCK: i64 = i64::from_be_bytes(*b"luminous");
/// How long a migration may wait for a table that somebody is using, and make others wait behind it.
const TABLE_WAIT: Duration = Duration::from_secs(5);

/// What [`migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The version before; 0 when the database was empty.
    pub from: i32,
    /// The version now.
    pub to: i32,
    /// What was applied, in this order.
    pub applied: Vec<String>,
}

/// Brings the database at `url` to this program's schema.
///
/// # Errors
/// [`PostgresError`]; [`PostgresError::SchemaNewer`] when a newer program was here.
pub async fn migrate(url: &str, options: &PostgresOptions) -> Result<Migrated, PostgresError> {
    let target = url::parse(url, options)?;
    let (mut client, _connection) = session(&target, options).await?;
    run(&mut client, &embedded::migrations::runner(), options).await
}

/// A client, and its connection, which ends when dropped: a migration that is given up lets go of
/// its lock.
async fn session(
    target: &Target,
    options: &PostgresOptions,
) -> Result<(Client, JoinSet<()>), PostgresError> {
    let connecting = target.config.connect(target.tls.clone());
    let connected = tokio::time::timeout(options.connection_wait, connecting).await;
    let (client, connection) = connected
        .map_err(|_| StoreError::Unavailable("no connection in time".to_owned()))?
        .map_err(|error| of_database(&error))?;
    let mut running = JoinSet::new();
    // Whoever waits on the client hears of its end.
    running.spawn(async move { drop(connection.await) });
    Ok((client, running))
}

async fn run(
    client: &mut Client,
    runner: &Runner,
    options: &PostgresOptions,
) -> Result<Migrated, PostgresError> {
    // Rewriting a large table takes as long as it takes.
    let (patience, table) = (options.migration_wait.as_millis(), TABLE_WAIT.as_millis());
    let begin = format!(
        "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
         SET lock_timeout = {patience}; SELECT pg_advisory_lock({LOCK}); SET lock_timeout = {table}"
    );
    client.batch_execute(&begin).await.map_err(|error| match error.code() {
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => PostgresError::Migrating,
        _ => of_database(&error).into(),
    })?;
    let known = newest(runner);
    let found = found(client).await.map_err(|error| of_database(&error))?;
    if found > known {
        return Err(PostgresError::SchemaNewer { found, known });
    }
    let report = runner.run_async(client).await.map_err(|error| refused(&error))?;
    let applied = report.applied_migrations().iter().map(ToString::to_string).collect();
    client
        .batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))
        .await
        .map_err(|error| of_database(&error))?;
    Ok(Migrated { from: found, to: known, applied })
}

fn refused(error: &refinery::Error) -> PostgresError {
    match error.kind() {
        Kind::DivergentVersion(applied, _) | Kind::MissingVersion(applied) => {
            PostgresError::SchemaForeign(format!("migration {applied}"))
        }
        Kind::Connection(_, cause) => match cause.downcast_ref::<tokio_postgres::Error>() {
            Some(cause) => of_database(cause).into(),
            None => StoreError::Driver("a migration failed".to_owned()).into(),
        },
        _ => StoreError::Driver("the migrations of this program are wrong".to_owned()).into(),
    }
}

fn newest(runner: &Runner) -> i32 {
    runner.get_migrations().iter().map(refinery::Migration::version).max().unwrap_or_default()
}

const VERSION: &str = "SELECT max(version) FROM refinery_schema_history";
const HAS_HISTORY: &str = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";

async fn found(client: &Client) -> Result<i32, tokio_postgres::Error> {
    if !client.query_one(HAS_HISTORY, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let version: Option<i32> = client.query_one(VERSION, &[]).await?.try_get(0)?;
    Ok(version.unwrap_or_default())
}

/// The version of the schema; 0 when there is none.
pub(super) async fn version(lease: &Lease) -> Result<i32, Trouble> {
    let has = lease.row(HAS_HISTORY, &[]).await?;
    if !has.map_or(Ok(false), |row| row.try_get(0))? {
        return Ok(0);
    }
    let version = lease.row(VERSION, &[]).await?;
    let version: Option<i32> = version.map_or(Ok(None), |row| row.try_get(0))?;
    Ok(version.unwrap_or_default())
}

/// That the version is the one that this program works with.
pub(super) fn require(found: i32) -> Result<(), PostgresError> {
    let needed = newest(&embedded::migrations::runner());
    match found.cmp(&needed) {
        std::cmp::Ordering::Less => Err(PostgresError::SchemaOlder { found, needed }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(PostgresError::SchemaNewer { found, known: needed }),
    }
}

#[cfg(all(unix, feature = "contract"))]
#[cfg(test)]
mod tests {
    use refinery::Migration;

    use super::*;
    use crate::contract::faulty_link::{Fault, FaultyLink};
    use crate::contract::postgres_server::PostgresServer;

    /// Three steps, as a later program will have them. These are made up.
    fn three_steps() -> Runner {
        let steps = [1, 2, 3].map(|step| {
            let sql = format!("CREATE TABLE a{step} (x int); CREATE TABLE b{step} (x int)");
            Migration::unapplied(&format!("V{step}__step"), &sql).unwrap()
        });
        Runner::new(&steps)
    }

    async fn steps_through(url: String) -> Result<Migrated, PostgresError> {
        let options = PostgresOptions::default();
        let target = url::parse(&url, &options)?;
        let (mut client, _connection) = session(&target, &options).await?;
        run(&mut client, &three_steps(), &options).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn db9_a_migrator_that_vanishes_at_any_message_leaves_whole_steps() {
        let server = PostgresServer::shared();
        let link = FaultyLink::to(server.address()).await;
        let mut seen = std::collections::BTreeSet::new();
        let database = server.create_database().await;
        let client = database.client().await;
        for message in 0.. {
            client.batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
            link.set(Fault::HoldAfter(message));
            let migrator = tokio::spawn(steps_through(database.url_at(link.address())));
            let migrator_ends = migrator.abort_handle();
            tokio::select! {
                () = link.held() => migrator_ends.abort(),
                done = migrator => {
                    assert_eq!(done.unwrap().unwrap().to, 3);
                    break;
                }
            }
            let version = found(&client).await.unwrap();
            let sql = "SELECT count(*) FROM pg_tables WHERE tablename ~ '^[ab][123]$'";
            let tables: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
            assert_eq!(tables, i64::from(version) * 2, "message {message}");
            seen.insert(version);
            assert_eq!(steps_through(database.url()).await.unwrap().from, version);
        }
        assert_eq!(Vec::from_iter(seen), [0, 1, 2, 3]);
    }
}
