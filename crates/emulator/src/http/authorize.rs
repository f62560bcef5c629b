//! The authorize endpoint.

use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::deliver::{Came, SignedIn};
use super::{cookies, deliver, page};
use crate::authorize::{self, Asked, Params, Prompt, Refused};
use crate::engine::{Core, Event, lock};
use crate::interaction::Interaction;
use crate::random;
use crate::realm::Realm;
use crate::refusal::Refusal;
use crate::store::{Session, StoreError, User};
use crate::tokens::seconds;
use crate::words::Language;

/// Answers with a page, with a code for a browser that is signed in, or with a refusal.
pub(super) fn authorize(
    core: &Core,
    realm: Realm,
    params: &Params,
    headers: &HeaderMap,
) -> Response {
    let language = language(params, headers);
    match authorize::read(params, &realm, &core.config) {
        Err(Refused::OnPage(refusal)) => {
            page::refused(language, &deliver::report(core, &realm, refusal))
        }
        Err(Refused::AtApp(return_to, refusal)) => {
            let ending = (language, Came::Silently);
            deliver::refusal(core, &realm, &return_to, ending, refusal)
        }
        Ok(asked) => proceed(core, realm, asked, language, headers).unwrap_or_else(|error| {
            tracing::error!(%error, "an authorization request failed");
            page::failed(language)
        }),
    }
}

/// The language of a page.
pub(super) fn language(params: &Params, headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::choose(params.get("ui_locales"), accepted)
}

fn proceed(
    core: &Core,
    realm: Realm,
    asked: Asked,
    language: Language,
    headers: &HeaderMap,
) -> Result<Response, StoreError> {
    let known = signed_in(core, &realm, headers)?;
    match (asked.prompt, known) {
        (Prompt::IfNeeded | Prompt::Never, Some((session, user))) => {
            core.note(Event::SignedInSilently);
            let occasion = SignedIn { auth_time: session.auth_time, new_user: false };
            deliver::code(core, &realm, &asked, (language, Came::Silently), &user, occasion)
        }
        (Prompt::Never, None) => {
            let ending = (language, Came::Silently);
            Ok(deliver::refusal(core, &realm, &asked.return_to, ending, Refusal::NoSession))
        }
        (Prompt::IfNeeded, None) | (Prompt::Always, _) => {
            Ok(open_page(core, realm, asked, language, headers))
        }
    }
}

/// The person whom the browser's cookie names, while session and account last.
fn signed_in(
    core: &Core,
    realm: &Realm,
    headers: &HeaderMap,
) -> Result<Option<(Session, User)>, StoreError> {
    let Some(cookie) = cookies::session(headers, &realm.tenant) else { return Ok(None) };
    let Some(session) = core.store.session(&cookie, core.now())? else { return Ok(None) };
    if session.tenant_id != realm.tenant.id {
        return Ok(None);
    }
    Ok(core.store.user(&session.oid)?.map(|user| (session, user)))
}

fn open_page(
    core: &Core,
    realm: Realm,
    asked: Asked,
    language: Language,
    headers: &HeaderMap,
) -> Response {
    let now = core.now();
    let browser = cookies::browser(headers);
    let interaction = Interaction {
        realm,
        asked,
        language,
        csrf: random::token(),
        browser: browser.clone(),
        expires: now + seconds(core.config.lifetimes.interaction),
    };
    let email = interaction.asked.login_hint.clone();
    let tx = lock(&core.interactions).open(interaction.clone(), now);
    let mut response = super::sign_in::sign_in_page(core, &tx, &interaction, &email, &[]);
    cookies::set_browser(&mut response, &browser);
    response
}
