//! The schema and the programs that meet it (DB9), and TLS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{FamilyId, OsEntropy, TokenId};
use luminous_store::contract::faulty_link::{Fault, FaultyLink};
use luminous_store::contract::postgres_server::{PostgresServer, ServerOptions, TestDatabase};
use luminous_store::postgres::{Migrated, PostgresError, PostgresOptions, migrate};
use luminous_store::{
    DeviceState, Devices as _, Events as _, Health as _, PostgresStore, StoreError,
};

async fn connect(database: &TestDatabase<'_>) -> Result<PostgresStore, PostgresError> {
    let options = PostgresOptions::default();
    PostgresStore::connect(&database.url(), Arc::new(OsEntropy), options).await
}

async fn migrated(database: &TestDatabase<'_>) -> Result<Migrated, PostgresError> {
    migrate(&database.url(), &PostgresOptions::default()).await
}

#[tokio::test]
async fn a_migration_says_what_it_did_and_the_next_has_nothing_to_do() {
    let database = PostgresServer::shared().create_database().await;
    let first = migrated(&database).await.unwrap();
    assert_eq!((first.from, first.applied.len()), (0, usize::try_from(first.to).unwrap()));
    assert_eq!(first.applied[0], "V1__family");
    let second = migrated(&database).await.unwrap();
    assert_eq!(second, Migrated { from: first.to, to: first.to, applied: Vec::new() });
    connect(&database).await.unwrap();
}

#[tokio::test]
async fn db9_a_new_program_refuses_an_older_schema_and_says_what_to_do() {
    let database = PostgresServer::shared().create_database().await;
    let error = connect(&database).await.unwrap_err();
    assert!(matches!(error, PostgresError::SchemaOlder { found: 0, .. }), "{error:?}");
    assert!(error.to_string().contains("luminous-server migrate"));
}

#[tokio::test]
async fn db9_an_old_program_refuses_a_newer_schema_and_does_not_migrate_it() {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let running = connect(&database).await.unwrap();
    let client = database.client().await;
    client
        .execute(
            "INSERT INTO refinery_schema_history \
             SELECT 999, 'later', applied_on, checksum FROM refinery_schema_history LIMIT 1",
            &[],
        )
        .await
        .unwrap();
    let newer = |error: PostgresError| {
        assert!(matches!(error, PostgresError::SchemaNewer { found: 999, .. }), "{error:?}");
    };
    newer(connect(&database).await.unwrap_err());
    newer(migrated(&database).await.unwrap_err());
    // One that runs already goes on serving: a migration only adds. `doctor` says it.
    running.ping().await.unwrap();
    let wrong = running.examine().await.unwrap();
    assert!(wrong[0].contains("version 999"), "{wrong:?}");
}

#[tokio::test]
async fn db9_a_schema_that_something_else_made_is_left_alone() {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let client = database.client().await;
    client.execute("UPDATE refinery_schema_history SET checksum = '7'", &[]).await.unwrap();
    let error = migrated(&database).await.unwrap_err();
    assert!(matches!(error, PostgresError::SchemaForeign(_)), "{error:?}");
}

/// A database as the program before displays left it, with a family in it.
async fn of_version_1(database: &TestDatabase<'_>) -> tokio_postgres::Client {
    let first = include_str!("../../migrations/postgres/V1__family.sql");
    let first = refinery::Migration::unapplied("V1__family", first).unwrap();
    let mut client = database.client().await;
    refinery::Runner::new(&[first]).run_async(&mut client).await.unwrap();
    client
        .batch_execute(
            "INSERT INTO accounts VALUES (gen_random_uuid(), 't', 'o', 'Ada', NULL, 1); \
             INSERT INTO families VALUES (gen_random_uuid(), 'Adas', 1); \
             INSERT INTO members SELECT gen_random_uuid(), f.id, a.id, 'Ada', 'owner', true, 1 \
             FROM families f, accounts a; \
             INSERT INTO notes SELECT gen_random_uuid(), f.id, 'Milk', NULL, 'Ada', 1, NULL \
             FROM families f; \
             INSERT INTO devices SELECT gen_random_uuid(), f.id, 'Hall', NULL, 1, NULL \
             FROM families f; \
             INSERT INTO audit SELECT luminous_audit_id(1), 1, f.id, 'system', NULL, NULL, \
             'loopback', 'family.created', NULL, 'Adas', 'ok', NULL FROM families f",
        )
        .await
        .unwrap();
    client
}

#[tokio::test]
async fn db9_what_version_1_kept_is_kept_and_its_displays_have_ended() {
    let database = PostgresServer::shared().create_database().await;
    let client = of_version_1(&database).await;
    let older = connect(&database).await.unwrap_err();
    assert!(matches!(older, PostgresError::SchemaOlder { found: 1, needed: 2 }), "{older:?}");
    // What a program of version 1 asks while it still runs, before and after.
    let asked = client.prepare("SELECT * FROM devices WHERE name <> $1").await.unwrap();
    assert_eq!(client.query(&asked, &[&""]).await.unwrap().len(), 1);

    let did = migrated(&database).await.unwrap();
    assert_eq!((did.from, did.to, did.applied), (1, 2, vec!["V2__displays".to_owned()]));
    assert_eq!(client.query(&asked, &[&""]).await.unwrap().len(), 1);

    let store = connect(&database).await.unwrap();
    assert_eq!(store.examine().await.unwrap(), [""; 0]);
    let family = client.query_one("SELECT id FROM families", &[]).await.unwrap().get(0);
    let family = FamilyId::from_uuid(family);
    let wall = store.wall(family).await.unwrap().unwrap();
    assert_eq!((wall.members.len(), wall.notes.len(), wall.seq), (1, 1, 0));
    let displays = store.devices(family).await.unwrap();
    assert_eq!((displays[0].name.as_str(), displays[0].state), ("Hall", DeviceState::Expired));
    let token = TokenId::from_uuid(displays[0].id.as_uuid());
    assert_eq!(store.device_standing(displays[0].id, token).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_migrate_at_once_one_does() {
    let database = PostgresServer::shared().create_database().await;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let url = database.url();
        running.spawn(async move { migrate(&url, &PostgresOptions::default()).await.unwrap() });
    }
    let did: Vec<_> = running.join_all().await;
    assert_eq!(did.iter().filter(|one| !one.applied.is_empty()).count(), 1, "{did:?}");
    connect(&database).await.unwrap();
}

/// Where the program finds the database that it is to migrate.
const GIVEN: &str = "LUMINOUS_TEST_DATABASE";

/// By itself a test; started by the one below, the program that is killed.
#[tokio::test]
async fn a_program_migrates_the_database_it_is_given() {
    let own = PostgresServer::shared;
    match std::env::var(GIVEN) {
        Ok(url) => drop(migrate(&url, &PostgresOptions::default()).await.unwrap()),
        Err(_) => drop(connect(&own().create_database().await.migrated().await).await.unwrap()),
    }
}

fn migrating_program(url: &str) -> tokio::process::Child {
    tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "schema::a_program_migrates_the_database_it_is_given"])
        .env(GIVEN, url)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db9_a_migration_killed_at_any_message_leaves_no_half_schema() {
    let link = FaultyLink::to(PostgresServer::shared().address()).await;
    let mut killed = BTreeMap::new();
    let database = PostgresServer::shared().create_database().await;
    let client = database.client().await;
    for step in 0.. {
        client.batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
        link.set(Fault::HoldAfter(step));
        let mut program = migrating_program(&database.url_at(link.address()));
        tokio::select! {
            () = link.held() => program.kill().await.unwrap(),
            ended = program.wait() => {
                assert!(ended.unwrap().success());
                break;
            }
        }
        // Each migration is there or is not; nothing in between.
        let version = version(&client).await;
        assert_eq!(tables(&client).await, TABLES[version], "step {step}");
        let connected = connect(&database).await;
        assert_eq!(connected.is_ok(), version == TABLES.len() - 1, "step {step}");
        drop(connected);
        *killed.entry(version).or_insert(0) += 1;
        migrated(&database).await.unwrap();
        assert_eq!(connect(&database).await.unwrap().examine().await.unwrap(), [""; 0]);
    }
    assert!(killed[&0] >= 5 && killed[&1] >= 1 && killed[&2] >= 1, "{killed:?}");
}

/// How many tables each version has.
const TABLES: [i64; 3] = [0, 12, 19];

/// Without the history: that it is there says nothing, what is in it counts.
async fn tables(client: &tokio_postgres::Client) -> i64 {
    let sql = "SELECT count(*) FROM pg_tables \
         WHERE schemaname = 'public' AND tablename <> 'refinery_schema_history'";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn version(client: &tokio_postgres::Client) -> usize {
    let sql = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
    if !client.query_one(sql, &[]).await.unwrap().get::<_, bool>(0) {
        return 0;
    }
    let sql = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";
    usize::try_from(client.query_one(sql, &[]).await.unwrap().get::<_, i32>(0)).unwrap()
}

#[tokio::test]
async fn who_migrates_while_another_does_not_end_is_told() {
    let database = PostgresServer::shared().create_database().await;
    let client = database.client().await;
    let lock = i64::from_be_bytes(*b"luminous");
    client.execute("SELECT pg_advisory_lock($1)", &[&lock]).await.unwrap();
    let options =
        PostgresOptions { migration_wait: Duration::from_millis(100), ..Default::default() };
    let error = migrate(&database.url(), &options).await.unwrap_err();
    assert_eq!(error, PostgresError::Migrating);
}

#[tokio::test]
async fn a_wrong_password_and_a_database_that_is_not_there_are_unavailable() {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let (user, rest) =
        database.url().split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    for url in [format!("{user}canary@{rest}"), format!("{user}@{rest}canary")] {
        let options = PostgresOptions::default();
        let error = PostgresStore::connect(&url, Arc::new(OsEntropy), options).await.unwrap_err();
        let unavailable = matches!(error, PostgresError::Store(StoreError::Unavailable(_)));
        assert!(unavailable, "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

/// An authority and a certificate for this machine from it: the authority, the certificate, its key.
fn certificates() -> (String, String, String) {
    let mut authority = rcgen::CertificateParams::new([]).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    (root, server.pem(), key.serialize_pem())
}

#[tokio::test]
async fn tls_is_verified_and_nothing_else_will_do() {
    let folder = tempfile::tempdir().unwrap();
    let (root, certificate, key) = certificates();
    let options = ServerOptions { tls: Some((certificate, key)), ..ServerOptions::default() };
    let server = PostgresServer::start(&options);
    let database = server.create_database().await.migrated().await;
    let url = format!("{}?sslmode=require", database.url());
    let trusting = |name: &str, root: &str| {
        std::fs::write(folder.path().join(name), root).unwrap();
        PostgresOptions {
            root_certificates: Some(folder.path().join(name)),
            ..PostgresOptions::default()
        }
    };
    let right = trusting("right.pem", &root);
    let store = PostgresStore::connect(&url, Arc::new(OsEntropy), right.clone()).await.unwrap();
    store.ping().await.unwrap();
    let sql = "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
         WHERE a.datname = current_database() AND a.application_name IN ('luminous', 'luminous-hints') AND s.ssl";
    let client = database.client().await;
    assert_eq!(client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 2);

    let wrong = trusting("wrong.pem", &certificates().0);
    let plain = PostgresServer::shared().create_database().await.migrated().await;
    let plain_url = format!("{}?sslmode=require", plain.url());
    for (url, options) in [(&url, wrong), (&plain_url, right)] {
        let error = PostgresStore::connect(url, Arc::new(OsEntropy), options).await.unwrap_err();
        let unavailable = matches!(error, PostgresError::Store(StoreError::Unavailable(_)));
        assert!(unavailable, "{error:?}");
    }
}
