//! `GET /`: one's own place, or the way in.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use luminous_domain::Permission;
use luminous_store::{MemberState, Standing, StoreError};

use super::page::{Action, Frame, render};
use super::visitor::{SignedIn, Visitor};
use super::words::{Language, Message, fill};
use crate::state::AppState;

/// How many colours there are for people, as in the app.
const COLOURS: u32 = 6;

/// The way in.
#[derive(Template)]
#[template(path = "welcome.html")]
struct Welcome {
    frame: Frame,
    message: Message,
    sign_in: String,
    shortcuts: Vec<Action>,
    aside: Option<Action>,
}

/// Somebody's own place.
#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    greeting: String,
    email: Option<String>,
    initials: String,
    colour: u32,
    place: Place,
    csrf: String,
}

enum Place {
    Outside,
    /// Not switched on; the words.
    SwitchedOff(String),
    /// The family, the role, the screens for who may see them, and the way to link one for who may.
    Inside(String, &'static str, Option<Vec<String>>, Option<&'static str>),
}

/// Shows it.
pub async fn show(State(state): State<AppState>, visitor: Visitor) -> Response {
    let Some(person) = &visitor.signed_in else {
        let w = visitor.language.words();
        let aside = Action::new("/join", w.have_a_code);
        return welcome(&state, &visitor, (w.welcome, "/"), Some(aside));
    };
    match place(&state, &person.owner.standing, visitor.language).await {
        Ok(place) => render(state.web(), &home(&state, &visitor, person, place), StatusCode::OK),
        Err(error) => visitor.failed(&state, &error.into()),
    }
}

/// The way in, and from there to `return_to`, which is an address of ours.
pub(super) fn welcome(
    state: &AppState,
    visitor: &Visitor,
    (message, return_to): (Message, &str),
    aside: Option<Action>,
) -> Response {
    let web = state.web();
    let frame = Frame::new(visitor.language);
    let link = |provider: Option<&str>| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("return_to", return_to);
        if let Some(provider) = provider {
            query.append_pair("provider", provider);
        }
        format!("/login?{}", query.finish())
    };
    let shortcuts = web.clients.iter().flat_map(|client| &client.hints).map(|hint| {
        Action::new(link(Some(&hint.domain_hint)), fill(frame.w.sign_in_with, &hint.name))
    });
    let shortcuts = shortcuts.collect();
    let page = Welcome { frame, message, sign_in: link(None), shortcuts, aside };
    render(web, &page, StatusCode::OK)
}

fn home(state: &AppState, visitor: &Visitor, person: &SignedIn, place: Place) -> Home {
    let frame = Frame::new(visitor.language);
    let account = &person.owner.standing.account;
    let greeting = match account.name.trim() {
        "" => frame.w.hello_nameless.to_owned(),
        name => fill(frame.w.hello, name),
    };
    Home {
        frame,
        greeting,
        email: account.email.clone(),
        initials: initials(&account.name),
        colour: colour(&account.id.to_string()),
        place,
        csrf: person.csrf(state.web()),
    }
}

async fn place(
    state: &AppState,
    standing: &Standing,
    language: Language,
) -> Result<Place, StoreError> {
    let w = language.words();
    let Some(membership) = &standing.membership else { return Ok(Place::Outside) };
    let family = &membership.family;
    if membership.state == MemberState::Deactivated {
        return Ok(Place::SwitchedOff(fill(w.place_off.text, &family.name)));
    }
    let screens = if membership.role.may(Permission::DevicesRead) {
        let devices = state.store().devices(family.id).await?;
        Some(devices.into_iter().map(|device| device.name).collect())
    } else {
        None
    };
    let may_link = membership.role.may(Permission::DevicesLink);
    let link = may_link.then_some(language.link_words().start);
    Ok(Place::Inside(family.name.clone(), w.roles.name(membership.role), screens, link))
}

/// The first letters of the first and the last word of a name, as in the app; `?` without any.
fn initials(name: &str) -> String {
    let words: Vec<char> = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|one| one.is_alphanumeric()))
        .collect();
    let ends = match words.as_slice() {
        [] => return "?".to_owned(),
        [one] => vec![*one],
        [first, .., last] => vec![*first, *last],
    };
    ends.into_iter().flat_map(char::to_uppercase).collect()
}

/// A colour for an id, from 1, as in the app.
fn colour(id: &str) -> u32 {
    id.chars().fold(0, |sum, unit| (sum * 31 + u32::from(unit)) % 9973) % COLOURS + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_those_of_the_first_and_the_last_word() {
        for (name, shown) in [
            ("Ana", "A"),
            ("ana maria lópez", "AL"),
            ("Ömer Öz", "ÖÖ"),
            ("  ", "?"),
            ("\"><img src=x>", "IS"),
            ("李 小龍", "李小"),
        ] {
            assert_eq!(initials(name), shown, "{name}");
        }
    }

    #[test]
    fn a_colour_is_one_of_six() {
        for id in ["", "0199", "zzzzzzzzzzzzzzzz"] {
            assert!((1..=COLOURS).contains(&colour(id)), "{id}");
        }
    }
}
