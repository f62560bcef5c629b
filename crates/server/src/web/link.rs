//! `/link`: a display, linked from a phone.
//!
//! The code is typed into this page, or came with the camera: the address in the QR only puts its
//! secret into a cookie ([`photograph`]) and says nothing, so that nobody who follows a link they were
//! sent has typed anything ([RFC 8628 section 5.4]). A code in the address is not looked at. Looking
//! up and answering are forms: each page is an answer to one, nothing is kept between them, and going
//! back shows an older page whose form is refused when its time is over.
//!
//! [RFC 8628 section 5.4]: https://www.rfc-editor.org/rfc/rfc8628#section-5.4

mod pages;
mod photograph;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use luminous_domain::{DeviceId, Permission};
use luminous_store::{MemberState, Membership};
use luminous_wire::api::{ConfirmLink, LinkChallenge};
use serde::Deserialize;

use super::home::welcome;
use super::page::see_other;
use super::visitor::{Submitted, Visitor};
use crate::links::{self, Answered, Asker, Linker, Shown};
use crate::problem::ApiError;
use crate::state::AppState;
use pages::Pages;
use photograph::Photograph;

/// What leads to a challenge.
#[derive(Deserialize)]
pub struct Asked {
    /// What was typed; empty for a photograph, whose secret is in the cookie.
    #[serde(default)]
    code: String,
    /// `yes` from whoever was warned that the display is in another network.
    #[serde(default)]
    near: String,
}

/// Yes.
#[derive(Deserialize)]
pub struct Yes {
    challenge: String,
    number: String,
    name: String,
    #[serde(default)]
    room: String,
}

/// No.
#[derive(Deserialize)]
pub struct No {
    challenge: String,
}

/// Which display a button is about.
#[derive(Deserialize)]
pub struct About {
    display: String,
}

/// Asks for a code, or first for who asks. An address with a photograph's secret is left at once.
pub async fn ask(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if let Some(secret) = photograph::in_query(query.as_deref()) {
        return photograph::keep(&state, secret.as_deref());
    }
    let Some(person) = &visitor.signed_in else {
        let w = visitor.language.link_words();
        return welcome(&state, &visitor, (w.ask_first, "/link"), None);
    };
    let pages = Pages { state: &state, visitor: &visitor, person };
    if let Err(why) = linker(&pages) {
        return pages.no_place(&why);
    }
    match Photograph::read(&state, &headers) {
        Some(_) => pages.scanned(),
        None => pages.ask("", None),
    }
}

/// Looks a code up and shows what the display says of itself.
pub async fn look_up(
    State(state): State<AppState>,
    headers: HeaderMap,
    sent: Submitted<Asked>,
) -> Response {
    let Submitted { visitor, person, form } = sent;
    let pages = Pages { state: &state, visitor: &visitor, person: &person };
    let linker = match linker(&pages) {
        Ok(linker) => linker,
        Err(why) => return pages.no_place(&why),
    };
    match find(&state, &linker, &headers, &form.code).await {
        Ok(challenge) if !challenge.same_network && form.near != "yes" => {
            pages.far(&challenge, &form.code)
        }
        Ok(challenge) => pages.question(&challenge, None),
        Err(error) => pages.not_found(&form.code, &error),
    }
}

/// Links the display.
pub async fn confirm(State(state): State<AppState>, sent: Submitted<Yes>) -> Response {
    let Submitted { visitor, person, form } = sent;
    let pages = Pages { state: &state, visitor: &visitor, person: &person };
    let linker = match linker(&pages) {
        Ok(linker) => linker,
        Err(why) => return pages.no_place(&why),
    };
    let confirmed = match yes(&form) {
        Ok(yes) => linker.confirm(&yes).await.map(|device| device.id),
        Err(error) => Err(error),
    };
    match confirmed {
        Ok(device) => done_at(&state, device),
        Err(error @ (ApiError::Input(_) | ApiError::DeviceCodeInvalid)) => {
            not_taken(&pages, &linker, &form, &error).await
        }
        Err(error) => pages.refused(&error),
    }
}

/// Declines the display.
pub async fn decline(State(state): State<AppState>, sent: Submitted<No>) -> Response {
    let Submitted { visitor, person, form } = sent;
    let pages = Pages { state: &state, visitor: &visitor, person: &person };
    let linker = match linker(&pages) {
        Ok(linker) => linker,
        Err(why) => return pages.no_place(&why),
    };
    let declined = match form.challenge.parse() {
        Ok(challenge) => linker.decline(challenge).await,
        Err(_) => Err(ApiError::DeviceCodeInvalid),
    };
    match declined {
        Ok(()) => pages.declined(),
        Err(error) => pages.refused(&error),
    }
}

/// Shows the display that was linked, with the way to take it back.
pub async fn done(
    State(state): State<AppState>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(person) = &visitor.signed_in else { return see_other(state.web(), "/link") };
    let pages = Pages { state: &state, visitor: &visitor, person };
    let place = match place(&pages) {
        Ok(place) => place,
        Err(why) => return pages.no_place(&why),
    };
    let query = query.unwrap_or_default();
    let asked = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "display");
    let asked: Option<DeviceId> = asked.and_then(|(_, id)| id.parse().ok());
    match state.store().devices(place.family.id).await {
        Err(error) => visitor.failed(&state, &error.into()),
        Ok(devices) => match devices.into_iter().find(|device| Some(device.id) == asked) {
            Some(device) => pages.done(device),
            None => see_other(state.web(), "/"),
        },
    }
}

/// Takes a link back.
pub async fn undo(State(state): State<AppState>, sent: Submitted<About>) -> Response {
    let Submitted { visitor, person, form } = sent;
    let pages = Pages { state: &state, visitor: &visitor, person: &person };
    let place = match place(&pages) {
        Ok(place) => place,
        Err(why) => return pages.no_place(&why),
    };
    let act = person.act(visitor.network);
    let undone = match form.display.parse() {
        Ok(device) => links::undo(&state, place, device, &act).await,
        Err(_) => Err(ApiError::NotFound),
    };
    match undone {
        Ok(()) => pages.undone(),
        Err(error) => pages.refused(&error),
    }
}

/// Why somebody links no displays from here.
enum NoPlace<'a> {
    NoFamily,
    /// In this family.
    SwitchedOff(&'a str),
    RoleMissing,
    EmailUnverified,
}

/// The person's place, if it is one from which displays are linked.
fn place<'a>(pages: &Pages<'a>) -> Result<&'a Membership, NoPlace<'a>> {
    let place = pages.person.owner.standing.membership.as_ref().ok_or(NoPlace::NoFamily)?;
    if place.state == MemberState::Deactivated {
        return Err(NoPlace::SwitchedOff(&place.family.name));
    }
    if place.role.may(Permission::DevicesLink) { Ok(place) } else { Err(NoPlace::RoleMissing) }
}

fn linker<'a>(pages: &Pages<'a>) -> Result<Linker<'a>, NoPlace<'a>> {
    let owner = &pages.person.owner;
    let asker = Asker {
        account: &owner.standing.account,
        place: place(pages)?,
        is_email_unverified: owner.session.is_email_unverified,
        act: pages.person.act(pages.visitor.network),
        address: pages.visitor.address,
    };
    Linker::new(pages.state, asker).map_err(|_| NoPlace::EmailUnverified)
}

/// By what was typed, else by the photograph. The same person gets the same challenge again.
async fn find(
    state: &AppState,
    linker: &Linker<'_>,
    headers: &HeaderMap,
    code: &str,
) -> Result<LinkChallenge, ApiError> {
    let photograph = Photograph::read(state, headers).filter(|_| code.is_empty());
    let shown = match photograph {
        Some(photograph) => Shown::Photographed(photograph.hash()),
        None => Shown::typed(code)?,
    };
    linker.look_up(&shown).await
}

fn yes(form: &Yes) -> Result<ConfirmLink, ApiError> {
    Ok(ConfirmLink {
        challenge: form.challenge.parse().map_err(|_| ApiError::DeviceCodeInvalid)?,
        number: form.number.clone(),
        name: form.name.clone(),
        room: Some(form.room.clone()).filter(|room| !room.trim().is_empty()),
    })
}

/// The form was not taken. Where something was typed wrongly nothing has happened: the same question,
/// and what to mend. Where it came before, it was a button pressed twice: the same end.
async fn not_taken(
    pages: &Pages<'_>,
    linker: &Linker<'_>,
    form: &Yes,
    error: &ApiError,
) -> Response {
    let answered = match form.challenge.parse() {
        Ok(challenge) => linker.asked(challenge).await,
        Err(_) => Err(ApiError::DeviceCodeInvalid),
    };
    match (answered, error) {
        (Ok(Answered::NotYet(challenge)), ApiError::Input(_)) => {
            pages.question(&challenge, Some(form))
        }
        (Ok(Answered::Yes(device)), ApiError::DeviceCodeInvalid) => done_at(pages.state, device),
        (Err(failure), _) => pages.refused(&failure),
        _ => pages.over(),
    }
}

/// On to the page about the display; the photograph is used up.
fn done_at(state: &AppState, device: DeviceId) -> Response {
    let mut response = see_other(state.web(), &format!("/link/done?display={device}"));
    photograph::forget(state, &mut response);
    response
}
