//! Where one is signed in at the server itself, signing out everywhere, and one's own data.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_DISPOSITION;
use luminous_domain::WebSessionId;
use luminous_wire::api::{Export, SessionList};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::door::Person;
use crate::path::PathId;
use crate::{ApiError, AppState, views};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_sessions))
        .routes(routes!(end_session))
        .routes(routes!(sign_out_everywhere))
        .routes(routes!(export))
}

/// List the browsers one is signed in with
#[utoipa::path(
    get,
    path = "/api/me/sessions",
    tag = "me",
    security(("bearer" = [])),
    responses((status = 200, description = "Them, the latest first", body = SessionList)),
)]
async fn list_sessions(
    State(state): State<AppState>,
    person: Person,
) -> Result<Json<SessionList>, ApiError> {
    let sessions = state.store().sessions(person.standing.account.id).await?;
    Ok(Json(SessionList { sessions: sessions.into_iter().map(views::session).collect() }))
}

/// Sign one browser out
#[utoipa::path(
    delete,
    path = "/api/me/sessions/{session_id}",
    tag = "me",
    security(("bearer" = [])),
    params(("session_id" = WebSessionId, Path, description = "The browser's session")),
    responses(
        (status = 204, description = "Signed out"),
        (status = 404, description = "`resource.not_found`"),
    ),
)]
async fn end_session(
    State(state): State<AppState>,
    person: Person,
    PathId(id): PathId<WebSessionId>,
) -> Result<StatusCode, ApiError> {
    let account = person.standing.account.id;
    let ended = state.store().end_session(account, id, &person.act()).await?;
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound) }
}

/// Sign out everywhere
///
/// Ends every browser session and revokes every token issued until now, the one that asks included.
#[utoipa::path(
    post,
    path = "/api/me/sign-out-everywhere",
    tag = "me",
    security(("bearer" = [])),
    responses((status = 204, description = "Signed out")),
)]
async fn sign_out_everywhere(
    State(state): State<AppState>,
    person: Person,
) -> Result<StatusCode, ApiError> {
    let account = &person.standing.account;
    state.store().end_sign_ins(account.id, &person.act()).await?;
    state.forget(&account.person);
    Ok(StatusCode::NO_CONTENT)
}

/// Everything kept about oneself, as a file
#[utoipa::path(
    get,
    path = "/api/me/export",
    tag = "me",
    security(("bearer" = [])),
    responses((status = 200, description = "It", body = Export,
        headers(("content-disposition" = String, description = "A file name")))),
)]
async fn export(State(state): State<AppState>, person: Person) -> Result<Response, ApiError> {
    let kept = state.store().export(person.standing.account.id).await?;
    let kept = kept.ok_or_else(|| ApiError::Internal("an account that is not there".to_owned()))?;
    let file = [(CONTENT_DISPOSITION, "attachment; filename=\"luminous-export.json\"")];
    Ok((file, Json(views::export(kept))).into_response())
}
