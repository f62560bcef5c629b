//! The audit log: a page of it, or all of it as a file for a spreadsheet.

mod csv;
mod query;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use luminous_domain::FamilyId;
use luminous_store::AuditFilter;
use luminous_wire::api::AuditPage;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Params;
use crate::door::{Insider, needs};
use crate::{ApiError, AppState, views};

use query::AuditQuery;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(read_audit))
}

/// Read the audit log
///
/// The newest line first. As JSON a page at a time; as CSV (`Accept: text/csv` or `format=csv`)
/// everything that passes the filter.
#[utoipa::path(
    get,
    path = "/api/families/{family_id}/audit",
    tag = "audit",
    security(("bearer" = ["audit.read"])),
    params(("family_id" = FamilyId, Path, description = "The family"), AuditQuery),
    responses(
        (status = 200, description = "The lines", content(
            (AuditPage = "application/json"),
            (String = "text/csv"),
        )),
        (status = 400, description = "`input.invalid`: a filter cannot be read"),
    ),
)]
async fn read_audit(
    State(state): State<AppState>,
    insider: Insider<needs::AuditRead>,
    Params(asked): Params<AuditQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let family = insider.membership.family.id;
    let (filter, limit) = (asked.filter()?, asked.limit()?);
    if asked.wants_csv(&headers)? {
        return csv::answer(state, family, filter).await;
    }
    Ok(page(&state, family, &filter, limit).await?.into_response())
}

/// One line more than asked for is read, to know whether there is another page.
async fn page(
    state: &AppState,
    family: FamilyId,
    filter: &AuditFilter,
    limit: u32,
) -> Result<Json<AuditPage>, ApiError> {
    let mut rows = state.store().audit(family, filter, limit + 1).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    Ok(Json(AuditPage { entries: rows.into_iter().map(views::audit).collect(), next }))
}
