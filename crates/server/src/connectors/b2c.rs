//! Azure AD B2C's API connector, step "Before including application claims in token"
//! (`azure-docs/articles/active-directory-b2c/add-api-connector-token-enrichment.md`).
//!
//! B2C asks at sign-in only: a refresh repeats what was answered then. That is one more reason why
//! the database counts and not the token.

use aws_lc_rs::digest;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use luminous_domain::TenantId;
use luminous_oidc::Provider;
use serde::Deserialize;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use super::{FamilyClaims, Outcome, claims_of, count, is_b2c};
use crate::config::{Config, ConfigError, Secrets};
use crate::problem::ApiError;
use crate::state::AppState;

/// The connector of the first B2C tenant configured. Its credentials are that tenant's, so it is
/// asked about that tenant's people.
pub(super) struct Connector {
    /// The number of the issuer.
    issuer: usize,
    /// SHA-256 of `user:password`, so that comparing takes the same time whatever is presented.
    credentials: [u8; 32],
    prefix: String,
}

impl Connector {
    pub(super) fn new(config: &Config, secrets: &Secrets) -> Result<Option<Self>, ConfigError> {
        let settings = &config.connectors;
        let (user, password) = match (&settings.b2c_username, secrets.b2c_connector()) {
            (Some(user), Some(password)) => (user, password),
            (None, None) => return Ok(None),
            _ => {
                let problem = "it goes together with b2c_password_file";
                return Err(ConfigError::new("connectors.b2c_username", problem));
            }
        };
        let of_b2c = |provider: luminous_oidc::ProviderConfig| is_b2c(&provider.authority);
        let mut issuers = config.issuers.iter();
        let issuer = issuers.position(|one| one.provider(config.profile).is_ok_and(of_b2c));
        let issuer = issuer.ok_or_else(|| {
            ConfigError::new("connectors.b2c_username", "no issuer is an Azure AD B2C tenant")
        })?;
        let credentials = sha256(format!("{user}:{password}").as_bytes());
        Ok(Some(Self { issuer, credentials, prefix: settings.b2c_claim_prefix.clone() }))
    }

    /// RFC 7617 section 2.
    fn is_presented_by(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let Some((scheme, encoded)) = value.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            return false;
        };
        let Ok(presented) = STANDARD.decode(encoded.trim()) else { return false };
        scheme.eq_ignore_ascii_case("basic")
            && bool::from(sha256(&presented).ct_eq(&self.credentials))
    }

    fn answer(&self, claims: Option<FamilyClaims>) -> Map<String, Value> {
        let mut answer = Map::new();
        answer.insert("version".into(), "1.0.0".into());
        answer.insert("action".into(), "Continue".into());
        if let Some(FamilyClaims { family, role }) = claims {
            answer.insert(format!("{}family_id", self.prefix), family.to_string().into());
            answer.insert(format!("{}role", self.prefix), role.as_str().into());
        }
        answer
    }
}

/// What counts of the question. B2C leaves out what has no value, and may add anything.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    object_id: Option<String>,
}

/// Answer B2C who somebody is in their family
///
/// Answers who somebody is in their family; always `Continue`.
#[utoipa::path(
    post,
    path = "/connectors/b2c/claims",
    tag = "connectors",
    security(("b2c" = [])),
    request_body(content = Value, description = "As the provider sends it"),
    responses(
        (status = 200, description = "The claims, if there are any", body = Value),
        (status = 401, description = "`connector.refused`: not the configured user and password"),
        (status = 404, description = "`resource.not_found`: it is not configured"),
        (status = 413, description = "`request.too_large`"),
    ),
)]
pub(super) async fn claims(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Map<String, Value>>, ApiError> {
    let connector = state.connectors().b2c.as_ref().ok_or(ApiError::NotFound)?;
    if !connector.is_presented_by(&headers) {
        tracing::warn!("somebody else than B2C's connector asked for claims");
        count(&state, "b2c", Outcome::Refused);
        return Err(ApiError::NotTheConnector);
    }
    let (claims, outcome) = look_up(&state, connector, &body).await;
    count(&state, "b2c", outcome);
    Ok(Json(connector.answer(claims)))
}

async fn look_up(
    state: &AppState,
    connector: &Connector,
    body: &[u8],
) -> (Option<FamilyClaims>, Outcome) {
    let question: Option<Question> = serde_json::from_slice(body).ok();
    let Some(object) = question.and_then(|question| question.object_id) else {
        tracing::warn!(
            "B2C's connector asked about nobody: is it set to the step before the token?"
        );
        return (None, Outcome::Unreadable);
    };
    let issuer = state.trust().issuers().get(connector.issuer);
    let Some(tenant) = tenant(issuer.map(|issuer| &issuer.sign_in)).await else {
        tracing::error!("B2C's connector is answered without claims: its tenant is not known yet");
        return (None, Outcome::Failed);
    };
    claims_of(state, tenant, &object).await
}

/// The tenant's GUID, which only the metadata tells.
async fn tenant(provider: Option<&Provider>) -> Option<TenantId> {
    let provider = provider?;
    if provider.tenant().is_none() {
        tokio::time::timeout(super::PATIENCE, provider.metadata()).await.ok()?.ok()?;
    }
    provider.tenant()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
