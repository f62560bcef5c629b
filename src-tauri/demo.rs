//! `luminous --demo`: the identity emulator inside the app, so that nothing else is needed.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context;
use luminous_auth::Service;
use luminous_emulator::{
    Config, DEMO_APP_CLIENT_ID, DEMO_POLICY, DEMO_SCOPE, DEMO_TENANT, Emulator, Storage,
};
use luminous_oidc::{ProviderConfig, Transport};

/// The running emulator; it ends with the app.
pub struct Demo {
    /// Kept for its life: dropping it closes the listener.
    _emulator: Emulator,
    /// How to sign in with it.
    pub service: Service,
}

impl Demo {
    /// Starts the emulator on `port` of this computer with its people and keys in `folder`. The
    /// port is fixed, because the issuer of yesterday's sign-in carries it.
    ///
    /// # Errors
    /// When the port is taken or the folder cannot be written.
    pub async fn start(folder: &Path, port: u16) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            storage: Storage::File(folder.join("provider.sqlite")),
            ..Config::demo()
        };
        let emulator = Emulator::start(config).await.with_context(|| {
            format!("the embedded emulator cannot use port {port}; --demo-port names another")
        })?;
        let address = emulator.base_url().join(&format!("{DEMO_TENANT}/{DEMO_POLICY}/"))?;
        let mut provider = ProviderConfig::from_address(
            address.as_str(),
            DEMO_APP_CLIENT_ID,
            Transport::LoopbackHttp,
        )?;
        provider.scopes = ["openid", "offline_access", DEMO_SCOPE].map(str::to_owned).to_vec();
        let service = Service { demo: true, ..provider.into() };
        Ok(Self { _emulator: emulator, service })
    }
}
