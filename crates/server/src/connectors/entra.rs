//! Entra's event `TokenIssuanceStart` for External ID tenants
//! (`entra-docs/docs/identity-platform/custom-claims-provider-reference.md`).
//!
//! The caller is Entra's own service with a token that it issued to itself for our application:
//! issuer, audience and `azp` say so (`custom-extension-overview.md`, "Protect your REST API"). The
//! application's registration must ask for version 2 tokens.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use luminous_domain::{AccessToken, Clock};
use luminous_oidc::{
    AudienceRule, HttpClient, Provider, ProviderConfig, TokenError, VerifyError, bearer_token,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FamilyClaims, Outcome, claims_of, count};
use crate::problem::ApiError;
use crate::state::AppState;

/// One tenant's.
pub(super) struct Connector {
    provider: Provider,
    caller: String,
}

impl Connector {
    pub(super) fn new(
        config: ProviderConfig,
        (audience, caller): (&str, &str),
        http: &Arc<dyn HttpClient>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let config = ProviderConfig { audiences: AudienceRule::only(audience), ..config };
        let provider = Provider::new(config, Arc::clone(http), Arc::clone(clock));
        Self { provider, caller: caller.to_owned() }
    }
}

/// What counts of the question.
#[derive(Deserialize)]
struct Question {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    tenant_id: String,
    authentication_context: Context,
}

#[derive(Deserialize)]
struct Context {
    user: User,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

/// Answer Entra who somebody is in their family
///
/// Answers who somebody is in their family.
#[utoipa::path(
    post,
    path = "/connectors/entra/token-issuance-start",
    tag = "connectors",
    security(("entra" = [])),
    request_body(content = Value, description = "As the provider sends it"),
    responses(
        (status = 200, description = "The claims, if there are any", body = Value),
        (status = 401, description = "`token.*`: not a token of Entra for this extension"),
        (status = 404, description = "`resource.not_found`: it is not configured"),
        (status = 413, description = "`request.too_large`"),
    ),
)]
pub(super) async fn token_issuance_start(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let connectors = &state.connectors().entra;
    if connectors.is_empty() {
        return Err(ApiError::NotFound);
    }
    let token = bearer_token(&headers).map_err(VerifyError::from);
    let caller = match token {
        Ok(token) => caller(connectors, &token).await,
        Err(error) => Err(error),
    };
    let (claims, outcome) = match caller {
        Ok(connector) => look_up(&state, connector, &body).await?,
        Err(error @ VerifyError::Token(_)) => {
            tracing::warn!(code = error.code(), "somebody else than Entra asked for claims");
            count(&state, "entra", Outcome::Refused);
            return Err(error.into());
        }
        // It may well be Entra, which cannot be proved just now: no claims do no harm to anybody.
        Err(error) => {
            tracing::error!(code = error.code(), %error, "Entra is answered without claims");
            (None, Outcome::Failed)
        }
    };
    count(&state, "entra", outcome);
    Ok(Json(answer(claims)))
}

/// The tenant whose Entra asks.
async fn caller<'a>(
    connectors: &'a [Connector],
    token: &AccessToken,
) -> Result<&'a Connector, VerifyError> {
    let mut refused = VerifyError::Token(TokenError::IssuerUntrusted);
    for connector in connectors {
        match connector.provider.verify_application_token(token, &connector.caller).await {
            Ok(()) => return Ok(connector),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

async fn look_up(
    state: &AppState,
    connector: &Connector,
    body: &[u8],
) -> Result<(Option<FamilyClaims>, Outcome), ApiError> {
    let Ok(Question { data }) = serde_json::from_slice(body) else {
        tracing::warn!("Entra asked something else than who somebody is");
        return Ok((None, Outcome::Unreadable));
    };
    let Some(tenant) = connector.provider.tenant() else { return Ok((None, Outcome::Failed)) };
    if !data.tenant_id.eq_ignore_ascii_case(tenant.as_str()) {
        tracing::warn!("one tenant's Entra asked about another tenant's person");
        count(state, "entra", Outcome::Refused);
        return Err(VerifyError::Token(TokenError::IssuerUntrusted).into());
    }
    Ok(claims_of(state, tenant, &data.authentication_context.user.id).await)
}

fn answer(claims: Option<FamilyClaims>) -> Value {
    let claims = match claims {
        Some(FamilyClaims { family, role }) => {
            json!({ "family_id": family.to_string(), "role": role.as_str() })
        }
        None => json!({}),
    };
    json!({
        "data": {
            "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData",
            "actions": [{
                "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken",
                "claims": claims,
            }],
        },
    })
}
