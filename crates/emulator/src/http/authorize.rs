//! The authorize endpoint.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::deliver::Came;
use super::open::Open;
use super::{cookies, deliver, finish, page, provider, reset, sign_in};
use crate::authorize::{self, Asked, Params, Prompt, Refused};
use crate::config::PolicyKind;
use crate::engine::{Core, Event, lock};
use crate::interaction::Interaction;
use crate::journey::{self, Arrival, Next, Stage};
use crate::random;
use crate::realm::Realm;
use crate::refusal::Refusal;
use crate::store::StoreError;
use crate::tokens::seconds;
use crate::words::Language;

/// Answers with a page, with a code for a browser that is signed in, or with a refusal.
pub(super) async fn authorize(
    core: &Arc<Core>,
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
        Ok(asked) => match signed_in(core, &realm, &asked, headers) {
            Ok(known) => proceed(core, realm, asked, (language, headers), known).await,
            Err(error) => {
                tracing::error!(%error, "an authorization request failed");
                page::failed(language)
            }
        },
    }
}

/// The language of a page.
pub(super) fn language(params: &Params, headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::choose(params.get("ui_locales"), accepted)
}

async fn proceed(
    core: &Arc<Core>,
    realm: Realm,
    asked: Asked,
    (language, headers): (Language, &HeaderMap),
    known: Option<Arrival>,
) -> Response {
    let ending = (language, Came::Silently);
    let next = journey::next(&realm, &asked);
    match (asked.prompt, known) {
        (_, Some(arrival)) if next == Next::Finish => {
            core.note(Event::SignedInSilently);
            finish::send(core, &realm, &asked, ending, &arrival).await
        }
        (Prompt::Never, _) => {
            deliver::refusal(core, &realm, &asked.return_to, ending, Refusal::NoSession)
        }
        (_, known) => {
            let browser = cookies::browser(headers);
            let open = open_page(core, realm, asked, language, &browser);
            let mut response = match known {
                Some(arrival) => finish::go_on(core, open, arrival).await,
                None => first_page(core, &open),
            };
            cookies::set_browser(&mut response, &browser);
            response
        }
    }
}

/// The page for somebody of whom nothing is known.
fn first_page(core: &Core, open: &Open) -> Response {
    match (&open.interaction.stage, open.interaction.asked.provider) {
        (Stage::SignIn, Some(provider)) => provider::first_page(core, open, provider),
        (Stage::SignIn, None) => sign_in::first_page(core, open),
        _ => reset::first_page(open),
    }
}

/// The person whom the browser's cookie names, while session and account last, and while the
/// session will do: it may not be older than `max_age`, nor count where a page was asked for.
/// Those who reset a password are never known, for they could not sign in.
fn signed_in(
    core: &Core,
    realm: &Realm,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Option<Arrival>, StoreError> {
    if asked.prompt == Prompt::Always || realm.journey == PolicyKind::PasswordReset {
        return Ok(None);
    }
    let Some(cookie) = cookies::session(headers, &realm.tenant) else { return Ok(None) };
    let Some(session) = core.store.session(&cookie, core.now())? else { return Ok(None) };
    let age = core.now() - session.auth_time;
    // Zero asks for a page, whatever the clock says (OpenID Connect Core 3.1.2.1).
    let too_old = asked.max_age.is_some_and(|most| most == 0 || age > most);
    if session.tenant_id != realm.tenant.id || too_old {
        return Ok(None);
    }
    let user = core.store.user(&session.oid)?;
    Ok(user.map(|user| Arrival::by_session(user, session.auth_time)))
}

fn open_page(core: &Core, realm: Realm, asked: Asked, language: Language, browser: &str) -> Open {
    let now = core.now();
    let interaction = Interaction {
        stage: journey::first_stage(&realm),
        realm,
        asked,
        language,
        csrf: random::token(),
        browser: browser.to_owned(),
        expires: now + seconds(core.config.lifetimes.interaction),
    };
    let tx = lock(&core.interactions).open(interaction.clone(), now);
    Open { tx, interaction }
}
