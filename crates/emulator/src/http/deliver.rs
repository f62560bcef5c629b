//! Sending the browser back to the app.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::page;
use crate::authorize::{
    self, Answer, Asked, ResponseMode, ReturnTo, leaves_browser, names_issuer, refusal_answer,
};
use crate::engine::{Core, lock};
use crate::journey::Arrival;
use crate::lies::RedirectLie;
use crate::realm::Realm;
use crate::refusal::{Refusal, Report};
use crate::store::{Grant, StoreError};
use crate::tokens::seconds;
use crate::words::Language;

/// A refusal, dated and numbered.
pub(super) fn report(core: &Core, realm: &Realm, refusal: Refusal) -> Report {
    let (correlation, at) = (Uuid::new_v4(), core.config.clock.now());
    let report = Report { refusal, dialect: realm.dialect(), correlation, at };
    tracing::info!(code = %report.code(), %correlation, "refused");
    report
}

/// How the person got here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// Through one of our pages.
    ByForm,
    /// Straight from the app: nobody clicked anything.
    Silently,
}

/// Sends a refusal to the app.
pub(super) fn refusal(
    core: &Core,
    realm: &Realm,
    return_to: &ReturnTo,
    (language, came): (Language, Came),
    refusal: Refusal,
) -> Response {
    let report = report(core, realm, refusal);
    let answer = refusal_answer(&report, return_to.state.as_deref());
    send(core, realm, return_to, answer, Ending { language, came, signed_in: false })
}

/// Issues a code and sends it to the app.
pub(super) fn code(
    core: &Core,
    realm: &Realm,
    asked: &Asked,
    (language, came): (Language, Came),
    arrival: &Arrival,
    extensions: Map<String, Value>,
) -> Result<Response, StoreError> {
    let grant = Grant {
        binding: realm.binding(),
        client_id: asked.client.id.clone(),
        redirect_uri: asked.return_to.redirect_uri.clone(),
        oid: arrival.user.oid.clone(),
        scopes: asked.scopes.clone(),
        challenge: asked.challenge.clone(),
        nonce: asked.nonce.clone(),
        auth_time: arrival.auth_time,
        new_user: arrival.new_user,
        amr: arrival.amr.iter().map(|method| (*method).to_owned()).collect(),
        acr: arrival.acr.clone(),
        extensions,
    };
    let code = core.store.issue_code(&grant, core.now(), seconds(core.config.lifetimes.code))?;
    let mut answer: Answer = Vec::new();
    answer.extend(asked.return_to.state.clone().map(|state| ("state", state)));
    answer.push(("code", code));
    let ending = Ending { language, came, signed_in: true };
    Ok(send(core, realm, &asked.return_to, answer, ending))
}

/// What the person sees at the end.
#[derive(Clone, Copy)]
struct Ending {
    language: Language,
    came: Came,
    signed_in: bool,
}

fn send(
    core: &Core,
    realm: &Realm,
    return_to: &ReturnTo,
    mut answer: Answer,
    ending: Ending,
) -> Response {
    if names_issuer(realm, &core.config) {
        answer.push(("iss", realm.issuer()));
    }
    for lie in lock(&core.lies).redirect.take_all() {
        falsify(lie, &mut answer);
    }
    if return_to.mode == ResponseMode::FormPost {
        return page::form_post(ending.language, &return_to.redirect_uri, &answer);
    }
    let address = authorize::address(return_to, &answer, realm.dialect());
    // Chromium starts another program once without a click and then asks for one; it counts the
    // address the app opened as a click, but not a page that moves on by itself. So the page comes
    // only after a form.
    let has_page = core.config.finish_page && ending.came == Came::ByForm;
    if has_page && leaves_browser(&return_to.redirect_uri) {
        return page::finished(ending.language, ending.signed_in, &address);
    }
    let Ok(location) = HeaderValue::from_str(&address) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::FOUND, headers).into_response()
}

fn falsify(lie: RedirectLie, answer: &mut Answer) {
    match lie {
        RedirectLie::WrongState => {
            for (_, value) in answer.iter_mut().filter(|(name, _)| *name == "state") {
                *value = "a-state-that-nobody-sent".into();
            }
        }
        RedirectLie::NoState => answer.retain(|(name, _)| *name != "state"),
        RedirectLie::StateTwice => {
            let state = answer.iter().find(|(name, _)| *name == "state").cloned();
            answer.extend(state);
        }
        RedirectLie::WrongIss => {
            answer.retain(|(name, _)| *name != "iss");
            answer.push(("iss", "https://evil.example/".into()));
        }
        RedirectLie::NoIss => answer.retain(|(name, _)| *name != "iss"),
    }
}
