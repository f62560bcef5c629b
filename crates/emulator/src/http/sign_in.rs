//! The forms of the sign-in and sign-up pages.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::form::{Button, Field, Form, Other};
use super::open::{self, Open, cancels};
use super::{finish, page};
use crate::accounts::{self, AccountError, Application, Fault};
use crate::config::{PasswordReset, PolicyKind};
use crate::engine::{Core, Event};
use crate::journey::{self, Arrival, Next, Stage};
use crate::refusal::Refusal;
use crate::words::Words;

/// `GET /ui/sign-in`: back from the sign-up page.
pub(super) async fn show_sign_in(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match open::linked(&core, query, &headers) {
        Ok((open, _)) => first_page(&core, &open),
        Err(page) => *page,
    }
}

/// `GET /ui/sign-up`.
pub(super) async fn show_sign_up(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match open::linked(&core, query, &headers) {
        Ok((open, _)) if signs_up(&open) => {
            sign_up_page(&open, (&open.interaction.asked.login_hint, ""), &[])
        }
        Ok(_) => page::not_found(),
        Err(page) => *page,
    }
}

/// `GET /ui/forgot-password`: the app is to run the reset policy (AADB2C90118).
pub(super) async fn forgot_password(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match open::linked(&core, query, &headers) {
        Ok((open, _)) if offers_reset(&core) => open.leave(&core, Refusal::ForgotPassword),
        Ok(_) => page::not_found(),
        Err(page) => *page,
    }
}

/// `POST /ui/sign-in`.
pub(super) async fn sign_in(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (open, params) = match open::posted(&core, &body, &headers) {
        Ok(found) => found,
        Err(page) => return *page,
    };
    if !matches!(open.interaction.stage, Stage::SignIn) {
        return open.expired();
    }
    if cancels(&params) {
        return open.leave(&core, Refusal::Cancelled);
    }
    let email = params.get("email").unwrap_or_default().to_owned();
    let password = params.get("password").unwrap_or_default().to_owned();
    let faults = missing(&email, &password);
    if !faults.is_empty() {
        return sign_in_page(&core, &open, &email, &faults);
    }
    let tenant_id = open.interaction.realm.tenant.id.clone();
    let typed = email.clone();
    let checked = off_thread(&core, move |core| {
        let (lockout, now) = (core.config.lockout, core.now());
        accounts::check(&core.store, &tenant_id, &typed, &password, lockout, now)
    });
    match checked.await {
        Ok(Ok(user)) => finish::go_on(&core, open, Arrival::now(user, core.now(), false)).await,
        Ok(Err(fault)) => {
            let locked = fault == Fault::Locked;
            core.note(if locked { Event::Locked } else { Event::PasswordRefused });
            sign_in_page(&core, &open, &email, &[fault])
        }
        Err(error) => open.fail(&error),
    }
}

/// `POST /ui/sign-up`.
pub(super) async fn sign_up(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (open, params) = match open::posted(&core, &body, &headers) {
        Ok(found) => found,
        Err(page) => return *page,
    };
    if !signs_up(&open) {
        return open.expired();
    }
    if cancels(&params) {
        return open.leave(&core, Refusal::Cancelled);
    }
    let typed = |name: &str| params.get(name).unwrap_or_default().to_owned();
    let (email, name) = (typed("email"), typed("displayName"));
    let [password, confirmation] = ["password", "confirmPassword"].map(typed);
    let application = Application {
        email: &email,
        name: &name,
        password: &password,
        confirmation: &confirmation,
    };
    let faults = application.faults();
    if !faults.is_empty() {
        return sign_up_page(&open, (&email, &name), &faults);
    }
    let tenant_id = open.interaction.realm.tenant.id.clone();
    let known = (email.clone(), name.clone());
    let made = off_thread(&core, move |core| {
        accounts::create(&core.store, &tenant_id, &known.0, &known.1, &password)
    });
    match made.await {
        Ok(user) => {
            core.note(Event::SignedUp);
            finish::go_on(&core, open, Arrival::now(user, core.now(), true)).await
        }
        Err(AccountError::Taken) => sign_up_page(&open, (&email, &name), &[Fault::EmailTaken]),
        Err(error) => open.fail(&error),
    }
}

fn missing(email: &str, password: &str) -> Vec<Fault> {
    let email = email.trim().is_empty().then_some(Fault::EmailMissing);
    let password = password.is_empty().then_some(Fault::PasswordMissing);
    email.into_iter().chain(password).collect()
}

/// Runs what takes argon2's time where it holds nobody up.
pub(super) async fn off_thread<T: Send + 'static>(
    core: &Arc<Core>,
    work: impl FnOnce(&Core) -> Result<T, AccountError> + Send + 'static,
) -> Result<T, AccountError> {
    let core = Arc::clone(core);
    let done = tokio::task::spawn_blocking(move || work(&core)).await;
    done.unwrap_or(Err(AccountError::Hash))
}

fn offers_reset(core: &Core) -> bool {
    core.config.password_reset == PasswordReset::HandOff
}

/// Whether an account may be made on this page: not by those who come to change theirs.
fn signs_up(open: &Open) -> bool {
    let at_start = matches!(open.interaction.stage, Stage::SignIn);
    at_start && open.interaction.realm.journey != PolicyKind::ProfileEdit
}

/// The sign-in page with nothing typed yet but what the app suggested.
pub(super) fn first_page(core: &Core, open: &Open) -> Response {
    sign_in_page(core, open, &open.interaction.asked.login_hint, &[])
}

fn sign_in_page(core: &Core, open: &Open, email: &str, faults: &[Fault]) -> Response {
    if !matches!(open.interaction.stage, Stage::SignIn) {
        return open.expired();
    }
    let w = open.words();
    let (title, lead) = greeting(open, w);
    let page = page::SignIn {
        w,
        language: open.interaction.language.tag(),
        tx: &open.tx,
        csrf: &open.interaction.csrf,
        title,
        lead,
        email,
        forgot: offers_reset(core),
        signs_up: signs_up(open),
        providers: &core.config.identity_providers,
        faults: page::lines(faults, w),
    };
    page::render(&page, StatusCode::OK, &open.interaction.asked.return_to.redirect_uri)
}

/// Why somebody is to sign in.
fn greeting(open: &Open, w: &'static Words) -> (&'static str, &'static str) {
    match journey::next(&open.interaction.realm, &open.interaction.asked) {
        Next::Finish => (w.sign_in_title, w.sign_in_lead),
        Next::SecondFactor => (w.confirm_title, w.confirm_lead),
        Next::Profile => (w.sign_in_title, w.edit_sign_in_lead),
    }
}

fn sign_up_page(open: &Open, (email, name): (&str, &str), faults: &[Fault]) -> Response {
    let w = open.words();
    let [password, confirmation] = Field::new_password(w, w.password);
    let words = (w.sign_up_title.to_owned(), w.sign_up_lead.to_owned());
    let form = Form {
        fields: vec![Field::email(w, email), Field::name(w, name), password, confirmation],
        other: Some(Other {
            text: w.known_here,
            id: "signIn",
            path: "/ui/sign-in",
            label: w.sign_in_link,
        }),
        ..Form::new(open, "/ui/sign-up", words, Button { id: "continue", label: w.create })
    };
    form.with_faults(faults).answer(open)
}
