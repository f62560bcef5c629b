//! The running emulator's state, shared by the HTTP side and the control.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use url::Url;

use crate::address::Endpoint;
use crate::config::{Config, TenantKind};
use crate::interaction::Interactions;
use crate::jwt::{TokenSpec, at_hash};
use crate::keys::{KeyError, KeyRing, KeyState, SigningKey};
use crate::lies::{self, Lies, TokenLie, Truth};
use crate::mailbox::Mailbox;
use crate::realm::Realm;
use crate::scope::Scopes;
use crate::store::{Store, StoreError};
use crate::tokens::{self, Occasion};

/// Something that happened and that a test may want to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An account was made on the sign-up page.
    SignedUp,
    /// A password was right.
    SignedIn,
    /// A browser session answered without a page.
    SignedInSilently,
    /// A password was wrong, or the address unknown.
    PasswordRefused,
    /// An address was locked or found locked.
    Locked,
    /// A code was redeemed.
    CodeRedeemed,
    /// A code was presented a second time.
    CodeReused,
    /// A refresh token was redeemed.
    Refreshed,
    /// A spent refresh token was presented and its family revoked.
    RefreshReuseDetected,
    /// A browser was signed out.
    SignedOut,
    /// A forgotten password was replaced.
    PasswordReset,
    /// A profile was changed.
    ProfileEdited,
    /// A second factor was enrolled.
    SecondFactorEnrolled,
    /// A one-time code was right.
    SecondFactorShown,
    /// A one-time code was wrong, used or locked.
    SecondFactorRefused,
    /// The connector or the extension was asked for claims.
    ClaimsAsked,
    /// It answered nothing that could be used.
    ClaimsRefused,
    /// A token was issued to a client that acts for nobody.
    DaemonTokenIssued,
}

/// One request, without anything secret: of its parameters only the names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestLine {
    /// When it came.
    pub at: Timestamp,
    /// Its method.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
    /// The endpoint it is for.
    pub endpoint: Endpoint,
    /// `grant_type` of a token request.
    pub grant_type: Option<String>,
    /// Names of the parameters of query and body.
    pub parameters: Vec<String>,
}

/// At most this many requests are remembered; the counters go on.
const LOG_LENGTH: usize = 10_000;

#[derive(Default)]
struct Log {
    lines: Vec<RequestLine>,
    requests: HashMap<Endpoint, u64>,
    events: HashMap<Event, u64>,
}

/// The running emulator.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) base: Url,
    pub(crate) store: Store,
    pub(crate) interactions: Mutex<Interactions>,
    pub(crate) lies: Mutex<Lies>,
    pub(crate) mailbox: Mutex<Mailbox>,
    /// For the calls to connectors: no redirects, no proxy.
    pub(crate) outgoing: reqwest::Client,
    keys: Mutex<KeyRing>,
    rogue: OnceLock<SigningKey>,
    log: Mutex<Log>,
    /// Changes with each request, for those who wait for one.
    requested: watch::Sender<u64>,
    /// Changes when held requests may go on.
    pub(crate) released: watch::Sender<u64>,
}

/// Takes a lock; a panic elsewhere does not make the value unusable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tokens of one answer.
pub(crate) struct Minted {
    pub(crate) id_token: Option<String>,
    pub(crate) access_token: Option<String>,
}

impl Core {
    pub(crate) fn new(
        config: Config,
        base: Url,
        store: Store,
        keys: KeyRing,
        outgoing: reqwest::Client,
    ) -> Self {
        Self {
            config,
            base,
            store,
            interactions: Mutex::default(),
            lies: Mutex::default(),
            mailbox: Mutex::default(),
            outgoing,
            keys: Mutex::new(keys),
            rogue: OnceLock::new(),
            log: Mutex::default(),
            requested: watch::Sender::new(0),
            released: watch::Sender::new(0),
        }
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.config.clock.now().as_second()
    }

    pub(crate) fn keys(&self) -> KeyRing {
        lock(&self.keys).clone()
    }

    /// Changes the key ring, in the store first.
    pub(crate) fn change_keys(&self, change: impl FnOnce(&mut KeyRing)) -> Result<(), StoreError> {
        let mut keys = lock(&self.keys);
        let mut changed = keys.clone();
        change(&mut changed);
        self.store.save_key_ring(&changed)?;
        *keys = changed;
        Ok(())
    }

    pub(crate) fn sign(&self, spec: &TokenSpec) -> Result<String, KeyError> {
        let current = self.keys().current().clone();
        let rogue = match self.rogue.get() {
            Some(rogue) => rogue,
            None => {
                let made = SigningKey::generate(0, KeyState::Old)?;
                self.rogue.get_or_init(|| made)
            }
        };
        spec.sign(&current, rogue)
    }

    /// Makes the tokens of one answer, with the lies whose turn it is.
    pub(crate) fn mint(
        &self,
        realm: &Realm,
        scopes: &Scopes,
        occasion: &Occasion<'_>,
    ) -> Result<Minted, KeyError> {
        let lies = lock(&self.lies).token.take_all();
        let sign = |claims, is_id_token| {
            let spec = TokenSpec::new(claims);
            self.sign(&self.falsify(&lies, spec, realm, is_id_token, occasion.now))
        };
        let access_token = match &scopes.resource {
            Some(resource) => {
                let claims = tokens::access_token(realm, &self.config, occasion, resource);
                Some(sign(claims, false)?)
            }
            None => None,
        };
        let id_token = if scopes.openid {
            let hash = access_token.as_deref().map(at_hash);
            Some(sign(tokens::id_token(realm, &self.config, occasion, hash), true)?)
        } else {
            None
        };
        Ok(Minted { id_token, access_token })
    }

    fn falsify(
        &self,
        lies: &[TokenLie],
        spec: TokenSpec,
        realm: &Realm,
        is_id_token: bool,
        now: i64,
    ) -> TokenSpec {
        let others = || std::iter::once(&self.config.tenant).chain(&self.config.other_tenants);
        let other_tenant = others()
            .find(|tenant| tenant.kind == TenantKind::B2c && tenant.id != realm.tenant.id)
            .map_or("no-other-tenant", |tenant| &tenant.id);
        let other_policy = self.config.policies.iter().find(|policy| policy.name != realm.policy);
        let truth = Truth {
            now,
            is_id_token,
            own_tenant: &realm.tenant.id,
            other_tenant,
            other_policy: other_policy.map_or("B2C_1_other", |policy| &policy.name),
        };
        lies.iter().fold(spec, |spec, lie| lies::falsify(*lie, spec, &truth))
    }

    /// Notes a request.
    pub(crate) fn note_request(&self, line: RequestLine) {
        tracing::info!(method = %line.method, path = %line.path, endpoint = ?line.endpoint, "request");
        let mut log = lock(&self.log);
        *log.requests.entry(line.endpoint).or_default() += 1;
        if log.lines.len() < LOG_LENGTH {
            log.lines.push(line);
        }
        drop(log);
        self.requested.send_modify(|count| *count += 1);
    }

    /// Notes an event.
    pub(crate) fn note(&self, event: Event) {
        tracing::info!(?event, "event");
        *lock(&self.log).events.entry(event).or_default() += 1;
    }

    pub(crate) fn requests(&self, endpoint: Endpoint) -> u64 {
        lock(&self.log).requests.get(&endpoint).copied().unwrap_or_default()
    }

    pub(crate) fn count(&self, event: Event) -> u64 {
        lock(&self.log).events.get(&event).copied().unwrap_or_default()
    }

    pub(crate) fn request_log(&self) -> Vec<RequestLine> {
        lock(&self.log).lines.clone()
    }

    /// Waits until `endpoint` has seen `count` requests since the start.
    pub(crate) async fn wait_for_requests(&self, endpoint: Endpoint, count: u64) {
        let mut requested = self.requested.subscribe();
        while self.requests(endpoint) < count {
            if requested.changed().await.is_err() {
                return;
            }
        }
    }
}
