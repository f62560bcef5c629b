//! Everything that can be set, in one place.
//!
//! From a TOML file, then from the environment (`LUMINOUS_SERVER__LIMITS__BODY_BYTES`), then from
//! flags; later ones win. The doc comments are the help: `luminous-server config --example` prints
//! them. Secrets are never settings themselves: a setting names the file that holds one.

mod issuer;
mod load;
mod macros;
mod secrets;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::IpNet;
use url::Url;

use macros::settings;

pub use issuer::{ConnectorSettings, Hint, IssuerSettings};
pub use load::load;
pub use secrets::Secrets;

/// How strict the server is about where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// For real families: plain http and issuers of this machine are refused.
    #[default]
    Prod,
    /// For development, demonstrations and tests, with the emulator.
    Dev,
}

/// What log lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is asked of a display in another network than the person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proximity {
    /// The person is warned.
    #[default]
    Warn,
    /// It is refused.
    Require,
}

settings! {
    /// The whole configuration.
    Config {
        /// `prod` refuses plain http and issuers of this machine; `dev` is for the emulator.
        profile: Profile = Profile::Prod, "\"prod\"";
        /// What this installation calls itself, for people.
        name: String = "Luminous".to_owned(), "\"Luminous\"";
        /// Where to listen for plain HTTP. A proxy in front of it speaks TLS.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8455)), "\"127.0.0.1:8455\"";
        /// The address people and apps know this server by: https, without a path.
        public_url: Option<Url> = None, "\"https://family.example.org\"";
        /// The file that holds the server's own secret: 32 random bytes in hex. With SQLite it is
        /// made at the first start. With PostgreSQL all replicas need the same one, so it is made
        /// once, by `luminous-server key`. Whoever loses it loses open invitations.
        key_file: PathBuf = PathBuf::from("luminous-server.key"), "\"/var/lib/luminous/server.key\"";
        /// Proxies whose `X-Forwarded-For` and `X-Request-Id` are believed; from anybody else they
        /// are ignored.
        trusted_proxies: Vec<IpNet> = Vec::new(), "#[\"10.0.0.0/8\"]";
        /// `text` or `json`.
        log_format: LogFormat = LogFormat::Text, "\"text\"";
        /// What is logged, as `tracing-subscriber` filters are written. Below `info` only the
        /// server's own lines are, whatever stands here: libraries write values into theirs.
        log_filter: String = "info".to_owned(), "\"info\"";
        /// What is kept, and where.
        store: StoreSettings = StoreSettings::default(), "";
        /// How much is enough.
        limits: Limits = Limits::default(), "";
        /// Wall displays.
        displays: DisplaySettings = DisplaySettings::default(), "";
        /// Figures for Prometheus.
        metrics: MetricsSettings = MetricsSettings::default(), "";
        /// What the identity provider asks us while it issues a token.
        connectors: ConnectorSettings = ConnectorSettings::default(), "";
        /// Whose tokens are believed. Several during a migration from B2C to External ID.
        issuers: Vec<IssuerSettings> = Vec::new(), "";
    }

    /// What is kept, and where.
    StoreSettings {
        /// The SQLite file, made at the first start. One server only.
        sqlite: PathBuf = PathBuf::from("luminous.sqlite"), "\"/var/lib/luminous/luminous.sqlite\"";
        /// The file that holds the URL of a PostgreSQL database, which several replicas may share.
        /// Where it is set, `sqlite` is not used.
        postgres_url_file: Option<PathBuf> = None, "#\"/run/secrets/luminous-postgres-url\"";
        /// The PEM file of the authorities that PostgreSQL's certificate must come from; the
        /// system's when it is not set.
        postgres_ca_file: Option<PathBuf> = None, "#\"/etc/ssl/luminous-postgres.pem\"";
    }

    /// How much is enough.
    Limits {
        /// The largest body of a request, in bytes; at least 1024.
        body_bytes: usize = 64 * 1024, "65536";
        /// The largest head of a request, in bytes; at least 8192.
        header_bytes: usize = 32 * 1024, "32768";
        /// How long a request may take, in seconds; also how long its head may take to arrive.
        request_seconds: u64 = 10, "10";
        /// How many requests are worked on at once.
        concurrent_requests: usize = 512, "512";
        /// How many connections are open at once.
        connections: usize = 4096, "4096";
        /// How many connections to the hubs are open at once. Each is an open file, as every connection
        /// is: the system must allow as many (`LimitNOFILE` of systemd).
        hub_connections: usize = 10_000, "10000";
        /// How many requests a minute one address may make; 0 for any number. A whole household,
        /// or a mobile network, may share one.
        per_address_per_minute: u32 = 1200, "1200";
        /// How many requests a minute one account may make; 0 for any number.
        per_account_per_minute: u32 = 600, "600";
    }

    /// Wall displays: how they are linked, and how long they stay.
    DisplaySettings {
        /// The file that holds the keys which sign the displays' access tokens. With SQLite it is made
        /// at the first start. With PostgreSQL all replicas read the same one, so it is made once, by
        /// `luminous-server keys rotate`, and that again makes the next key.
        signing_keys_file: PathBuf = PathBuf::from("luminous-server.signing-keys.json"), "\"/var/lib/luminous/signing-keys.json\"";
        /// How long a code stays on the wall, in seconds; 60 to 600.
        code_seconds: u64 = 600, "600";
        /// The least number of seconds between two polls of a display that waits.
        poll_seconds: u32 = 5, "5";
        /// How long an access token lives, in minutes.
        access_minutes: u64 = 30, "30";
        /// How long a display may be away, in days.
        idle_days: u64 = 45, "45";
        /// How long a display stays without an admin's renewal, in days.
        absolute_days: u64 = 90, "90";
        /// How many codes an hour one address may ask for; 0 for any number.
        codes_per_address_per_hour: u32 = 10, "10";
        /// How many codes may be on walls at once.
        codes: u32 = 5000, "5000";
        /// How many wrong codes an hour the whole system bears while one code is on a wall; with more
        /// codes it bears fewer. 107374 keeps a capture below one in a million an hour.
        guesses_per_hour: u32 = 107_374, "107374";
        /// What happens when a display asks from another network than the person: `warn` or `require`.
        proximity: Proximity = Proximity::Warn, "\"warn\"";
        /// The file that holds the bearer token with which other services ask what a display's token
        /// is worth. Without it nobody may ask.
        introspection_token_file: Option<PathBuf> = None, "#\"/run/secrets/luminous-introspection-token\"";
    }

    /// Figures for Prometheus.
    MetricsSettings {
        /// A listener of its own for `/metrics`, where whoever reaches it may read it.
        listen: Option<SocketAddr> = None, "#\"127.0.0.1:9455\"";
        /// The file that holds the bearer token for `/metrics` at the main listener.
        token_file: Option<PathBuf> = None, "#\"/run/secrets/luminous-metrics-token\"";
    }
}

/// A setting that cannot be used. Names the setting; never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("setting `{setting}`: {problem}")]
pub struct ConfigError {
    /// Which, as in the file: `issuers[0].address`.
    pub setting: String,
    /// What is wrong with it.
    pub problem: String,
}

impl ConfigError {
    /// About `setting`.
    pub fn new(setting: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { setting: setting.into(), problem: problem.into() }
    }
}

impl Config {
    /// An example of everything, with the help as comments.
    #[must_use]
    pub fn example() -> String {
        let mut out = String::from("# Luminous family server.\n\n");
        Self::annotate(&mut out);
        for (table, part) in [
            ("[store]", StoreSettings::annotate as fn(&mut String)),
            ("[limits]", Limits::annotate),
            ("[displays]", DisplaySettings::annotate),
            ("[metrics]", MetricsSettings::annotate),
            ("[connectors]", ConnectorSettings::annotate),
            ("[[issuers]]", IssuerSettings::annotate),
            ("[[issuers.hints]]", Hint::annotate),
        ] {
            out.push_str(table);
            out.push('\n');
            part(&mut out);
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    /// Whether everything fits together, and is strict enough for the profile.
    ///
    /// # Errors
    /// [`ConfigError`] about the first setting that does not.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_public_url()?;
        self.limits.check()?;
        self.displays.check()?;
        if self.issuers.is_empty() {
            return Err(ConfigError::new("issuers", "at least one is needed"));
        }
        for (at, issuer) in self.issuers.iter().enumerate() {
            issuer.check(at, self.profile)?;
        }
        Ok(())
    }

    fn check_public_url(&self) -> Result<(), ConfigError> {
        let wrong = |problem| Err(ConfigError::new("public_url", problem));
        let Some(url) = &self.public_url else { return wrong("it is missing") };
        let https = url.scheme() == "https";
        if !https && (self.profile == Profile::Prod || url.scheme() != "http") {
            return wrong("it must be https");
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return wrong("it must be an address without a path");
        }
        Ok(())
    }

    /// The address people know, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> String {
        self.public_url
            .as_ref()
            .map_or_else(String::new, |url| url.as_str().trim_end_matches('/').to_owned())
    }

    /// Whether browsers reach us by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}

impl DisplaySettings {
    /// Whether displays can live by them.
    fn check(&self) -> Result<(), ConfigError> {
        for (setting, given, range) in [
            ("code_seconds", self.code_seconds, 60..=600),
            ("poll_seconds", u64::from(self.poll_seconds), 1..=60),
            ("access_minutes", self.access_minutes, 1..=1440),
            ("idle_days", self.idle_days, 1..=3650),
            ("absolute_days", self.absolute_days, 1..=3650),
            ("codes", u64::from(self.codes), 1..=1_000_000),
        ] {
            check_range(&format!("displays.{setting}"), given, &range)?;
        }
        Ok(())
    }
}

impl Limits {
    /// Whether they leave anything to be answered, and what the libraries beneath accept.
    fn check(&self) -> Result<(), ConfigError> {
        for (setting, given, range) in [
            ("body_bytes", self.body_bytes as u64, 1024..=1 << 30),
            // Less, and hyper panics.
            ("header_bytes", self.header_bytes as u64, 8192..=1 << 20),
            ("request_seconds", self.request_seconds, 1..=3600),
            ("concurrent_requests", self.concurrent_requests as u64, 1..=1_000_000),
            ("connections", self.connections as u64, 1..=1_000_000),
            ("hub_connections", self.hub_connections as u64, 1..=1_000_000),
        ] {
            check_range(&format!("limits.{setting}"), given, &range)?;
        }
        Ok(())
    }
}

fn check_range(setting: &str, given: u64, range: &RangeInclusive<u64>) -> Result<(), ConfigError> {
    if range.contains(&given) {
        return Ok(());
    }
    let problem = format!("it must be {} to {}", range.start(), range.end());
    Err(ConfigError::new(setting, problem))
}

/// Writes one setting into the annotated example.
pub(crate) fn annotate(out: &mut String, help: &[&str], name: &str, example: &str) {
    if example.is_empty() {
        return;
    }
    for line in help {
        out.push('#');
        out.push_str(line);
        out.push('\n');
    }
    let (mark, value) = match example.strip_prefix('#') {
        Some(value) => ("# ", value),
        None => ("", example),
    };
    out.push_str(&format!("{mark}{name} = {value}\n\n"));
}
