//! The pages of the password reset policy: the address, the code that was mailed there, the new
//! password.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::finish;
use super::form::{Button, CODE, Field, Form, ShownMail};
use super::open::{self, Open, cancels};
use super::sign_in::off_thread;
use crate::accounts::{self, AccountError, Fault};
use crate::authorize::Params;
use crate::engine::{Core, Event, lock};
use crate::journey::{Arrival, Stage};
use crate::mailbox::{Mail, MailedCode};
use crate::refusal::Refusal;
use crate::store::User;
use crate::tokens::seconds;
use crate::words::fill;

const PATH: &str = "/ui/reset";

/// The page where the policy starts.
pub(super) fn first_page(open: &Open) -> Response {
    show(open, &open.interaction.asked.login_hint, &[])
}

/// `GET /ui/reset`: the page again.
pub(super) async fn again(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match open::linked(&core, query, &headers) {
        Ok((open, _)) => first_page(&open),
        Err(page) => *page,
    }
}

/// `POST /ui/reset`: what it means depends on how far the person has come.
pub(super) async fn submit(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (open, params) = match open::posted(&core, &body, &headers) {
        Ok(found) => found,
        Err(page) => return *page,
    };
    if cancels(&params) {
        return open.leave(&core, Refusal::Cancelled);
    }
    match open.interaction.stage.clone() {
        Stage::ResetAddress => {
            let typed = params.get("email").unwrap_or_default();
            match accounts::check_email(typed) {
                Ok(email) => mail(&core, open, email),
                Err(fault) => show(&open, typed, &[fault]),
            }
        }
        Stage::ResetCode(code) if params.get("action") == Some("sendAgain") => {
            mail(&core, open, code.to)
        }
        Stage::ResetCode(code) => check_code(&core, open, code, &params),
        Stage::ResetPassword(user) => save(&core, open, user, &params).await,
        Stage::SignIn | Stage::Profile(_) | Stage::SecondFactor(..) => open.expired(),
    }
}

/// "Mails" a code, whether the address has an account or not: only who reads its mail learns that.
fn mail(core: &Core, mut open: Open, to: String) -> Response {
    let code = MailedCode::new(to, core.now(), seconds(core.config.lifetimes.mailed_code));
    let at = core.config.clock.now();
    let (to, text) = (code.to.clone(), code.code.clone());
    lock(&core.mailbox).deliver(Mail { at, to, code: text });
    match open.move_on(core, Stage::ResetCode(code)) {
        Ok(()) => show(&open, "", &[]),
        Err(gone) => *gone,
    }
}

fn check_code(core: &Core, mut open: Open, mut code: MailedCode, params: &Params) -> Response {
    let typed = params.get(CODE).unwrap_or_default();
    let verdict = code.check(typed, core.now());
    let tenant_id = open.interaction.realm.tenant.id.clone();
    let (stage, fault) = match verdict {
        Err(fault) => (Stage::ResetCode(code), Some(fault)),
        Ok(()) => match core.store.account(&tenant_id, &code.to) {
            Ok(Some(account)) => (Stage::ResetPassword(account.user), None),
            Ok(None) => (Stage::ResetAddress, Some(Fault::NoSuchAccount)),
            Err(error) => return open.fail(&error),
        },
    };
    match open.move_on(core, stage) {
        Ok(()) => show(&open, "", fault.as_slice()),
        Err(gone) => *gone,
    }
}

async fn save(core: &Arc<Core>, open: Open, user: User, params: &Params) -> Response {
    let [password, confirmation] =
        ["password", "confirmPassword"].map(|name| params.get(name).unwrap_or_default().to_owned());
    if let Err(fault) = accounts::check_new_password(&password, &confirmation) {
        return show(&open, "", &[fault]);
    }
    let owner = user.clone();
    let saved: Result<(), AccountError> =
        off_thread(core, move |core| accounts::reset_password(&core.store, &owner, &password))
            .await;
    if let Err(error) = saved {
        return open.fail(&error);
    }
    core.note(Event::PasswordReset);
    let arrival = Arrival::now(user, core.now(), false);
    finish::go_on(core, open, arrival).await
}

fn show(open: &Open, email: &str, faults: &[Fault]) -> Response {
    let w = open.words();
    let both = |title: &str, lead: &str| (title.to_owned(), lead.to_owned());
    let form = match &open.interaction.stage {
        Stage::ResetAddress => Form {
            fields: vec![Field::email(w, email)],
            ..Form::new(
                open,
                PATH,
                both(w.reset_title, w.reset_lead),
                Button { id: "sendCode", label: w.send_code },
            )
        },
        Stage::ResetCode(code) => Form {
            fields: vec![Field::code(w.code)],
            mail: Some(ShownMail { text: fill(w.mailbox_text, &code.to), code: code.code.clone() }),
            more: Some(Button { id: "sendAgain", label: w.send_again }),
            ..Form::new(
                open,
                PATH,
                (w.mailed_title.to_owned(), fill(w.mailed_lead, &code.to)),
                Button { id: "verifyCode", label: w.go_on },
            )
        },
        Stage::ResetPassword(_) => Form {
            fields: Field::new_password(w, w.new_password).into(),
            ..Form::new(
                open,
                PATH,
                both(w.new_password_title, w.new_password_lead),
                Button { id: "continue", label: w.save_password },
            )
        },
        Stage::SignIn | Stage::Profile(_) | Stage::SecondFactor(..) => return open.expired(),
    };
    form.with_faults(faults).answer(open)
}
