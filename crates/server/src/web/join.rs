//! `/join`: from an invitation's code to a place in a family.
//!
//! The code travels in bodies only. An invitation's link carries it behind the `#`, which browsers
//! keep to themselves and a page without script cannot read either: so the page asks for it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use luminous_domain::{InviteCode, MemberId, Permission};
use luminous_store::{Failure, Offer, Refusal};
use serde::Deserialize;

use super::home::welcome;
use super::page::{Action, Frame, Tone, render, see_other};
use super::visitor::{SignedIn, Submitted, Visitor};
use super::words::fill;
use crate::invite_codes::{Guesses, hash};
use crate::problem::ApiError;
use crate::state::AppState;

/// What the forms of this page carry.
#[derive(Deserialize)]
pub struct Typed {
    code: String,
}

#[derive(Template)]
#[template(path = "join.html")]
struct Ask {
    frame: Frame,
    csrf: String,
    /// What was typed, to be mended.
    typed: String,
    fault: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "offer.html")]
struct Show {
    frame: Frame,
    csrf: String,
    family: String,
    invited_by: String,
    role: String,
    code: String,
}

/// Asks for a code, or first for who asks.
pub async fn ask(State(state): State<AppState>, visitor: Visitor) -> Response {
    match &visitor.signed_in {
        Some(person) if person.owner.standing.membership.is_none() => {
            form(&state, &visitor, person, ("", None))
        }
        Some(_) => member_already(&state, &visitor),
        None => {
            let w = visitor.language.words();
            welcome(&state, &visitor, (w.join_first, "/join"), None)
        }
    }
}

/// Shows what the code offers.
pub async fn preview(State(state): State<AppState>, sent: Submitted<Typed>) -> Response {
    let Submitted { visitor, person, form: typed } = sent;
    match look(&state, &person, &typed.code).await {
        Ok((code, offer)) => offered(&state, &visitor, &person, &code, offer),
        Err(error) => refused(&state, &visitor, &person, (&typed.code, error)),
    }
}

/// Takes the place that the code offers.
pub async fn accept(State(state): State<AppState>, sent: Submitted<Typed>) -> Response {
    let Submitted { visitor, person, form: typed } = sent;
    match join(&state, &visitor, &person, &typed.code).await {
        Ok(()) => see_other(state.web(), "/"),
        Err(error) => refused(&state, &visitor, &person, (&typed.code, error)),
    }
}

async fn look(
    state: &AppState,
    person: &SignedIn,
    typed: &str,
) -> Result<(InviteCode, Offer), ApiError> {
    let code = InviteCode::parse(typed).map_err(|_| ApiError::InviteCodeFormat)?;
    let guesses = Guesses::of(state, person.owner.standing.account.id);
    guesses.count().await?;
    let offer = state.store().offer(&hash(state, &code)).await?.ok_or(ApiError::InviteInvalid)?;
    guesses.right().await;
    Ok((code, offer))
}

async fn join(
    state: &AppState,
    visitor: &Visitor,
    person: &SignedIn,
    typed: &str,
) -> Result<(), ApiError> {
    let code = InviteCode::parse(typed).map_err(|_| ApiError::InviteCodeFormat)?;
    let account = person.owner.standing.account.id;
    let guesses = Guesses::of(state, account);
    guesses.count().await?;
    let member = MemberId::new(state.clock().now(), state.entropy())
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let act = person.act(visitor.network);
    let accepted = state.store().accept_invite(&hash(state, &code), account, member, &act).await;
    if !matches!(accepted, Err(Failure::Store(_) | Failure::Refused(Refusal::InviteInvalid))) {
        guesses.right().await;
    }
    // No permission is asked for, so none can be missing.
    accepted.map(drop).map_err(|failure| ApiError::of(failure, Permission::FamilyRead))
}

fn form(
    state: &AppState,
    visitor: &Visitor,
    person: &SignedIn,
    (typed, fault): (&str, Option<&'static str>),
) -> Response {
    let status = if fault.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let csrf = person.csrf(state.web());
    let typed = typed.chars().take(64).collect();
    render(state.web(), &Ask { frame: Frame::new(visitor.language), csrf, typed, fault }, status)
}

fn offered(
    state: &AppState,
    visitor: &Visitor,
    person: &SignedIn,
    code: &InviteCode,
    offer: Offer,
) -> Response {
    let frame = Frame::new(visitor.language);
    let page = Show {
        frame,
        csrf: person.csrf(state.web()),
        family: offer.family_name,
        invited_by: fill(frame.w.invited_by, &offer.invite.invited_by_name),
        role: fill(frame.w.as_role, frame.w.roles.name(offer.invite.role)),
        code: code.expose().to_owned(),
    };
    render(state.web(), &page, StatusCode::OK)
}

fn member_already(state: &AppState, visitor: &Visitor) -> Response {
    let w = visitor.language.words();
    let actions = vec![Action::new("/", w.home)];
    visitor.say(state, StatusCode::CONFLICT, (Tone::Plain, w.member_already), actions)
}

fn refused(
    state: &AppState,
    visitor: &Visitor,
    person: &SignedIn,
    (typed, error): (&str, ApiError),
) -> Response {
    let w = visitor.language.words();
    let actions = || vec![Action::new("/", w.home)];
    match error {
        ApiError::InviteCodeFormat => form(state, visitor, person, (typed, Some(w.code_format))),
        ApiError::InviteInvalid => form(state, visitor, person, (typed, Some(w.code_unknown))),
        ApiError::AlreadyMember => member_already(state, visitor),
        ApiError::InviteRateLimited => {
            let words = (Tone::Bad, w.too_many_codes);
            visitor.say(state, StatusCode::TOO_MANY_REQUESTS, words, actions())
        }
        ApiError::TooMany => {
            visitor.say(state, StatusCode::CONFLICT, (Tone::Plain, w.family_full), actions())
        }
        other => visitor.failed(state, &other),
    }
}
