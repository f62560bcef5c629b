//! Remembers what the provider says about itself.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use luminous_domain::Clock;

use crate::config::{ExpectedIssuer, ProviderConfig};
use crate::discovery::{self, DiscoveryError, ProviderMetadata};
use crate::flight::Runway;
use crate::http::HttpClient;

/// Metadata older than this is asked for again; the old goes on if that fails.
const MAX_AGE: Duration = Duration::from_secs(12 * 3600);
type Answer = Result<Arc<ProviderMetadata>, DiscoveryError>;

/// The metadata of one provider and policy.
pub(crate) struct MetadataCache {
    config: Arc<ProviderConfig>,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    known: Option<Known>,
    runway: Runway<Answer>,
}

struct Known {
    metadata: Arc<ProviderMetadata>,
    /// When it was asked for; `None` once it is in doubt.
    at: Option<Duration>,
}

impl MetadataCache {
    pub(crate) fn new(
        config: Arc<ProviderConfig>,
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { config, http, clock, state: RwLock::default() }
    }

    /// The issuer: configured, or pinned at first contact.
    pub(crate) fn issuer(&self) -> Option<String> {
        match &self.config.expected_issuer {
            ExpectedIssuer::Exact(exact) => Some(exact.clone()),
            ExpectedIssuer::Discovered => self.known().map(|known| known.issuer.clone()),
        }
    }

    /// The metadata: as known, else asked for now. A failure is not remembered, so that a person who
    /// tries again gets a new try; tokens that come in at any rate are held back by the keys'
    /// cool-down.
    pub(crate) async fn get(&self) -> Answer {
        match self.young() {
            Some(known) => Ok(known),
            None => self.refresh().await,
        }
    }

    /// The keys are not where the metadata says: ask again at the next occasion.
    pub(crate) fn doubt(&self) {
        if let Some(known) = &mut self.write().known {
            known.at = None;
        }
    }

    async fn refresh(&self) -> Answer {
        let pinned = self.issuer();
        let flight = self.write().runway.board(self.clock.elapsed(), || {
            let (config, http) = (self.config.clone(), self.http.clone());
            async move { discovery::fetch(&config, pinned.as_deref(), &*http).await.map(Arc::new) }
        });
        let answer = flight.outcome().await;
        let mut state = self.write();
        if state.runway.land(&flight) {
            match &answer {
                Ok(metadata) => {
                    let at = Some(flight.started());
                    state.known = Some(Known { metadata: metadata.clone(), at });
                }
                Err(error) => {
                    tracing::warn!(code = error.code(), %error, "discovery failed");
                }
            }
        }
        match (answer, &state.known) {
            (Err(_), Some(last_good)) => Ok(last_good.metadata.clone()),
            (answer, _) => answer,
        }
    }

    fn known(&self) -> Option<Arc<ProviderMetadata>> {
        self.read().known.as_ref().map(|known| known.metadata.clone())
    }

    fn young(&self) -> Option<Arc<ProviderMetadata>> {
        let now = self.clock.elapsed();
        let state = self.read();
        let known = state.known.as_ref()?;
        (now < known.at? + MAX_AGE).then(|| known.metadata.clone())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
