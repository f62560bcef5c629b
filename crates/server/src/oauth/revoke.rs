//! `POST /oauth2/revoke` (RFC 7009): a display gives its tokens back.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use luminous_wire::api::OAuthProblem;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::form::Form;
use super::problem::answer;
use super::{OAuthError, proofs, secret_hash};
use crate::AppState;
use crate::visit::Visit;

const PATH: &str = "/oauth2/revoke";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(revoke_token))
}

/// What the form holds, for the document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read parameter by parameter; this describes it")]
struct RevocationRequest {
    /// The display's refresh token.
    token: String,
    /// Not looked at.
    token_type_hint: Option<String>,
    /// `luminous-display`.
    client_id: String,
}

/// Give the display's tokens back
///
/// The display is revoked. A token that nobody knows, or of another key, is fine as well. Access
/// tokens end with the refresh token; one by itself is not revoked.
#[utoipa::path(
    post,
    path = "/oauth2/revoke",
    tag = "displays",
    security(("dpop" = [])),
    request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "It is dead now, if it was alive"),
        (status = 400, description = "In the words of RFC 6749, 7009 and 9449", body = OAuthProblem),
        (status = 401, description = "`invalid_client`", body = OAuthProblem),
        (status = 503, description = "`temporarily_unavailable`: try again", body = OAuthProblem),
    ),
)]
async fn revoke_token(
    State(state): State<AppState>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let revoked = revoke(&state, &visit, &headers, &body).await;
    answer(&visit, revoked.map(|()| StatusCode::OK))
}

async fn revoke(
    state: &AppState,
    visit: &Visit,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), OAuthError> {
    let form = Form::read(headers, body)?;
    form.check_client()?;
    let token = form.required("token")?;
    // Not remembered: giving the same token back twice is giving it back once.
    let proof = proofs::of_request(state, headers, &Method::POST, PATH)?;
    if token.contains('.') {
        // A JWT: an access token (RFC 7009 section 2.2.1).
        return Err(OAuthError::TokenType);
    }
    let (store, hash) = (state.store(), secret_hash(token));
    Ok(store.give_back_token(&hash, proof.thumbprint(), visit.network()).await?)
}
