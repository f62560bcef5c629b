//! From a person to a member who may.

use std::marker::PhantomData;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use luminous_domain::{FamilyId, Permission, Role};
use luminous_oidc::Identity;
use luminous_store::{MemberState, Membership, StoreError};

use super::proof::{is_before, is_older_than};
use super::{Insider, Needs, Person, Resident};
use crate::problem::ApiError;
use crate::state::AppState;

/// How many refusals of one account are written down in [`LINES_WINDOW`]. The log only grows, so
/// nobody may fill it; the figures count them all.
const LINES_MOST: u32 = 20;
const LINES_WINDOW: Duration = Duration::from_secs(3600);

impl<P: Needs> FromRequestParts<AppState> for Insider<P> {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let person = Person::from_request_parts(parts, state).await?;
        let named = family_of_path(parts, state).await;
        let admitted = admit(&person, named, P::PERMISSION)
            .and_then(|place| person.check_step_up(P::PERMISSION, state).map(|()| place.clone()));
        match admitted {
            Ok(membership) => Ok(Self { person, membership, needs: PhantomData }),
            Err(refusal) => {
                record(&person, named, P::PERMISSION, &refusal, state).await;
                Err(refusal)
            }
        }
    }
}

impl FromRequestParts<AppState> for Resident {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let person = Person::from_request_parts(parts, state).await?;
        let membership = place_in(&person, family_of_path(parts, state).await)?.clone();
        heed_token(&person, &membership, Permission::FamilyRead)?;
        Ok(Self { person, membership })
    }
}

/// Which family a path is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// The caller's own: the path names none.
    Own,
    /// This one.
    Family(FamilyId),
    /// What is there is no id, or not even text.
    Nothing,
}

impl Named {
    pub(super) fn is(self, family: FamilyId) -> bool {
        self == Self::Own || self == Self::Family(family)
    }
}

/// The family that the path names.
pub(super) async fn family_of_path(parts: &mut Parts, state: &AppState) -> Named {
    let Ok(params) = RawPathParams::from_request_parts(parts, state).await else {
        return Named::Nothing;
    };
    match params.iter().find(|(name, _)| *name == "family_id") {
        None => Named::Own,
        Some((_, value)) => value.parse().map_or(Named::Nothing, Named::Family),
    }
}

/// The membership row is the authority; what the token claims only narrows it.
fn admit(person: &Person, named: Named, permission: Permission) -> Result<&Membership, ApiError> {
    let place = place_in(person, named)?;
    if place.state == MemberState::Deactivated || !place.role.may(permission) {
        return Err(ApiError::RoleMissing(permission));
    }
    heed_token(person, place, permission)?;
    Ok(place)
}

/// The person's place, if it is in the family that the path names.
fn place_in(person: &Person, named: Named) -> Result<&Membership, ApiError> {
    let place = person.standing.membership.as_ref();
    place.filter(|place| named.is(place.family.id)).ok_or(ApiError::FamilyMismatch)
}

/// What the token has to say against it.
fn heed_token(person: &Person, place: &Membership, permission: Permission) -> Result<(), ApiError> {
    let identity = &person.verified.identity;
    let changed = person.standing.account.standing_changed_at;
    if changed.is_some_and(|since| is_before(identity.issued_at, since)) {
        return Err(ApiError::TokenStale);
    }
    let claimed = Claimed::read(identity)?;
    // B2C asks its connector at sign-in and repeats the answer at every refresh. What was said
    // before the place changed is about an older place, and would lock people out of their new one.
    if is_older_than(identity, changed) { Ok(()) } else { claimed.narrow(place, permission) }
}

/// The place that the token claims; what is absent narrows nothing.
struct Claimed {
    family: Option<FamilyId>,
    role: Option<Role>,
}

impl Claimed {
    /// Unusable claims are refused however old they are: somebody configured something wrong.
    fn read(identity: &Identity) -> Result<Self, ApiError> {
        if identity.family_claims_unusable {
            return Err(ApiError::ClaimsUnusable);
        }
        let family = identity.family_id.as_deref().map(str::parse).transpose();
        let role = identity.role.as_deref();
        let role = role.map(|claimed| Role::parse(claimed).ok_or(ApiError::ClaimsUnusable));
        Ok(Self { family: family.map_err(|_| ApiError::ClaimsUnusable)?, role: role.transpose()? })
    }

    fn narrow(&self, place: &Membership, permission: Permission) -> Result<(), ApiError> {
        if self.family.is_some_and(|id| id != place.family.id) {
            return Err(ApiError::FamilyMismatch);
        }
        if self.role.is_some_and(|role| !role.may(permission)) {
            return Err(ApiError::RoleMissing(permission));
        }
        Ok(())
    }
}

/// Writes down that a member tried what changes other people's things in their family. The refusal
/// stands whether or not that works.
async fn record(
    person: &Person,
    named: Named,
    permission: Permission,
    refusal: &ApiError,
    state: &AppState,
) {
    // A stale token is no attempt: the client refreshes it and asks again.
    if !permission.needs_step_up() || matches!(refusal, ApiError::TokenStale) {
        return;
    }
    let labels = [("permission", permission.as_str()), ("code", refusal.code())];
    state.meters().count("luminous_refused_acts_total", &labels);
    // Of a family that is not theirs there is no log for it: an id that was made up has none, and a
    // stranger writes in nobody's.
    let place = person.standing.membership.as_ref().map(|place| place.family.id);
    let Some(family) = place.filter(|&family| named.is(family)) else { return };
    if let Err(error) = write_down(person, family, permission, refusal, state).await {
        tracing::error!(code = error.code(), %error, "a refusal was not written down");
    }
}

/// A line in the family's log, unless this account has filled it with enough of them.
async fn write_down(
    person: &Person,
    family: FamilyId,
    permission: Permission,
    refusal: &ApiError,
    state: &AppState,
) -> Result<(), StoreError> {
    let bucket = format!("refused:account:{}", person.standing.account.id);
    if !state.store().count_attempt(&bucket, LINES_WINDOW, LINES_MOST).await? {
        return Ok(());
    }
    let (act, action) = (person.act(), permission.as_str());
    state.store().record_refusal(Some(family), &act, action, None, refusal.code()).await
}
