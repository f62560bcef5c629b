//! `POST /oauth2/introspect` (RFC 7662): another service asks what a display's token is worth.

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use luminous_domain::{AccessToken, DeviceId, FamilyId, Role, Timestamp, TokenId};
use luminous_oidc::bearer_token;
use luminous_store::{DeviceState, KeyThumbprint};
use luminous_wire::api::{DISPLAY_CLIENT_ID, DISPLAY_SCOPE, OAuthProblem};
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::form::Form;
use super::problem::answer;
use super::{OAuthError, secret_hash, token};
use crate::visit::Visit;
use crate::{ApiError, AppState};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(introspect_token))
}

/// What the form holds, for the document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read parameter by parameter; this describes it")]
struct IntrospectionRequest {
    /// The token that was presented to the service.
    token: String,
    /// Not looked at.
    token_type_hint: Option<String>,
}

/// What a token is worth (RFC 7662 section 2.2).
#[derive(Serialize, ToSchema)]
struct Introspection {
    /// Whether it is worth anything. If not, there is nothing else here.
    active: bool,
    #[serde(flatten)]
    said: Option<Said>,
}

/// What a live token says.
#[derive(Serialize, ToSchema)]
struct Said {
    scope: &'static str,
    client_id: &'static str,
    /// `DPoP`, or `refresh_token`, which is for no service.
    token_type: &'static str,
    iss: String,
    aud: String,
    /// The display.
    sub: DeviceId,
    jti: TokenId,
    family_id: FamilyId,
    role: Role,
    iat: i64,
    exp: i64,
    cnf: Confirmation,
}

/// The key that it is bound to: whoever presents the token must prove it (RFC 9449 section 6.2).
#[derive(Serialize, ToSchema)]
struct Confirmation {
    /// Its thumbprint.
    jkt: String,
}

/// What a display's token is worth
///
/// For other services, with the token in the file that `displays.introspection_token_file` names.
#[utoipa::path(
    post,
    path = "/oauth2/introspect",
    tag = "displays",
    security(("introspection" = [])),
    request_body(content = IntrospectionRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "That, or `active: false` and nothing else", body = Introspection),
        (status = 400, description = "`invalid_request`", body = OAuthProblem),
        (status = 401, description = "`invalid_client`: not the token of the setting", body = OAuthProblem),
        (status = 404, description = "`resource.not_found`: no token is configured"),
        (status = 503, description = "`temporarily_unavailable`: nobody can tell now", body = OAuthProblem),
    ),
)]
async fn introspect_token(
    State(state): State<AppState>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    // Without a token there is no such route here.
    let wanted = state.secrets().introspection().ok_or(ApiError::NotFound)?;
    let is_service = bearer_token(&headers)
        .is_ok_and(|given| bool::from(given.expose().as_bytes().ct_eq(wanted.as_bytes())));
    if !is_service {
        return Ok(OAuthError::Service.answer(&visit));
    }
    let said = introspect(&state, &headers, &body).await;
    let introspection = said.map(|said| Introspection { active: said.is_some(), said });
    Ok(answer(&visit, introspection.map(|body| (StatusCode::OK, Json(body)))))
}

async fn introspect(
    state: &AppState,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<Said>, OAuthError> {
    let form = Form::read(headers, body)?;
    let presented = form.required("token")?;
    // By its form, for a hint may be wrong and then both are searched anyway (RFC 7662 section 2.1):
    // access tokens have dots and refresh tokens none. `token_type` tells services which it is.
    if presented.contains('.') {
        access_token(state, presented).await
    } else {
        refresh_token(state, presented).await
    }
}

async fn access_token(state: &AppState, presented: &str) -> Result<Option<Said>, OAuthError> {
    let Ok(claims) = token::verify(state, &AccessToken::new(presented)) else { return Ok(None) };
    let standing = state.store().device_standing(claims.device, claims.token).await?;
    let stands = standing.is_some_and(|standing| {
        standing.device.state == DeviceState::Active
            && standing.device.family == claims.family
            && standing.key == claims.key
            && standing.is_token_live
    });
    // Within the leeway it is let in here, but is over by its own word.
    if !stands || state.clock().now() >= claims.expires_at {
        return Ok(None);
    }
    let times = (claims.issued_at, claims.expires_at);
    let ids = (claims.device, claims.token, claims.family);
    Ok(Some(said(state, "DPoP", ids, times, &claims.key)))
}

async fn refresh_token(state: &AppState, presented: &str) -> Result<Option<Said>, OAuthError> {
    let record = state.store().refresh_record(&secret_hash(presented)).await?;
    let live = record.filter(|record| record.device.state == DeviceState::Active);
    Ok(live.map(|record| {
        let times = (record.issued_at, record.expires_at);
        let ids = (record.device.id, record.token, record.device.family);
        said(state, "refresh_token", ids, times, &record.key)
    }))
}

fn said(
    state: &AppState,
    token_type: &'static str,
    (device, token, family): (DeviceId, TokenId, FamilyId),
    (issued_at, expires_at): (Timestamp, Timestamp),
    key: &KeyThumbprint,
) -> Said {
    Said {
        scope: DISPLAY_SCOPE,
        client_id: DISPLAY_CLIENT_ID,
        token_type,
        iss: state.config().base(),
        aud: state.config().base(),
        sub: device,
        jti: token,
        family_id: family,
        role: Role::Display,
        iat: issued_at.as_second(),
        exp: expires_at.as_second(),
        cnf: Confirmation { jkt: URL_SAFE_NO_PAD.encode(key) },
    }
}
