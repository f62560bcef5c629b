//! `GET /api/me`.

use axum::Json;
use luminous_store::{MemberState, Membership, Standing};
use luminous_wire::api::{AccountSummary, FamilyView, Me, MembershipView, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::door::Person;
use crate::state::AppState;
use crate::views::member_state;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_me))
}

/// Who asks, and their place in a family.
#[utoipa::path(
    get,
    path = "/api/me",
    tag = "me",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Who asks.", body = Me),
        (status = 401, description = "No token, or not one that is accepted.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An application's token.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Keys or database cannot be had.", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn get_me(person: Person) -> Json<Me> {
    Json(me(&person.standing))
}

/// What a person is told about themselves.
#[must_use]
pub fn me(standing: &Standing) -> Me {
    let account = &standing.account;
    Me {
        account: AccountSummary {
            id: account.id,
            name: account.name.clone(),
            email: account.email.clone(),
        },
        membership: standing.membership.as_ref().map(membership),
    }
}

/// A place in a family, as who has it is told. One that was switched off is still theirs: nobody is
/// in two families, and they find out why there is nothing to see.
#[must_use]
pub fn membership(place: &Membership) -> MembershipView {
    let permissions = match place.state {
        MemberState::Active => place.role.permissions().to_vec(),
        MemberState::Deactivated => Vec::new(),
    };
    MembershipView {
        family: FamilyView {
            id: place.family.id,
            name: place.family.name.clone(),
            created_at_ms: place.family.created_at.as_millisecond(),
        },
        member_id: place.member,
        role: place.role,
        state: member_state(place.state),
        permissions,
    }
}
