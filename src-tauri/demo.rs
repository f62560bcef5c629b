//! `luminous --demo`: identity emulator and family server inside the app, so that nothing else is
//! needed. What people do in it survives a restart.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use luminous_auth::Service;
use luminous_domain::{Clock, Entropy as _, OsEntropy};
use luminous_emulator::{
    ApiConnector, Config as Emulation, DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_EDIT_POLICY,
    DEMO_MFA_POLICY, DEMO_POLICY, DEMO_RESET_POLICY, DEMO_SCOPE, DEMO_TENANT, DEMO_WEB_CLIENT_ID,
    DEMO_WEB_CLIENT_SECRET, Emulator, Storage,
};
use luminous_oidc::{ReqwestClient, Transport, Trust};
use luminous_server::config::{
    Config, ConnectorSettings, DisplaySettings, Hint, IssuerSettings, Profile, StoreSettings,
};
use luminous_server::{Parts, Server};
use luminous_store::SqliteStore;
use luminous_wire::api::{Discovery, IdentityProviderHint, ProviderDiscovery};
use url::Url;

/// Who the emulator says it is when it asks the server for claims, as B2C would.
const CONNECTOR: &str = "demo";

/// The providers behind the emulator, all of them stand-ins.
const HINTS: [(&str, &str); 3] =
    [("google.com", "Google"), ("apple.com", "Apple"), ("live.com", "Microsoft")];

/// The running emulator and family server; they end with the app.
pub struct Demo {
    emulator: Emulator,
    server: Server,
    /// How to sign in with it, and where the family is.
    pub service: Service,
}

/// Where the two listen, and where their things are.
struct Place<'a> {
    folder: &'a Path,
    port: u16,
    server_port: u16,
}

impl Demo {
    /// Starts the emulator on `port` of this computer and the family server on the one after it,
    /// with all they keep in `folder`. The ports are fixed, because the issuer of yesterday's
    /// sign-in carries the one.
    ///
    /// # Errors
    /// When a port is taken or the folder cannot be written.
    pub async fn start(folder: &Path, port: u16, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let server_port =
            port.checked_add(1).context("--demo-port must leave room for the port after it")?;
        let place = Place { folder, port, server_port };
        let password = random_text()?;
        let emulator = place.emulator(&password).await?;
        let issuer = emulator.base_url().join(&format!("{DEMO_TENANT}/{DEMO_POLICY}/"))?;
        let server = place.server(&issuer, &password, clock).await?;
        let service = Service::from_discovery(&place.discovery(&issuer), Transport::LoopbackHttp)?;
        let service = Service { demo: true, ..service };
        Ok(Self { emulator, server, service })
    }

    /// Lets both finish what they are at, and write what they still hold.
    pub async fn stop(self) {
        self.server.shutdown().await;
        self.emulator.shutdown().await;
    }
}

impl Place<'_> {
    fn base(&self) -> String {
        format!("http://localhost:{}", self.server_port)
    }

    async fn emulator(&self, password: &str) -> anyhow::Result<Emulator> {
        let claims = format!("{}/connectors/b2c/claims", self.base()).parse()?;
        let connector = ApiConnector {
            // A change of role shall show without signing in anew.
            at_refresh: true,
            ..ApiConnector::new(claims, CONNECTOR, password)
        };
        let config = Emulation {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            storage: Storage::File(self.folder.join("provider.sqlite")),
            connector: Some(connector),
            ..Emulation::demo()
        };
        let config = config.with_web_redirects(&[&format!("{}/callback", self.base())]);
        let port = self.port;
        Emulator::start(config).await.with_context(|| {
            format!("the embedded emulator cannot use port {port}; --demo-port names another")
        })
    }

    async fn server(
        &self,
        issuer: &Url,
        password: &str,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Server> {
        let config = self.server_config(issuer, password)?;
        let entropy = Arc::new(OsEntropy);
        let store = SqliteStore::open(&config.store.sqlite, clock.clone(), entropy.clone())?;
        let http = Arc::new(ReqwestClient::new(Trust::system())?);
        let parts = Parts { store: Arc::new(store), clock, entropy, http };
        let port = self.server_port;
        Server::start(config, parts).await.with_context(|| {
            format!("the embedded family server cannot use port {port}; --demo-port names another")
        })
    }

    fn server_config(&self, issuer: &Url, password: &str) -> anyhow::Result<Config> {
        let hint = |(domain_hint, name): (&str, &str)| Hint {
            domain_hint: domain_hint.to_owned(),
            name: name.to_owned(),
        };
        let issuer = IssuerSettings {
            address: issuer.to_string(),
            audiences: vec![DEMO_API_CLIENT_ID.to_owned()],
            clients: vec![DEMO_APP_CLIENT_ID.to_owned()],
            app_client_id: DEMO_APP_CLIENT_ID.to_owned(),
            scopes: scopes(),
            web_client_id: Some(DEMO_WEB_CLIENT_ID.to_owned()),
            web_client_secret_file: Some(self.secret("web-client", DEMO_WEB_CLIENT_SECRET)?),
            step_up_policy: Some(DEMO_MFA_POLICY.to_owned()),
            password_reset_policy: Some(DEMO_RESET_POLICY.to_owned()),
            profile_edit_policy: Some(DEMO_EDIT_POLICY.to_owned()),
            hints: HINTS.map(hint).into(),
            ..IssuerSettings::default()
        };
        Ok(Config {
            profile: Profile::Dev,
            name: "Luminous (demo)".to_owned(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, self.server_port)),
            public_url: Some(self.base().parse()?),
            key_file: self.folder.join("server.key"),
            store: StoreSettings {
                sqlite: self.folder.join("family.sqlite"),
                ..StoreSettings::default()
            },
            displays: DisplaySettings {
                signing_keys_file: self.folder.join("signing-keys.json"),
                ..DisplaySettings::default()
            },
            connectors: ConnectorSettings {
                b2c_username: Some(CONNECTOR.to_owned()),
                b2c_password_file: Some(self.secret("connector", password)?),
                ..ConnectorSettings::default()
            },
            issuers: vec![issuer],
            ..Config::default()
        })
    }

    /// The server reads its secrets from files that only the person may read.
    fn secret(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(format!("{name}.secret"));
        replace(&path, text)?;
        Ok(path)
    }

    /// What the server says of itself, without asking it: the first frame must not wait.
    fn discovery(&self, issuer: &Url) -> Discovery {
        let hint = |(domain_hint, name): (&str, &str)| IdentityProviderHint {
            domain_hint: domain_hint.to_owned(),
            name: name.to_owned(),
        };
        Discovery {
            version: 1,
            name: "Luminous (demo)".to_owned(),
            api: self.base(),
            provider: ProviderDiscovery {
                address: issuer.to_string(),
                issuer: None,
                client_id: DEMO_APP_CLIENT_ID.to_owned(),
                scopes: scopes(),
                password_reset_policy: Some(DEMO_RESET_POLICY.to_owned()),
                profile_edit_policy: Some(DEMO_EDIT_POLICY.to_owned()),
                step_up_policy: Some(DEMO_MFA_POLICY.to_owned()),
                hints: HINTS.map(hint).into(),
            },
        }
    }
}

fn scopes() -> Vec<String> {
    ["openid", "offline_access", DEMO_SCOPE].map(str::to_owned).into()
}

/// A password for this start alone.
fn random_text() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    OsEntropy.fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // A file of before keeps its rights: it was made like this one.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
