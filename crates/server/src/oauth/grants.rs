//! `POST /oauth2/token`: the device code grant (RFC 8628 section 3.4) and refreshes (RFC 6749
//! section 6), each bound to the display's key (RFC 9449 section 5).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use bytes::Bytes;
use http::{HeaderMap, Method};
use luminous_domain::{RefreshToken, TokenId};
use luminous_oidc::dpop::JudgedProof;
use luminous_store::{
    DeviceGrant, Failure, KeyThumbprint, Network, NewToken, Redeemed, Redemption, Refresh, Refusal,
};
use luminous_wire::api::{DEVICE_CODE_GRANT, DISPLAY_SCOPE, OAuthProblem, TokenAnswer};
use tracing::Instrument as _;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::form::Form;
use super::problem::{Grant, answer};
use super::proofs::Used;
use super::{OAuthError, TOKEN_PATH, proofs, seconds, secret_hash, token};
use crate::AppState;
use crate::visit::Visit;

/// A day.
const DAY_S: u64 = 24 * 3600;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(give_tokens))
}

/// What the form holds, for the document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read parameter by parameter; this describes it")]
struct TokenRequest {
    /// The device code grant (RFC 8628) or `refresh_token`.
    grant_type: String,
    /// `luminous-display`.
    client_id: String,
    /// With the device code grant.
    device_code: Option<String>,
    /// With a refresh.
    refresh_token: Option<String>,
    /// `display`.
    scope: Option<String>,
}

/// Give a display its tokens
///
/// By its device code once somebody confirmed it (RFC 8628), or by its refresh token. A refresh token
/// is followed by another; it is dead once that one was used, and using it again then revokes the
/// display. The `DPoP` header holds a proof of the display's key (RFC 9449).
#[utoipa::path(
    post,
    path = "/oauth2/token",
    tag = "displays",
    security(("dpop" = [])),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens", body = TokenAnswer),
        (status = 400, description = "In the words of RFC 6749, 8628 and 9449", body = OAuthProblem),
        (status = 401, description = "`invalid_client`", body = OAuthProblem),
        (status = 503, description = "`temporarily_unavailable`: the display keeps what it has", body = OAuthProblem),
    ),
)]
async fn give_tokens(
    State(state): State<AppState>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let given = give(&state, &visit, &headers, &body).await;
    answer(&visit, given.map(Json))
}

async fn give(
    state: &AppState,
    visit: &Visit,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<TokenAnswer, OAuthError> {
    let form = Form::read(headers, body)?;
    let grant = form.required("grant_type")?;
    form.check_client()?;
    form.check_scope()?;
    match grant {
        DEVICE_CODE_GRANT => {
            let code = form.required("device_code")?;
            let proof = proofs::of_request(state, headers, &Method::POST, TOKEN_PATH)?;
            redeem(state, code, proof, true, visit.network()).await
        }
        "refresh_token" => {
            let presented = form.required("refresh_token")?;
            let proof = proofs::of_request(state, headers, &Method::POST, TOKEN_PATH)?;
            refresh(state, presented, proof, visit.network()).await
        }
        _ => Err(OAuthError::GrantType),
    }
}

/// The first tokens.
pub(super) async fn redeem(
    state: &AppState,
    device_code: &str,
    proof: JudgedProof,
    is_poll: bool,
    network: Network,
) -> Result<TokenAnswer, OAuthError> {
    let key = *proof.thumbprint();
    let used = Used::once(state, proof)?;
    let next = Next::draw(state)?;
    let device_code = secret_hash(device_code);
    let redemption = Redemption { device_code, key, token: next.new, is_poll, network };
    let store = Arc::clone(&state.parts().store);
    let redeemed = to_its_end(async move {
        let redeemed = store.redeem_link(&redemption).await;
        if matches!(redeemed, Ok(Redeemed::Unknown)) {
            used.forget();
        }
        redeemed
    });
    match redeemed.await?? {
        Redeemed::Unknown => Err(OAuthError::Grant(Grant::Unknown)),
        Redeemed::TooFast { interval } => Err(OAuthError::SlowDown { interval: Some(interval) }),
        Redeemed::Pending { number } => Err(OAuthError::Pending { number }),
        Redeemed::Denied => Err(OAuthError::Denied),
        Redeemed::Expired => Err(OAuthError::Expired),
        Redeemed::Done(grant) => next.answer(state, &grant, &key),
    }
}

async fn refresh(
    state: &AppState,
    presented: &str,
    proof: JudgedProof,
    network: Network,
) -> Result<TokenAnswer, OAuthError> {
    let key = *proof.thumbprint();
    let used = Used::once(state, proof)?;
    let next = Next::draw(state)?;
    let presented = secret_hash(presented);
    let refresh = Refresh { presented, key, next: next.new, network };
    let store = Arc::clone(&state.parts().store);
    let refreshed = to_its_end(async move {
        let refreshed = store.refresh_tokens(&refresh).await;
        if refreshed == Err(Failure::Refused(Refusal::TokenUnknown)) {
            used.forget();
        }
        refreshed
    });
    next.answer(state, &refreshed.await??, &key)
}

/// Does it whether or not whoever asked waits for the answer. It decides what becomes of their proof,
/// and somebody who hangs up early shall neither have theirs counted twice nor fill the memory of all
/// with those of keys that nobody knows.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, OAuthError> {
    let done = tokio::spawn(work.in_current_span()).await;
    done.map_err(|error| OAuthError::Internal(error.to_string()))
}

/// Tokens to be given, if the store agrees.
struct Next {
    refresh: RefreshToken,
    new: NewToken,
}

impl Next {
    fn draw(state: &AppState) -> Result<Self, OAuthError> {
        let refresh = RefreshToken::new(super::draw_secret::<32>(state)?);
        let new = NewToken {
            id: TokenId::new(state.clock().now(), state.entropy())?,
            refresh: secret_hash(refresh.expose()),
            idle: Duration::from_secs(state.config().displays.idle_days * DAY_S),
        };
        Ok(Self { refresh, new })
    }

    fn answer(
        self,
        state: &AppState,
        grant: &DeviceGrant,
        key: &KeyThumbprint,
    ) -> Result<TokenAnswer, OAuthError> {
        let access = token::mint(state, grant, key)?;
        let idle = grant.refresh_expires_at.duration_since(grant.issued_at);
        Ok(TokenAnswer {
            access_token: access.token.expose().to_owned(),
            token_type: "DPoP".to_owned(),
            expires_in: seconds(access.lifetime),
            refresh_token: self.refresh.expose().to_owned(),
            refresh_token_expires_in: seconds(Duration::try_from(idle).unwrap_or_default()),
            scope: DISPLAY_SCOPE.to_owned(),
            device_id: grant.device.id,
        })
    }
}
