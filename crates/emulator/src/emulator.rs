//! Starting and stopping.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use url::Url;

use crate::address::Endpoint;
use crate::config::Config;
use crate::control::Control;
use crate::engine::Core;
use crate::http;
use crate::keys::{KeyError, KeyRing, KeyState, SigningKey};
use crate::listen::{Line, ListenError, LoopbackListener};
use crate::realm::Realm;
use crate::store::{Store, StoreError};

/// An emulator could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The first signing key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The HTTP client for calls to connectors cannot be made.
    #[error("the HTTP client for connectors cannot be made")]
    Outgoing(#[source] reqwest::Error),
    /// The thread that prepares the database and the key ended early.
    #[error("the start was interrupted")]
    Interrupted,
}

/// How long open connections may take to end at shutdown.
const GRACE: Duration = Duration::from_secs(2);

/// A running identity provider. Dropping it stops it at once; [`Emulator::shutdown`] lets the
/// answers under way be finished.
pub struct Emulator {
    control: Control,
    core: Arc<Core>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Emulator {
    /// Starts one. It is listening when this returns.
    ///
    /// # Errors
    /// When the address is not of this machine or taken, or when the database or the signing key
    /// fails.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let listener = LoopbackListener::bind(config.listen).await?;
        let base = base_url(listener.port());
        let prepared = tokio::task::spawn_blocking(move || prepare(config, base)).await;
        let core = Arc::new(prepared.map_err(|_| StartError::Interrupted)??);
        let (stop, stopped) = oneshot::channel::<()>();
        let service = http::router(Arc::clone(&core)).into_make_service_with_connect_info::<Line>();
        let serving = tokio::spawn(async move {
            let ended = axum::serve(listener, service)
                .with_graceful_shutdown(async move { drop(stopped.await) })
                .await;
            if let Err(error) = ended {
                tracing::error!(%error, "the emulator stopped serving");
            }
        });
        let control = Control::new(Arc::clone(&core));
        Ok(Self { control, core, stop: Some(stop), serving })
    }

    /// `http://localhost:PORT/`, the host of all authorities.
    #[must_use]
    pub fn base_url(&self) -> Url {
        self.core.base.clone()
    }

    /// Everything a test may do behind the client's back.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The exact issuer of the main tenant's first policy.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.realm().issuer()
    }

    /// The metadata document of the main tenant's first policy, path form.
    #[must_use]
    pub fn metadata_url(&self) -> String {
        self.realm().endpoint(Endpoint::Discovery)
    }

    /// The eight `B2C_*` variables that an app needs to sign in here.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.core.config.environment(&self.core.base)
    }

    fn realm(&self) -> Realm {
        Realm::main(&self.core.config, &self.core.base)
    }

    /// Stops listening, releases what is held, and waits for the answers under way, though not for
    /// ever.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone only when serving has ended already.
            let _ = stop.send(());
        }
        self.control.release();
        let _ = tokio::time::timeout(GRACE, &mut self.serving).await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The address of an emulator on `port`, as browsers and apps name it.
pub(crate) fn base_url(port: u16) -> Url {
    // A host name and a port number always make a URL.
    Url::parse(&format!("http://localhost:{port}/")).expect("a valid base URL")
}

fn prepare(config: Config, base: Url) -> Result<Core, StartError> {
    let store = Store::open(&config.storage)?;
    let keys = match store.key_ring()? {
        Some(keys) => keys,
        None => {
            let now = config.clock.now().as_second();
            let keys = KeyRing::new(SigningKey::generate(now, KeyState::Current)?);
            store.save_key_ring(&keys)?;
            keys
        }
    };
    let outgoing = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build();
    Ok(Core::new(config, base, store, keys, outgoing.map_err(StartError::Outgoing)?))
}
