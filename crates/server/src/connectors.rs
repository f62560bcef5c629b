//! What the identity provider asks us while it issues a token: who this person is in their family.
//!
//! The answer goes into the token as claims. They are a convenience: what counts at the door is the
//! membership in our own database, and claims only narrow it. So whatever goes wrong on our side is
//! answered with no claims instead of an error, which would keep people from signing in; the log and
//! the figures tell of it. Who may ask is another matter: without the right credentials there is no
//! answer.

mod b2c;
mod entra;

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{Clock, FamilyId, ObjectId, PersonKey, Role, TenantId};
use luminous_oidc::{Authority, HttpClient};
use luminous_store::MemberState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::{Config, ConfigError, Secrets};
use crate::state::AppState;

/// Entra gives up after two seconds and B2C after ten, and then nobody signs in.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The connectors, as they were configured.
pub struct Connectors {
    b2c: Option<b2c::Connector>,
    entra: Vec<entra::Connector>,
}

impl Connectors {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// [`ConfigError`] when a connector's settings do not fit the issuers.
    pub fn new(
        config: &Config,
        secrets: &Secrets,
        http: &Arc<dyn HttpClient>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let mut entra = Vec::new();
        for (at, issuer) in config.issuers.iter().enumerate() {
            let provider = issuer.provider(config.profile).map_err(|error| {
                ConfigError::new(format!("issuers[{at}].address"), error.to_string())
            })?;
            if let (Some(audience), false) =
                (&config.connectors.entra_audience, is_b2c(&provider.authority))
            {
                let caller = &config.connectors.entra_caller;
                entra.push(entra::Connector::new(provider, (audience, caller), http, clock));
            }
        }
        Ok(Self { b2c: b2c::Connector::new(config, secrets)?, entra })
    }
}

/// The connectors' routes. Without its settings a connector is not there.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(b2c::claims)).routes(routes!(entra::token_issuance_start))
}

/// What a token may say about a person's family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FamilyClaims {
    family: FamilyId,
    role: Role,
}

/// How a question was answered, for the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Claims,
    NoPlace,
    Unreadable,
    Failed,
    Refused,
}

impl Outcome {
    const fn label(self) -> &'static str {
        match self {
            Self::Claims => "claims",
            Self::NoPlace => "no_place",
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }
}

/// The claims for `object`, a person of `tenant`. The tenant is the connector's own, never one that
/// the request names: the connector of one tenant cannot ask about another's people.
async fn claims_of(
    state: &AppState,
    tenant: TenantId,
    object: &str,
) -> (Option<FamilyClaims>, Outcome) {
    let person = PersonKey { tenant, object: ObjectId::new(object) };
    let standing = match tokio::time::timeout(PATIENCE, state.store().standing(&person)).await {
        Ok(Ok(standing)) => standing,
        Ok(Err(error)) => {
            tracing::error!(code = error.code(), %error, "a connector answers without claims");
            return (None, Outcome::Failed);
        }
        Err(_) => {
            tracing::error!("a connector answers without claims: the store takes too long");
            return (None, Outcome::Failed);
        }
    };
    let place = standing.and_then(|standing| standing.membership);
    match place.filter(|place| place.state == MemberState::Active) {
        Some(place) => {
            let claims = FamilyClaims { family: place.family.id, role: place.role };
            (Some(claims), Outcome::Claims)
        }
        None => (None, Outcome::NoPlace),
    }
}

/// Too many for the audit log, so they are only counted.
fn count(state: &AppState, connector: &str, outcome: Outcome) {
    let labels = [("connector", connector), ("outcome", outcome.label())];
    state.meters().count("luminous_connector_calls_total", &labels);
}

const fn is_b2c(authority: &Authority) -> bool {
    matches!(authority, Authority::B2c { .. })
}
