//! Remembers the provider's keys, and decides when to ask for them again.
//!
//! A token with a known key never waits for a flood of tokens with unknown ones: the set is asked
//! for at most once in 30 s, whatever came of it, and by one request at a time. A provider that
//! fails is bridged with the last good set for a day; after that nothing is accepted, and the
//! failure is the provider's, never the token's.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use luminous_domain::Clock;

use crate::config::ProviderConfig;
use crate::discovery::{self, DiscoveryError};
use crate::flight::Runway;
use crate::http::HttpClient;
use crate::jose::{DroppedKey, Jws, KeySet};
use crate::metadata::MetadataCache;
use crate::provider::VerifyError;
use crate::token::TokenError;

/// The set is never asked for twice within this time.
const COOL_DOWN: Duration = Duration::from_secs(30);
/// The same as long as there is no set at all: nothing can be verified meanwhile.
const COLD_COOL_DOWN: Duration = Duration::from_secs(5);
/// A set this old is used only while asking for a new one fails; so a removed key ends with it.
const MAX_AGE: Duration = Duration::from_secs(600);
/// From here on one caller asks for a new set while the others go on with the old.
const REFRESH_AGE: Duration = Duration::from_secs(570);
/// A set this old is not used at all.
const STALE_AGE: Duration = Duration::from_secs(24 * 3600);
/// How long a key id that was asked for and not found is known to be absent.
const ABSENT_FOR: Duration = Duration::from_secs(300);
/// How many absent key ids are remembered.
const ABSENT_MOST: usize = 128;

/// Why the provider's keys cannot be had. A failure of the provider, never of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// There is no set of keys young enough to judge by.
    #[error("the provider's keys cannot be had: {0}")]
    Unavailable(KeysProblem),
}

/// Why the last refresh of the keys brought none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysProblem {
    /// The metadata or the key set could not be fetched.
    #[error(transparent)]
    Fetch(DiscoveryError),
    /// What came is not a key set.
    #[error("the key set cannot be read")]
    Malformed,
    /// No usable key was in it.
    #[error("the key set holds no usable key")]
    Empty,
}

impl KeysError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "keys.unavailable",
        }
    }
}

impl KeysProblem {
    /// The stable code, for alerts.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.code(),
            Self::Malformed => "keys.refresh_malformed",
            Self::Empty => "keys.refresh_empty",
        }
    }
}

/// How the keys stand, for diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysReport {
    /// How old the set in use is; `None` when there is none.
    pub age: Option<Duration>,
    /// How many keys of it can be used.
    pub usable: usize,
    /// The keys that cannot, and why.
    pub dropped: Vec<DroppedKey>,
    /// What went wrong at the last refresh.
    pub problem: Option<KeysProblem>,
}

type Answer = Result<Arc<KeySet>, KeysProblem>;

/// The keys of one provider and policy.
pub(crate) struct KeyCache {
    config: Arc<ProviderConfig>,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    metadata: Arc<MetadataCache>,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    attempt: Option<Attempt>,
    absent: VecDeque<(String, Duration)>,
    runway: Runway<Answer>,
}

struct Held {
    set: Arc<KeySet>,
    /// When it was asked for.
    at: Duration,
}

struct Attempt {
    ended: Duration,
    problem: Option<KeysProblem>,
}

/// What to do about a token that names a key.
enum Next {
    Use(Arc<KeySet>),
    Ask,
    KidUnknown,
    Unavailable(KeysProblem),
}

impl State {
    /// What to do for a token with this key id, or (`None`) to be ready for the next one.
    fn next(&self, kid: Option<&str>, now: Duration) -> Next {
        let problem = self.attempt.as_ref().and_then(|attempt| attempt.problem.as_ref());
        let held = self.held.as_ref().filter(|held| now < held.at + STALE_AGE);
        let wait = if held.is_some() { COOL_DOWN } else { COLD_COOL_DOWN };
        let cooling = self.attempt.as_ref().filter(|attempt| now < attempt.ended + wait);
        let Some(Held { set, at }) = held else {
            return match (cooling, problem) {
                (Some(_), Some(problem)) => Next::Unavailable(problem.clone()),
                _ => Next::Ask,
            };
        };
        if kid.is_none_or(|kid| set.has(kid)) {
            let others_may_pass = problem.is_some() || now < *at + MAX_AGE;
            let wait = now >= *at + REFRESH_AGE
                && cooling.is_none()
                && !(others_may_pass && self.runway.is_busy(now));
            return if wait { Next::Ask } else { Next::Use(set.clone()) };
        }
        match (cooling, problem) {
            _ if kid.is_some_and(|kid| self.is_absent(kid, now)) => Next::KidUnknown,
            (None, _) => Next::Ask,
            (Some(_), None) => Next::KidUnknown,
            // The key may be new, and we cannot look: that says nothing about the token.
            (Some(_), Some(problem)) => Next::Unavailable(problem.clone()),
        }
    }

    fn is_absent(&self, kid: &str, now: Duration) -> bool {
        self.absent.iter().any(|(absent, since)| absent == kid && now < *since + ABSENT_FOR)
    }

    fn remember_absent(&mut self, kid: &str, now: Duration) {
        self.absent.retain(|(absent, _)| absent != kid);
        if self.absent.len() == ABSENT_MOST {
            self.absent.pop_front();
        }
        self.absent.push_back((kid.to_owned(), now));
    }
}

impl KeyCache {
    pub(crate) fn new(
        config: Arc<ProviderConfig>,
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        metadata: Arc<MetadataCache>,
    ) -> Self {
        Self { config, http, clock, metadata, state: RwLock::default() }
    }

    /// Judges the signature of `jws` by the key it names.
    pub(crate) async fn verify(&self, jws: &Jws<'_>) -> Result<(), VerifyError> {
        let kid = jws.kid().ok_or(TokenError::KidUnknown)?;
        Ok(self.set_for(Some(kid)).await?.verify(jws)?)
    }

    /// Makes sure that there is a set, young enough.
    pub(crate) async fn warm(&self) -> Result<(), VerifyError> {
        self.set_for(None).await.map(drop)
    }

    async fn set_for(&self, kid: Option<&str>) -> Result<Arc<KeySet>, VerifyError> {
        let mut next = self.read().next(kid, self.clock.elapsed());
        if matches!(next, Next::Ask) {
            self.ask_for(kid).await;
            let now = self.clock.elapsed();
            let mut state = self.write();
            next = state.next(kid, now);
            if let (Next::KidUnknown, Some(kid)) = (&next, kid) {
                state.remember_absent(kid, now);
            }
        }
        match next {
            Next::Use(set) => Ok(set),
            Next::KidUnknown => Err(TokenError::KidUnknown.into()),
            Next::Unavailable(problem) => Err(unavailable(problem)),
            // Only when the clock leapt over a whole cool-down in between.
            Next::Ask => Err(KeysError::Unavailable(KeysProblem::Empty).into()),
        }
    }

    async fn ask_for(&self, kid: Option<&str>) {
        let flight = {
            let mut state = self.write();
            let now = self.clock.elapsed();
            // Somebody else's request may have ended between the look and the lock.
            if !matches!(state.next(kid, now), Next::Ask) {
                return;
            }
            state.runway.board(now, || {
                let (config, http) = (self.config.clone(), self.http.clone());
                let metadata = self.metadata.clone();
                async move { fetch(&config, &*http, &metadata).await }
            })
        };
        let answer = flight.outcome().await;
        let mut state = self.write();
        if !state.runway.land(&flight) {
            return;
        }
        let problem = answer.as_ref().err().cloned();
        if let Some(problem) = &problem {
            tracing::warn!(code = problem.code(), %problem, "the provider's keys were not renewed");
        }
        if let Ok(set) = answer {
            state.held = Some(Held { set, at: flight.started() });
        }
        state.attempt = Some(Attempt { ended: self.clock.elapsed(), problem });
    }

    /// How the keys stand.
    pub(crate) fn report(&self) -> KeysReport {
        let state = self.read();
        let held = state.held.as_ref();
        KeysReport {
            age: held.map(|held| self.clock.elapsed().saturating_sub(held.at)),
            usable: held.map_or(0, |held| held.set.len()),
            dropped: held.map(|held| held.set.dropped().to_vec()).unwrap_or_default(),
            problem: state.attempt.as_ref().and_then(|attempt| attempt.problem.clone()),
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A provider that must not be believed is told apart from one that does not answer.
fn unavailable(problem: KeysProblem) -> VerifyError {
    use DiscoveryError::{HostNotAllowed, IssuerMismatch, Redirect};
    match problem {
        KeysProblem::Fetch(error @ (Redirect | IssuerMismatch | HostNotAllowed { .. })) => {
            error.into()
        }
        problem => KeysError::Unavailable(problem).into(),
    }
}

async fn fetch(config: &ProviderConfig, http: &dyn HttpClient, metadata: &MetadataCache) -> Answer {
    let place = metadata.get().await.map_err(KeysProblem::Fetch)?;
    let body = discovery::get(http, &place.jwks_uri).await.map_err(|error| {
        metadata.doubt();
        KeysProblem::Fetch(error)
    })?;
    let set = KeySet::parse(&body, &config.algorithms).map_err(|_| KeysProblem::Malformed)?;
    if set.is_empty() { Err(KeysProblem::Empty) } else { Ok(Arc::new(set)) }
}
