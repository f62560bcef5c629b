//! Where the database is, and how to talk to it: the URL, what it leaves open, and TLS.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{PostgresError, PostgresOptions};

/// Longer than any of our transactions; frees the locks of a replica that vanished within one.
const ABANDONED: &str = "15s";

/// What a connection is made with.
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

/// Reads the URL. The driver's own words about a bad one may repeat a part of the password, so they
/// are not passed on.
pub(super) fn parse(url: &str, options: &PostgresOptions) -> Result<Target, PostgresError> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(PostgresError::Url("it does not begin with postgres://"));
    }
    let mut config = Config::from_str(url).map_err(|_| {
        PostgresError::Url("it is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE")
    })?;
    // A user name may stand for the database, as everywhere; a server may not.
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(PostgresError::Url("it names no host"));
    }
    settle_tls(&mut config);
    // One of several that does not answer shall leave time for the others.
    let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
    config.connect_timeout(options.connection_wait / u32::try_from(hosts).unwrap_or(1).max(1));
    config.tcp_user_timeout(options.call_wait);
    config.application_name("luminous");
    config.options(session_settings(&config, options));
    if hosts > 1 {
        // Of a primary and its standbys, the one that takes writes.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    let tls = tls(options.root_certificates.as_deref())?;
    Ok(Target { config, tls })
}

/// `prefer`, which is what a URL without a word about it means, would give way to whoever stands in
/// between and says that there is no TLS. So it means `require`, unless nobody can stand there.
fn settle_tls(config: &mut Config) {
    if config.get_ssl_mode() != SslMode::Prefer {
        return;
    }
    let here = config.get_hosts().iter().all(is_here)
        && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
    config.ssl_mode(if here { SslMode::Disable } else { SslMode::Require });
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Waits have an end on the server's side too, and our locking is written for READ COMMITTED
/// whatever the database's default is.
fn session_settings(config: &Config, options: &PostgresOptions) -> String {
    let given = config.get_options().unwrap_or_default();
    let wait = options.statement_wait.as_millis();
    format!(
        "{given} -c statement_timeout={wait} -c lock_timeout={wait} \
         -c idle_in_transaction_session_timeout={ABANDONED} \
         -c default_transaction_isolation=read\\ committed"
    )
}

fn tls(roots: Option<&Path>) -> Result<MakeRustlsConnect, PostgresError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| PostgresError::Certificates(error.to_string()))?
        .with_root_certificates(root_store(roots)?)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn root_store(file: Option<&Path>) -> Result<rustls::RootCertStore, PostgresError> {
    let mut store = rustls::RootCertStore::empty();
    let Some(file) = file else {
        // Those that cannot be read are left out; without any, TLS verifies nobody and fails.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(store);
    };
    let refuse =
        |reason: String| PostgresError::Certificates(format!("{}: {reason}", file.display()));
    for certificate in CertificateDer::pem_file_iter(file).map_err(|e| refuse(e.to_string()))? {
        let certificate = certificate.map_err(|e| refuse(e.to_string()))?;
        store.add(certificate).map_err(|e| refuse(e.to_string()))?;
    }
    if store.is_empty() {
        return Err(refuse("it holds no certificate".to_owned()));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        parse(url, &PostgresOptions::default()).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn another_machine_gets_tls_unless_the_url_says_otherwise() {
        assert_eq!(mode("postgres://u@db.example.com/l"), SslMode::Require);
        assert_eq!(mode("postgres://u@10.0.0.7/l?sslmode=prefer"), SslMode::Require);
        assert_eq!(mode("postgres://u@db.example.com/l?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://u@localhost,db.example.com/l"), SslMode::Require);
        assert_eq!(mode("postgres://u@127.0.0.1/l"), SslMode::Disable);
        assert_eq!(mode("postgres://u@127.0.0.1/l?sslmode=require"), SslMode::Require);
        assert_eq!(mode("postgres://u@%2Frun%2Fpostgresql/l"), SslMode::Disable);
    }

    #[test]
    fn db6_of_several_hosts_the_one_that_takes_writes_is_meant_and_each_gets_its_share_of_time() {
        let url = "postgres://u@127.0.0.1:5432,127.0.0.1:5433/l";
        let config = parse(url, &PostgresOptions::default()).unwrap().config;
        assert_eq!(config.get_ports(), [5432, 5433]);
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(config.get_connect_timeout(), Some(&std::time::Duration::from_secs(1)));
        let one = parse("postgres://u@127.0.0.1/l", &PostgresOptions::default()).unwrap().config;
        assert_eq!(one.get_target_session_attrs(), TargetSessionAttrs::Any);
    }

    #[test]
    fn s9_a_url_that_cannot_be_used_is_not_repeated() {
        for url in [
            "postgre://u:canary@h/l",
            "postgres://u:p@h/l?canary=1",
            "postgres://u:canary@h:port/l",
            "postgres:///l",
            "host=h password=canary",
        ] {
            let error = parse(url, &PostgresOptions::default()).err().unwrap();
            assert!(matches!(error, PostgresError::Url(_)), "{url}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn roots_that_are_not_there_are_named() {
        let options = PostgresOptions {
            root_certificates: Some("/nowhere/roots.pem".into()),
            ..PostgresOptions::default()
        };
        let error = parse("postgres://u@db.example.com/l", &options).err().unwrap();
        assert!(error.to_string().contains("/nowhere/roots.pem"), "{error}");
    }
}
