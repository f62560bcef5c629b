//! A family: created, read, renamed, left, deleted.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use luminous_domain::{FamilyId, MemberId, Permission};
use luminous_store::{NewFamily, Standing};
use luminous_wire::api::{CreateFamily, DeleteFamily, FamilyView, Me, RenameFamily};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Created;
use crate::body::Body;
use crate::door::{Insider, Person, Resident, Viewer, needs};
use crate::idempotency::IdempotencyKey;
use crate::routes::me::me;
use crate::{ApiError, AppState, input, views};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_family))
        .routes(routes!(read_family, rename_family, delete_family))
        .routes(routes!(leave_family))
}

/// Create a family
///
/// Whoever asks becomes its owner. Their token is stale from then on: refresh it.
#[utoipa::path(
    post,
    path = "/api/families",
    tag = "families",
    security(("bearer" = [])),
    params(IdempotencyKey),
    request_body = CreateFamily,
    responses(
        (status = 201, description = "Created", body = Me,
            headers(("location" = String, description = "The family"))),
        (status = 409, description = "`family.already_member`; `request.repeated`: what this \
            request made before is deleted, or goes on without you"),
    ),
)]
async fn create_family(
    State(state): State<AppState>,
    person: Person,
    key: IdempotencyKey,
    Body(asked): Body<CreateFamily>,
) -> Result<Created<Me>, ApiError> {
    let owner = person.standing.account.id;
    let new = NewFamily {
        id: FamilyId::from_uuid(key.request(&state, owner, ("family", None), &asked)?.id()?),
        name: input::name(&asked.name)?,
        owner,
        member: MemberId::new(state.clock().now(), state.entropy())?,
    };
    let created = state.store().create_family(&new, &person.act()).await;
    // No permission is asked for, so none can be missing.
    let membership = created.map_err(|failure| ApiError::of(failure, Permission::FamilyRead))?;
    let location = format!("/api/families/{}", membership.family.id);
    let standing = Standing { membership: Some(membership), ..person.standing };
    Ok(Created::new(location, me(&standing)))
}

/// Read the family
#[utoipa::path(
    get,
    path = "/api/families/{family_id}",
    tag = "families",
    security(("bearer" = ["family.read"]), ("dpop" = ["family.read"])),
    params(("family_id" = FamilyId, Path, description = "The family")),
    responses((status = 200, description = "It", body = FamilyView)),
)]
async fn read_family(
    State(state): State<AppState>,
    viewer: Viewer<needs::FamilyRead>,
) -> Result<Json<FamilyView>, ApiError> {
    let display = match viewer {
        Viewer::Person(insider) => return Ok(Json(views::family(&insider.membership.family))),
        Viewer::Display(display) => display,
    };
    let wall = state.store().wall(display.device.family).await?;
    // A display goes with its family.
    let wall = wall.ok_or(ApiError::DeviceEnded { reason: "revoked" })?;
    Ok(Json(views::family(&wall.family)))
}

/// Rename the family
#[utoipa::path(
    patch,
    path = "/api/families/{family_id}",
    tag = "families",
    security(("bearer" = ["family.rename"])),
    params(("family_id" = FamilyId, Path, description = "The family")),
    request_body = RenameFamily,
    responses(
        (status = 200, description = "As it is now", body = FamilyView),
        (status = 404, description = "`resource.not_found`: deleted a moment ago"),
    ),
)]
async fn rename_family(
    State(state): State<AppState>,
    insider: Insider<needs::FamilyRename>,
    Body(asked): Body<RenameFamily>,
) -> Result<Json<FamilyView>, ApiError> {
    let name = input::name(&asked.name)?;
    let (family, by) = (insider.membership.family.id, insider.membership.member);
    let renamed = state.store().rename_family(family, &name, by, &insider.person.act()).await;
    let family = renamed.map_err(|failure| ApiError::of(failure, Permission::FamilyRename))?;
    Ok(Json(views::family(&family)))
}

/// Delete the family for good
///
/// With its members, invitations, notes and displays. The name must be typed again.
#[utoipa::path(
    delete,
    path = "/api/families/{family_id}",
    tag = "families",
    security(("bearer" = ["family.delete"])),
    params(("family_id" = FamilyId, Path, description = "The family")),
    request_body = DeleteFamily,
    responses(
        (status = 204, description = "Gone"),
        (status = 404, description = "`resource.not_found`: deleted a moment ago"),
        (status = 409, description = "`family.name_mismatch`"),
    ),
)]
async fn delete_family(
    State(state): State<AppState>,
    insider: Insider<needs::FamilyDelete>,
    Body(typed): Body<DeleteFamily>,
) -> Result<StatusCode, ApiError> {
    let family = &insider.membership.family;
    if typed.name.trim() != family.name {
        return Err(ApiError::NameMismatch);
    }
    let by = insider.membership.member;
    let deleted = state.store().delete_family(family.id, by, &insider.person.act()).await;
    deleted.map_err(|failure| ApiError::of(failure, Permission::FamilyDelete))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leave the family
///
/// The last owner cannot: they make another one first, or delete the family. Who was switched off
/// can.
#[utoipa::path(
    post,
    path = "/api/families/{family_id}/leave",
    tag = "families",
    security(("bearer" = ["family.read"])),
    params(("family_id" = FamilyId, Path, description = "The family")),
    responses(
        (status = 204, description = "Left"),
        (status = 404, description = "`resource.not_found`: removed a moment ago"),
        (status = 409, description = "`family.last_owner`"),
    ),
)]
async fn leave_family(
    State(state): State<AppState>,
    resident: Resident,
) -> Result<StatusCode, ApiError> {
    let (family, member) = (resident.membership.family.id, resident.membership.member);
    let left = state.store().leave_family(family, member, &resident.person.act()).await;
    left.map_err(|failure| ApiError::of(failure, Permission::FamilyRead))?;
    Ok(StatusCode::NO_CONTENT)
}
