//! Who belongs to the family, and the profiles of children without an account.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use luminous_domain::{FamilyId, MemberId, Permission};
use luminous_store::{Member, MemberChange, MemberState, NewChild};
use luminous_wire::api::{self, AddChild, ChangeMember, MemberList, MemberView};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Created;
use crate::body::Body;
use crate::door::{Insider, Needs, Viewer, needs};
use crate::idempotency::IdempotencyKey;
use crate::path::PathId;
use crate::{ApiError, AppState, input, views};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_members, add_child))
        .routes(routes!(change_member, remove_member))
        .routes(routes!(rename_child, remove_child))
}

/// List the members
///
/// By the time they came. E-mail addresses and "last seen" are told to who manages members, and of
/// oneself; a display is told neither.
#[utoipa::path(
    get,
    path = "/api/families/{family_id}/members",
    tag = "members",
    security(("bearer" = ["members.read"]), ("dpop" = ["members.read"])),
    params(("family_id" = FamilyId, Path, description = "The family")),
    responses((status = 200, description = "Everybody", body = MemberList)),
)]
async fn list_members(
    State(state): State<AppState>,
    viewer: Viewer<needs::MembersRead>,
) -> Result<Json<MemberList>, ApiError> {
    let members = state.store().members(viewer.family()).await?;
    let view = |member| match &viewer {
        Viewer::Person(insider) => views::member(member, &insider.membership),
        Viewer::Display(_) => views::member_on_wall(member),
    };
    Ok(Json(MemberList { members: members.into_iter().map(view).collect() }))
}

/// Add a child without an account
#[utoipa::path(
    post,
    path = "/api/families/{family_id}/members",
    tag = "members",
    security(("bearer" = ["children.manage"])),
    params(("family_id" = FamilyId, Path, description = "The family"), IdempotencyKey),
    request_body = AddChild,
    responses(
        (status = 201, description = "Added", body = MemberView,
            headers(("location" = String, description = "The profile"))),
        (status = 404, description = "`resource.not_found`: the family was deleted a moment ago"),
        (status = 409, description = "`limit.reached`: 50 members; `request.repeated`"),
    ),
)]
async fn add_child(
    State(state): State<AppState>,
    insider: Insider<needs::ChildrenManage>,
    key: IdempotencyKey,
    Body(asked): Body<AddChild>,
) -> Result<Created<MemberView>, ApiError> {
    let (place, act) = (&insider.membership, insider.person.act());
    let account = insider.person.standing.account.id;
    let request = key.request(&state, account, ("child", Some(place.family.id)), &asked)?;
    let new = NewChild {
        id: MemberId::from_uuid(request.id()?),
        family: place.family.id,
        name: input::name(&asked.name)?,
    };
    let store = state.store();
    let find = || store.member(new.family, new.id);
    let child = request.once(find, store.add_child(&new, place.member, &act)).await;
    let child = child.map_err(|failure| ApiError::of(failure, Permission::ChildrenManage))?;
    let location = format!("/api/families/{}/children/{}", new.family, child.id);
    Ok(Created::new(location, views::member(child, place)))
}

/// Change a member: name, role, switched off or on
#[utoipa::path(
    patch,
    path = "/api/families/{family_id}/members/{member_id}",
    tag = "members",
    security(("bearer" = ["members.manage"])),
    params(
        ("family_id" = FamilyId, Path, description = "The family"),
        ("member_id" = MemberId, Path, description = "The member"),
    ),
    request_body = ChangeMember,
    responses(
        (status = 200, description = "As they are now", body = MemberView),
        (status = 404, description = "`resource.not_found`"),
        (status = 409, description = "`family.last_owner`"),
    ),
)]
async fn change_member(
    State(state): State<AppState>,
    insider: Insider<needs::MembersManage>,
    PathId(id): PathId<MemberId>,
    Body(asked): Body<ChangeMember>,
) -> Result<Json<MemberView>, ApiError> {
    change(&state, &insider, id, read_change(asked)?).await
}

/// Remove a member
#[utoipa::path(
    delete,
    path = "/api/families/{family_id}/members/{member_id}",
    tag = "members",
    security(("bearer" = ["members.manage"])),
    params(
        ("family_id" = FamilyId, Path, description = "The family"),
        ("member_id" = MemberId, Path, description = "The member"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "`resource.not_found`"),
        (status = 409, description = "`family.last_owner`"),
    ),
)]
async fn remove_member(
    State(state): State<AppState>,
    insider: Insider<needs::MembersManage>,
    PathId(id): PathId<MemberId>,
) -> Result<StatusCode, ApiError> {
    remove(&state, &insider, id).await
}

/// Rename a child without an account
#[utoipa::path(
    patch,
    path = "/api/families/{family_id}/children/{member_id}",
    tag = "members",
    security(("bearer" = ["children.manage"])),
    params(
        ("family_id" = FamilyId, Path, description = "The family"),
        ("member_id" = MemberId, Path, description = "The child"),
    ),
    request_body = AddChild,
    responses(
        (status = 200, description = "As it is now", body = MemberView),
        (status = 404, description = "`resource.not_found`, also for a member with an account"),
    ),
)]
async fn rename_child(
    State(state): State<AppState>,
    insider: Insider<needs::ChildrenManage>,
    PathId(id): PathId<MemberId>,
    Body(asked): Body<AddChild>,
) -> Result<Json<MemberView>, ApiError> {
    let name = Some(input::name(&asked.name)?);
    managed(&state, &insider, id).await?;
    change(&state, &insider, id, MemberChange { name, ..MemberChange::default() }).await
}

/// Remove a child without an account
#[utoipa::path(
    delete,
    path = "/api/families/{family_id}/children/{member_id}",
    tag = "members",
    security(("bearer" = ["children.manage"])),
    params(
        ("family_id" = FamilyId, Path, description = "The family"),
        ("member_id" = MemberId, Path, description = "The child"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "`resource.not_found`, also for a member with an account"),
    ),
)]
async fn remove_child(
    State(state): State<AppState>,
    insider: Insider<needs::ChildrenManage>,
    PathId(id): PathId<MemberId>,
) -> Result<StatusCode, ApiError> {
    managed(&state, &insider, id).await?;
    remove(&state, &insider, id).await
}

/// Lets through only profiles without an account: whoever may do more to members with one must
/// come by the route that asks for a second factor. A profile never gets an account, so there is no
/// race between this and what follows.
async fn managed(
    state: &AppState,
    insider: &Insider<needs::ChildrenManage>,
    id: MemberId,
) -> Result<Member, ApiError> {
    let member = state.store().member(insider.membership.family.id, id).await?;
    member.filter(|member| member.account.is_none()).ok_or(ApiError::NotFound)
}

async fn change<P: Needs>(
    state: &AppState,
    insider: &Insider<P>,
    id: MemberId,
    change: MemberChange,
) -> Result<Json<MemberView>, ApiError> {
    let (place, act) = (&insider.membership, insider.person.act());
    let changed =
        state.store().change_member(place.family.id, id, &change, place.member, &act).await;
    let member = changed.map_err(|failure| ApiError::of(failure, P::PERMISSION))?;
    Ok(Json(views::member(member, place)))
}

async fn remove<P: Needs>(
    state: &AppState,
    insider: &Insider<P>,
    id: MemberId,
) -> Result<StatusCode, ApiError> {
    let (place, act) = (&insider.membership, insider.person.act());
    let removed = state.store().remove_member(place.family.id, id, place.member, &act).await;
    removed.map_err(|failure| ApiError::of(failure, P::PERMISSION))?;
    Ok(StatusCode::NO_CONTENT)
}

fn read_change(asked: ChangeMember) -> Result<MemberChange, ApiError> {
    let ChangeMember { name, role, state } = asked;
    if name.is_none() && role.is_none() && state.is_none() {
        return Err(ApiError::Input("one of name, role, state".to_owned()));
    }
    if role.is_some_and(|role| !role.is_for_people()) {
        return Err(ApiError::Input("role: one of a person's".to_owned()));
    }
    Ok(MemberChange {
        name: name.as_deref().map(input::name).transpose()?,
        role,
        state: state.map(|state| match state {
            api::MemberState::Active => MemberState::Active,
            api::MemberState::Deactivated => MemberState::Deactivated,
        }),
    })
}
