//! What all handlers share.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{AccountId, Clock, Entropy, PersonKey};
use luminous_oidc::HttpClient;
use luminous_store::Store;
use quick_cache::sync::Cache;

use crate::cache::ClaimsCache;
use crate::config::{Config, ConfigError, Secrets};
use crate::connectors::Connectors;
use crate::hubs::Listeners;
use crate::limits::RateLimit;
use crate::meters::Meters;
use crate::oauth::Displays;
use crate::presence::Presence;
use crate::trust::Trust;
use crate::web::Web;

/// What the server is made of; tests hand in their own clock and store.
#[derive(Clone)]
pub struct Parts {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// How identity providers are asked.
    pub http: Arc<dyn HttpClient>,
}

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    secrets: Secrets,
    parts: Parts,
    trust: Trust,
    web: Web,
    connectors: Connectors,
    displays: Displays,
    claims: ClaimsCache,
    accounts: RateLimit<AccountId>,
    seen: Cache<AccountId, Duration>,
    meters: Meters,
    presence: Presence,
    listeners: Listeners,
}

/// How many accounts are remembered as seen.
const SEEN_MOST: usize = 20_000;

impl AppState {
    /// Puts everything together; asks nobody anything yet.
    ///
    /// # Errors
    /// [`ConfigError`] when the configuration cannot be used.
    pub fn new(config: Config, parts: Parts) -> Result<Self, ConfigError> {
        config.check()?;
        let secrets = Secrets::read(&config)?;
        let trust = Trust::new(&config, &parts.http, &parts.clock)?;
        let web = Web::new(&config, &secrets, &parts.http, &parts.clock)?;
        let connectors = Connectors::new(&config, &secrets, &parts.http, &parts.clock)?;
        let displays = Displays::new(&config)?;
        let shared = Shared {
            accounts: RateLimit::per_minute(config.limits.per_account_per_minute),
            claims: ClaimsCache::default(),
            seen: Cache::new(SEEN_MOST),
            meters: Meters::default(),
            presence: Presence::default(),
            listeners: Listeners::default(),
            config,
            secrets,
            parts,
            trust,
            web,
            connectors,
            displays,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// What was configured.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The secrets that the configuration names files for.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.shared.secrets
    }

    /// The key that hashes the codes of invitations. It is not in the database, so that a stolen
    /// copy of that does not help to guess them.
    #[must_use]
    pub fn pepper(&self) -> [u8; 32] {
        self.shared.secrets.key("invitation codes")
    }

    /// What the server is made of.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.shared.parts
    }

    /// What is kept.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.shared.parts.store
    }

    /// Time.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.shared.parts.clock
    }

    /// Randomness.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.shared.parts.entropy
    }

    /// Whose tokens are believed.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.shared.trust
    }

    /// What the pages for browsers are made of.
    #[must_use]
    pub fn web(&self) -> &Web {
        &self.shared.web
    }

    /// The claims connectors.
    #[must_use]
    pub fn connectors(&self) -> &Connectors {
        &self.shared.connectors
    }

    /// What the authorization server for displays keeps in memory.
    #[must_use]
    pub fn displays(&self) -> &Displays {
        &self.shared.displays
    }

    /// What verified tokens said.
    #[must_use]
    pub fn claims(&self) -> &ClaimsCache {
        &self.shared.claims
    }

    /// What is counted.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.shared.meters
    }

    /// Who is connected to the hubs of this replica.
    pub(crate) fn listeners(&self) -> &Listeners {
        &self.shared.listeners
    }

    /// Which displays are connected to this replica.
    #[must_use]
    pub fn presence(&self) -> &Presence {
        &self.shared.presence
    }

    /// How many requests an account may make.
    pub(crate) fn account_rate(&self) -> &RateLimit<AccountId> {
        &self.shared.accounts
    }

    /// When accounts were last noted as seen, by the monotonic clock.
    pub(crate) fn seen(&self) -> &Cache<AccountId, Duration> {
        &self.shared.seen
    }

    /// Forgets what this replica remembers of a person's tokens. Whoever ends all sign-ins of a
    /// person calls it; other replicas learn it from the store with the next request.
    pub fn forget(&self, person: &PersonKey) {
        self.shared.claims.forget(person);
    }
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppState(..)")
    }
}
