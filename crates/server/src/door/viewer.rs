//! From a request to whoever may look: a member of the family, or one of its displays.

use axum::extract::FromRequestParts;
use http::request::Parts;
use luminous_domain::{FamilyId, Role};

use super::display::is_of_display;
use super::insider::family_of_path;
use super::{Display, Insider, Needs, Viewer};
use crate::problem::ApiError;
use crate::state::AppState;

impl<P: Needs> FromRequestParts<AppState> for Viewer<P> {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        if !is_of_display(&parts.headers) {
            let insider = Insider::from_request_parts(parts, state).await?;
            return Ok(Self::Person(Box::new(insider)));
        }
        let display = Display::from_request_parts(parts, state).await?;
        if !family_of_path(parts, state).await.is(display.device.family) {
            return Err(ApiError::FamilyMismatch);
        }
        if Role::Display.may(P::PERMISSION) {
            Ok(Self::Display(Box::new(display)))
        } else {
            Err(ApiError::RoleMissing(P::PERMISSION))
        }
    }
}

impl<P: Needs> Viewer<P> {
    /// Their family.
    #[must_use]
    pub fn family(&self) -> FamilyId {
        match self {
            Self::Person(insider) => insider.membership.family.id,
            Self::Display(display) => display.device.family,
        }
    }
}
