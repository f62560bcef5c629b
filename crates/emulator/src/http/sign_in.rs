//! The forms of the sign-in and sign-up pages.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::deliver::{Came, SignedIn};
use super::{authorize::language, cookies, deliver, page};
use crate::accounts::{self, AccountError, Application, Fault};
use crate::authorize::Params;
use crate::config::PasswordReset;
use crate::engine::{Core, Event, lock};
use crate::interaction::Interaction;
use crate::random;
use crate::refusal::Refusal;
use crate::store::{Session, User};
use crate::tokens::seconds;
use crate::words::Language;

/// An open page, as a request names it.
struct Open {
    tx: String,
    interaction: Interaction,
}

/// `GET /ui/sign-in`: back from the sign-up page.
pub(super) async fn show_sign_in(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    match find(&core, &params, &headers) {
        Ok(Open { tx, interaction }) => {
            let email = interaction.asked.login_hint.clone();
            sign_in_page(&core, &tx, &interaction, &email, &[])
        }
        Err(language) => page::expired(language),
    }
}

/// `GET /ui/sign-up`.
pub(super) async fn show_sign_up(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    match find(&core, &params, &headers) {
        Ok(Open { tx, interaction }) => {
            let email = interaction.asked.login_hint.clone();
            sign_up_page(&tx, &interaction, (&email, ""), &[])
        }
        Err(language) => page::expired(language),
    }
}

/// `GET /ui/forgot-password`: the app is to run the reset policy (AADB2C90118).
pub(super) async fn forgot_password(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    match find(&core, &params, &headers) {
        Ok(open) if offers_reset(&core) => leave(&core, &open, Refusal::ForgotPassword),
        Ok(_) => page::not_found(),
        Err(language) => page::expired(language),
    }
}

/// `POST /ui/sign-in`.
pub(super) async fn sign_in(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::parse(&body);
    let open = match find_posted(&core, &params, &headers) {
        Ok(open) => open,
        Err(language) => return page::expired(language),
    };
    if params.get("action") == Some("cancel") {
        return leave(&core, &open, Refusal::Cancelled);
    }
    let email = params.get("email").unwrap_or_default().to_owned();
    let password = params.get("password").unwrap_or_default().to_owned();
    let faults = missing(&email, &password);
    if !faults.is_empty() {
        return sign_in_page(&core, &open.tx, &open.interaction, &email, &faults);
    }
    let tenant_id = open.interaction.realm.tenant.id.clone();
    let typed = email.clone();
    let checked = off_thread(&core, move |core| {
        let (lockout, now) = (core.config.lockout, core.now());
        accounts::check(&core.store, &tenant_id, &typed, &password, lockout, now)
    });
    match checked.await {
        Ok(Ok(user)) => finish(&core, &open, &user, false),
        Ok(Err(fault)) => {
            let locked = fault == Fault::Locked;
            core.note(if locked { Event::Locked } else { Event::PasswordRefused });
            sign_in_page(&core, &open.tx, &open.interaction, &email, &[fault])
        }
        Err(error) => fail(&open, &error),
    }
}

/// `POST /ui/sign-up`.
pub(super) async fn sign_up(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::parse(&body);
    let open = match find_posted(&core, &params, &headers) {
        Ok(open) => open,
        Err(language) => return page::expired(language),
    };
    if params.get("action") == Some("cancel") {
        return leave(&core, &open, Refusal::Cancelled);
    }
    let field = |name| params.get(name).unwrap_or_default().to_owned();
    let (email, name, password) = (field("email"), field("displayName"), field("password"));
    let confirmation = field("confirmPassword");
    let application = Application {
        email: &email,
        name: &name,
        password: &password,
        confirmation: &confirmation,
    };
    let faults = application.faults();
    if !faults.is_empty() {
        return sign_up_page(&open.tx, &open.interaction, (&email, &name), &faults);
    }
    let tenant_id = open.interaction.realm.tenant.id.clone();
    let typed = (email.clone(), name.clone());
    let made = off_thread(&core, move |core| {
        accounts::create(&core.store, &tenant_id, &typed.0, &typed.1, &password)
    });
    match made.await {
        Ok(user) => {
            core.note(Event::SignedUp);
            finish(&core, &open, &user, true)
        }
        Err(AccountError::Taken) => {
            let faults = [Fault::EmailTaken];
            sign_up_page(&open.tx, &open.interaction, (&email, &name), &faults)
        }
        Err(error) => fail(&open, &error),
    }
}

fn missing(email: &str, password: &str) -> Vec<Fault> {
    let email = email.trim().is_empty().then_some(Fault::EmailMissing);
    let password = password.is_empty().then_some(Fault::PasswordMissing);
    email.into_iter().chain(password).collect()
}

/// Runs what takes argon2's time where it holds nobody up.
async fn off_thread<T: Send + 'static>(
    core: &Arc<Core>,
    work: impl FnOnce(&Core) -> Result<T, AccountError> + Send + 'static,
) -> Result<T, AccountError> {
    let core = Arc::clone(core);
    let done = tokio::task::spawn_blocking(move || work(&core)).await;
    done.unwrap_or(Err(AccountError::Hash))
}

/// Signs the browser in and sends the code.
fn finish(core: &Core, open: &Open, user: &User, new_user: bool) -> Response {
    // Closed first: of two submissions only one may get a code.
    if !lock(&core.interactions).close(&open.tx) {
        return page::expired(open.interaction.language);
    }
    core.note(Event::SignedIn);
    let now = core.now();
    let Interaction { realm, asked, language, .. } = &open.interaction;
    let session = Session {
        tenant_id: user.tenant_id.clone(),
        oid: user.oid.clone(),
        auth_time: now,
        expires: now + seconds(core.config.lifetimes.session),
    };
    let occasion = SignedIn { auth_time: now, new_user };
    let done = core.store.open_session(&session).and_then(|cookie| {
        let mut response =
            deliver::code(core, realm, asked, (*language, Came::ByForm), user, occasion)?;
        cookies::set_session(&mut response, &realm.tenant, &cookie);
        Ok(response)
    });
    done.unwrap_or_else(|error| fail(open, &error.into()))
}

/// Leaves without signing in.
fn leave(core: &Core, open: &Open, refusal: Refusal) -> Response {
    if !lock(&core.interactions).close(&open.tx) {
        return page::expired(open.interaction.language);
    }
    let Interaction { realm, asked, language, .. } = &open.interaction;
    deliver::refusal(core, realm, &asked.return_to, (*language, Came::ByForm), refusal)
}

fn fail(open: &Open, error: &AccountError) -> Response {
    tracing::error!(%error, "a sign-in failed");
    page::failed(open.interaction.language)
}

/// The open page that a request names, if this browser opened it; else the language to say in
/// that it is not open.
fn find(core: &Core, params: &Params, headers: &HeaderMap) -> Result<Open, Language> {
    let tx = params.get("tx").unwrap_or_default();
    let browser = cookies::browser(headers);
    let found = lock(&core.interactions).find(tx, &browser, core.now()).cloned();
    match found {
        Some(interaction) => Ok(Open { tx: tx.to_owned(), interaction }),
        None => Err(language(params, headers)),
    }
}

/// As [`find`], for a form, which must carry its page's own token.
fn find_posted(core: &Core, params: &Params, headers: &HeaderMap) -> Result<Open, Language> {
    let open = find(core, params, headers)?;
    if random::same(&open.interaction.csrf, params.get("csrf").unwrap_or_default()) {
        Ok(open)
    } else {
        Err(open.interaction.language)
    }
}

fn offers_reset(core: &Core) -> bool {
    core.config.password_reset == PasswordReset::HandOff
}

/// The sign-in page.
pub(super) fn sign_in_page(
    core: &Core,
    tx: &str,
    interaction: &Interaction,
    email: &str,
    faults: &[Fault],
) -> Response {
    let w = interaction.language.words();
    let page = page::SignIn {
        w,
        language: interaction.language.tag(),
        tx,
        csrf: &interaction.csrf,
        email,
        forgot: offers_reset(core),
        faults: page::lines(faults, w),
    };
    page::render(&page, StatusCode::OK, &interaction.asked.return_to.redirect_uri)
}

fn sign_up_page(
    tx: &str,
    interaction: &Interaction,
    typed: (&str, &str),
    faults: &[Fault],
) -> Response {
    let page = page::SignUp::new(interaction.language, (tx, &interaction.csrf), typed, faults);
    page::render(&page, StatusCode::OK, &interaction.asked.return_to.redirect_uri)
}
