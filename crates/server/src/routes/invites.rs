//! Invitations: made and withdrawn inside a family, looked at and accepted from outside.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use luminous_domain::{FamilyId, InviteCode, InviteId, MemberId, Permission};
use luminous_store::{Failure, NewInvite, Refusal, Standing};
use luminous_wire::api::{
    AcceptInvite, CreateInvite, CreatedInvite, InviteList, InvitePreview, Me, PreviewInvite,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Created;
use crate::body::Body;
use crate::door::{Insider, Person, needs};
use crate::idempotency::IdempotencyKey;
use crate::invite_codes::{Guesses, draw, hash};
use crate::path::PathId;
use crate::routes::me::me;
use crate::{ApiError, AppState, input, views};

/// How long an invitation stands unless its maker says otherwise, in hours.
const DEFAULT_HOURS: u16 = 72;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_invites, create_invite))
        .routes(routes!(withdraw_invite))
        .routes(routes!(preview_invite))
        .routes(routes!(accept_invite))
}

/// List the open invitations
#[utoipa::path(
    get,
    path = "/api/families/{family_id}/invites",
    tag = "invites",
    security(("bearer" = ["invites.manage"])),
    params(("family_id" = FamilyId, Path, description = "The family")),
    responses((status = 200, description = "Them, the newest first", body = InviteList)),
)]
async fn list_invites(
    State(state): State<AppState>,
    insider: Insider<needs::InvitesManage>,
) -> Result<Json<InviteList>, ApiError> {
    let invites = state.store().open_invites(insider.membership.family.id).await?;
    Ok(Json(InviteList { invites: invites.into_iter().map(views::invite).collect() }))
}

/// Invite somebody
///
/// The code is in this answer and never again. Inviting an owner or an admin gives the keys away,
/// so it needs the same fresh second factor as changing a role.
#[utoipa::path(
    post,
    path = "/api/families/{family_id}/invites",
    tag = "invites",
    security(("bearer" = ["invites.manage"])),
    params(("family_id" = FamilyId, Path, description = "The family"), IdempotencyKey),
    request_body = CreateInvite,
    responses(
        (status = 201, description = "It stands open", body = CreatedInvite,
            headers(("location" = String, description = "The invitation"))),
        (status = 404, description = "`resource.not_found`: the family was deleted a moment ago"),
        (status = 409, description = "`limit.reached`: 20 open invitations; `request.repeated`"),
    ),
)]
async fn create_invite(
    State(state): State<AppState>,
    insider: Insider<needs::InvitesManage>,
    key: IdempotencyKey,
    Body(asked): Body<CreateInvite>,
) -> Result<Created<CreatedInvite>, ApiError> {
    let lifetime = read_invite(&asked)?;
    if asked.role.is_privileged() {
        insider.person.require_step_up(&state)?;
    }
    let (place, act) = (&insider.membership, insider.person.act());
    let account = insider.person.standing.account.id;
    let family = Some(place.family.id);
    let request = key.request(&state, account, ("invite", family), &asked)?;
    let code = draw(&state, &request)?;
    let new = NewInvite {
        id: InviteId::from_uuid(request.id()?),
        family: place.family.id,
        role: asked.role,
        code: hash(&state, &code),
        invited_by: place.member,
        lifetime,
    };
    let store = state.store();
    let find = || async {
        let open = store.open_invites(new.family).await?;
        Ok(open.into_iter().find(|invite| invite.id == new.id))
    };
    let invite = request.once(find, store.create_invite(&new, &act)).await;
    let invite = invite.map_err(|failure| ApiError::of(failure, Permission::InvitesManage))?;
    let location = format!("/api/families/{}/invites/{}", new.family, invite.id);
    let created = CreatedInvite {
        invite: views::invite(invite),
        code: code.grouped(),
        // Behind the `#`, so that no browser sends it: not in our log, not in a proxy's, not as a
        // referrer. The page has no script and cannot read it there; it asks for the code in words.
        link: format!("{}/join#{}", state.config().base(), code.expose()),
    };
    Ok(Created::new(location, created))
}

/// Withdraw an invitation
#[utoipa::path(
    delete,
    path = "/api/families/{family_id}/invites/{invite_id}",
    tag = "invites",
    security(("bearer" = ["invites.manage"])),
    params(
        ("family_id" = FamilyId, Path, description = "The family"),
        ("invite_id" = InviteId, Path, description = "The invitation"),
    ),
    responses(
        (status = 204, description = "Withdrawn"),
        (status = 404, description = "`resource.not_found`, also when it was accepted meanwhile"),
    ),
)]
async fn withdraw_invite(
    State(state): State<AppState>,
    insider: Insider<needs::InvitesManage>,
    PathId(id): PathId<InviteId>,
) -> Result<StatusCode, ApiError> {
    let (family, by) = (insider.membership.family.id, insider.membership.member);
    let withdrawn = state.store().withdraw_invite(family, id, by, &insider.person.act()).await;
    withdrawn.map_err(|failure| ApiError::of(failure, Permission::InvitesManage))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Look at an invitation before accepting it
#[utoipa::path(
    post,
    path = "/api/invites/preview",
    tag = "invites",
    security(("bearer" = [])),
    request_body = PreviewInvite,
    responses(
        (status = 200, description = "What it offers", body = InvitePreview),
        (status = 404, description = "`invite.invalid`: unknown, used, withdrawn or over"),
        (status = 429, description = "`invite.rate_limited`: ten wrong codes in ten minutes"),
    ),
)]
async fn preview_invite(
    State(state): State<AppState>,
    person: Person,
    Body(typed): Body<PreviewInvite>,
) -> Result<Json<InvitePreview>, ApiError> {
    let code = read_code(&typed.code)?;
    let guesses = Guesses::of(&state, person.standing.account.id);
    guesses.count().await?;
    let offer = state.store().offer(&hash(&state, &code)).await?;
    let offer = offer.ok_or(ApiError::InviteInvalid)?;
    guesses.right().await;
    Ok(Json(views::offer(offer)))
}

/// Accept an invitation
///
/// Of many who try the same code, one joins. The token is stale from then on: refresh it.
#[utoipa::path(
    post,
    path = "/api/invites/accept",
    tag = "invites",
    security(("bearer" = [])),
    request_body = AcceptInvite,
    responses(
        (status = 200, description = "Joined", body = Me),
        (status = 404, description = "`invite.invalid`: unknown, used, withdrawn or over"),
        (status = 429, description = "`invite.rate_limited`: ten wrong codes in ten minutes"),
        (status = 409, description = "`family.already_member`, `limit.reached`"),
    ),
)]
async fn accept_invite(
    State(state): State<AppState>,
    person: Person,
    Body(typed): Body<AcceptInvite>,
) -> Result<Json<Me>, ApiError> {
    let code = read_code(&typed.code)?;
    let account = person.standing.account.id;
    let guesses = Guesses::of(&state, account);
    guesses.count().await?;
    let member = MemberId::new(state.clock().now(), state.entropy())?;
    let code = hash(&state, &code);
    let accepted = state.store().accept_invite(&code, account, member, &person.act()).await;
    if !matches!(accepted, Err(Failure::Store(_) | Failure::Refused(Refusal::InviteInvalid))) {
        guesses.right().await;
    }
    // No permission is asked for, so none can be missing.
    let place = accepted.map_err(|failure| ApiError::of(failure, Permission::FamilyRead))?;
    Ok(Json(me(&Standing { membership: Some(place), ..person.standing })))
}

fn read_invite(asked: &CreateInvite) -> Result<Duration, ApiError> {
    if !asked.role.is_for_people() {
        return Err(ApiError::Input("role: one of a person's".to_owned()));
    }
    input::hours(asked.hours.unwrap_or(DEFAULT_HOURS), 1..=336)
}

/// What cannot be a code is no guess either.
fn read_code(typed: &str) -> Result<InviteCode, ApiError> {
    InviteCode::parse(typed).map_err(|_| ApiError::InviteCodeFormat)
}
