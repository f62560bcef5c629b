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
use luminous_store::{MemberState, Membership, StoreError};
use luminous_wire::api::{ConfirmLink, LinkChallenge};
use serde::Deserialize;

use super::home::welcome;
use super::page::see_other;
use super::visitor::{Submitted, Visitor};
use crate::links::{self, Linker, Shown};
use crate::problem::ApiError;
use crate::state::AppState;
use pages::Pages;
use photograph::Photograph;

/// A link of the last minutes counts as done when its form comes a second time.
const TWICE_WITHIN_S: i64 = 180;

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
    /// To show the question again when something was typed wrongly.
    #[serde(default)]
    code: String,
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
    if let Err(why) = place(&pages) {
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
    match find(&linker, &headers, &form.code).await {
        Ok(challenge) if !challenge.same_network && form.near != "yes" => {
            pages.far(&challenge, &form.code)
        }
        Ok(challenge) => pages.question(&challenge, &form.code, None),
        Err(error) => pages.not_found(&form.code, &error),
    }
}

/// Links the display.
pub async fn confirm(
    State(state): State<AppState>,
    headers: HeaderMap,
    sent: Submitted<Yes>,
) -> Response {
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
        Err(ApiError::Input(_)) => ask_again(&pages, &linker, &headers, &form).await,
        Err(ApiError::DeviceCodeInvalid) => match linked_just_now(&linker, &form.name).await {
            Ok(Some(device)) => done_at(&state, device),
            Ok(None) => pages.over(),
            Err(error) => visitor.failed(&state, &error.into()),
        },
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
    Ok(Linker {
        state: pages.state,
        account: &pages.person.owner.standing.account,
        place: place(pages)?,
        act: pages.person.act(pages.visitor.network),
        address: pages.visitor.address,
    })
}

/// By what was typed, else by the photograph. The same person gets the same challenge again.
async fn find(
    linker: &Linker<'_>,
    headers: &HeaderMap,
    code: &str,
) -> Result<LinkChallenge, ApiError> {
    let photograph = Photograph::read(linker.state, headers).filter(|_| code.is_empty());
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

/// Something was typed wrongly, and nothing has happened: the same question, and what to mend.
async fn ask_again(
    pages: &Pages<'_>,
    linker: &Linker<'_>,
    headers: &HeaderMap,
    form: &Yes,
) -> Response {
    match find(linker, headers, &form.code).await {
        Ok(challenge) => pages.question(&challenge, &form.code, Some(form)),
        Err(_) => pages.over(),
    }
}

/// The display that the same form has linked when it came the first time: a button pressed twice
/// shows the answer to the second.
async fn linked_just_now(linker: &Linker<'_>, name: &str) -> Result<Option<DeviceId>, StoreError> {
    let now = linker.state.clock().now().as_second();
    let devices = linker.state.store().devices(linker.place.family.id).await?;
    let mut same = devices.into_iter().filter(|device| {
        device.linked_by == Some(linker.place.member)
            && device.name == name.trim()
            && now - device.linked_at.as_second() <= TWICE_WITHIN_S
    });
    Ok(same.next().map(|device| device.id))
}

/// On to the page about the display; the photograph is used up.
fn done_at(state: &AppState, device: DeviceId) -> Response {
    let mut response = see_other(state.web(), &format!("/link/done?display={device}"));
    photograph::forget(state, &mut response);
    response
}
