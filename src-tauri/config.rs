//! Which identity provider, and which folders: decided once, at the start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use luminous_auth::display::Server;
use luminous_oidc::{ConfigError, ProviderConfig, Transport};
use tauri::{AppHandle, Manager, Runtime};

use crate::cli::{KioskOptions, Options};
use crate::kiosk;

/// The file in the app's configuration folder that is read when no other is named.
const CONFIG_FILE: &str = "luminous.env";

/// Names the family server.
const SERVER: &str = "LUMINOUS_SERVER_URL";

/// `dev` allows plain http to this computer.
const PROFILE: &str = "LUMINOUS_PROFILE";

/// Where this start of the app keeps its things and whom it signs in with.
#[derive(Debug)]
pub struct Profile {
    /// Accounts, settings and other non-secret state live here.
    pub data_folder: PathBuf,
    /// The name under which the OS keyring keeps our secrets.
    pub keyring_service: String,
    /// The configured provider.
    pub provider: Option<ProviderConfig>,
    /// The configured family server, which names its provider itself; without either the app asks
    /// on first start.
    pub server: Option<String>,
    /// Which schemes addresses may have.
    pub transport: Transport,
    /// Why a configuration that is there cannot be used.
    pub mistake: Option<ConfigError>,
}

impl Profile {
    /// Reads the configuration that `options` and the environment name.
    ///
    /// # Errors
    /// When a named file cannot be read, or the app has no folder to keep its things in.
    pub fn choose<R: Runtime>(app: &AppHandle<R>, options: &Options) -> anyhow::Result<Self> {
        let data_folder = app.path().app_local_data_dir().context("no folder for app data")?;
        let keyring_service = app.config().identifier.clone();
        #[cfg(feature = "demo")]
        if options.demo {
            // People of the emulator are not the family's: nothing of theirs is shared.
            return Ok(Self {
                data_folder: data_folder.join("demo"),
                keyring_service: keyring_service + ".demo",
                provider: None,
                server: None,
                transport: Transport::LoopbackHttp,
                mistake: None,
            });
        }
        let default = app.path().app_config_dir().context("no configuration folder")?;
        let variables = read_variables(options.config.as_deref(), &default.join(CONFIG_FILE))?;
        let (provider, mistake) = match provider_from(&variables) {
            Ok(provider) => (provider, None),
            Err(mistake) => {
                tracing::error!(%mistake, "the configured identity provider cannot be used");
                (None, Some(mistake))
            }
        };
        let server = server_from(&variables);
        // The server knows better: what else is configured would contradict it sooner or later.
        let provider = provider.filter(|_| server.is_none());
        let transport = transport_of(&variables);
        Ok(Self { data_folder, keyring_service, provider, server, transport, mistake })
    }

    /// The file of non-secret state.
    #[must_use]
    pub fn state_file(&self) -> PathBuf {
        self.data_folder.join("state.sqlite")
    }
}

/// Where a wall display keeps its things, and which family server it belongs to.
#[derive(Debug)]
pub struct KioskProfile {
    /// The family's last wall and other non-secret state live here, and nobody else's.
    pub data_folder: PathBuf,
    /// The name under which the OS keyring keeps the display's key and tokens.
    pub keyring_service: String,
    /// The family server, where it is known.
    pub server: Option<Server>,
}

impl KioskProfile {
    /// Reads what `options` and the environment say; the command line wins.
    ///
    /// # Errors
    /// When a named file cannot be read, or there is no folder to keep things in.
    pub fn choose<R: Runtime>(app: &AppHandle<R>, options: &KioskOptions) -> anyhow::Result<Self> {
        let keyring_service = app.config().identifier.clone();
        let own = || app.path().app_local_data_dir().context("no folder for app data");
        let data_folder = options.data.clone().map_or_else(own, Ok)?;
        let server = match options.own_server() {
            Some(server) => Some(server),
            None => {
                let default = app.path().config_dir().context("no configuration folder")?;
                let default = default.join(kiosk::IDENTIFIER).join(CONFIG_FILE);
                let variables = read_variables(options.config.as_deref(), &default)?;
                let transport = transport_of(&variables);
                server_from(&variables).map(|address| Server { address, transport })
            }
        };
        Ok(Self { data_folder, keyring_service, server })
    }
}

impl KioskOptions {
    /// The server that the command line names. Whoever types plain http has asked for it (T29), and
    /// gets it no further than this computer.
    fn own_server(&self) -> Option<Server> {
        #[cfg(feature = "demo")]
        if self.demo {
            let address = format!("http://localhost:{}", self.demo_port.saturating_add(1));
            return Some(Server { address, transport: Transport::LoopbackHttp });
        }
        let address = self.server.clone()?;
        let plain = address.trim_start().to_ascii_lowercase().starts_with("http:");
        let transport = if plain { Transport::LoopbackHttp } else { Transport::HttpsOnly };
        Some(Server { address, transport })
    }
}

/// The variables of `named`, or of `default` where that exists; the environment wins over both.
fn read_variables(
    named: Option<&Path>,
    default: &Path,
) -> anyhow::Result<BTreeMap<String, String>> {
    let file = match named {
        Some(file) => Some(file),
        None => default.is_file().then_some(default),
    };
    let mut variables = BTreeMap::new();
    if let Some(file) = file {
        let lines = dotenvy::from_path_iter(file)
            .with_context(|| format!("cannot read the configuration {}", file.display()))?;
        for line in lines {
            // The error of a malformed line would quote it, and a client secret may stand there.
            let (name, value) = line.map_err(|_| {
                anyhow::anyhow!("a line of the configuration {} is malformed", file.display())
            })?;
            variables.insert(name, value);
        }
    }
    variables.extend(std::env::vars().filter(|(name, _)| is_ours(name)));
    Ok(variables)
}

fn is_ours(name: &str) -> bool {
    name.starts_with("B2C_") || name.starts_with("LUMINOUS_")
}

/// No `B2C_*` variable at all means "not configured", anything else must be complete.
fn provider_from(
    variables: &BTreeMap<String, String>,
) -> Result<Option<ProviderConfig>, ConfigError> {
    if !variables.keys().any(|name| name.starts_with("B2C_")) {
        return Ok(None);
    }
    let (provider, warnings) =
        ProviderConfig::from_variables(&|name| variables.get(name).cloned())?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(Some(provider))
}

/// The family server's address, as it stands.
fn server_from(variables: &BTreeMap<String, String>) -> Option<String> {
    let address = variables.get(SERVER)?.trim();
    (!address.is_empty()).then(|| address.to_owned())
}

/// Plain http to this computer is for development, and has to be asked for.
fn transport_of(variables: &BTreeMap<String, String>) -> Transport {
    match variables.get(PROFILE).map(|profile| profile.trim()) {
        Some("dev") => Transport::LoopbackHttp,
        _ => Transport::HttpsOnly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_that_is_missing_is_an_error_and_a_missing_default_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing.env");
        assert!(read_variables(Some(&missing), &missing).is_err());
        assert!(read_variables(None, &missing).is_ok());
    }

    #[test]
    fn a_malformed_line_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("luminous.env");
        std::fs::write(&file, "B2C_CLIENT_SECRET='canary").expect("written");
        let error = read_variables(Some(&file), &file).expect_err("malformed");
        assert!(!format!("{error:#}").contains("canary"));
    }

    #[test]
    fn without_any_variable_the_app_is_not_configured() {
        assert_eq!(provider_from(&BTreeMap::new()), Ok(None));
        assert_eq!(server_from(&BTreeMap::new()), None);
    }

    #[test]
    fn a_family_server_is_configured_by_its_address_alone() {
        let set = |value: &str| BTreeMap::from([(SERVER.to_owned(), value.to_owned())]);
        let server = server_from(&set(" family.example.test "));
        assert_eq!(server.as_deref(), Some("family.example.test"));
        assert_eq!(server_from(&set(" ")), None);
    }

    #[test]
    fn t29_plain_http_has_to_be_asked_for() {
        let set = |value: &str| BTreeMap::from([(PROFILE.to_owned(), value.to_owned())]);
        assert_eq!(transport_of(&set("dev")), Transport::LoopbackHttp);
        assert_eq!(transport_of(&set("prod")), Transport::HttpsOnly);
        assert_eq!(transport_of(&BTreeMap::new()), Transport::HttpsOnly);
    }

    #[test]
    fn t29_a_display_speaks_plain_http_only_where_it_was_typed() {
        let named = |address: &str| {
            let server = Some(address.to_owned());
            let options = KioskOptions { server, ..KioskOptions::default() };
            options.own_server().expect("a server").transport
        };
        assert_eq!(named("http://localhost:18456"), Transport::LoopbackHttp);
        assert_eq!(named("localhost:18456"), Transport::HttpsOnly);
        assert_eq!(named("https://family.example.test"), Transport::HttpsOnly);
    }
}
