//! The page of the second factor: enrolling one at the first visit, asking for its code later.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::finish;
use super::form::{Button, CODE, Field, Form};
use super::open::{self, Open, cancels};
use crate::accounts::Fault;
use crate::engine::{Core, Event};
use crate::journey::{Arrival, Stage};
use crate::refusal::Refusal;
use crate::second_factor::{self, SecondFactorError};

const PATH: &str = "/ui/second-factor";

/// Somebody is known; now the second factor.
pub(super) fn begin(core: &Core, mut open: Open, arrival: Arrival) -> Response {
    let enrolling = match core.store.second_factor(&arrival.user.oid) {
        Ok(Some(_)) => None,
        Ok(None) => Some(second_factor::new_secret()),
        Err(error) => return open.fail(&error),
    };
    match open.move_on(core, Stage::SecondFactor(arrival, enrolling)) {
        Ok(()) => show(&open, &[]),
        Err(gone) => *gone,
    }
}

/// `GET /ui/second-factor`: the page again.
pub(super) async fn again(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match open::linked(&core, query, &headers) {
        Ok((open, _)) => show(&open, &[]),
        Err(page) => *page,
    }
}

/// `POST /ui/second-factor`.
pub(super) async fn submit(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (open, params) = match open::posted(&core, &body, &headers) {
        Ok(found) => found,
        Err(page) => return *page,
    };
    let Stage::SecondFactor(arrival, enrolling) = open.interaction.stage.clone() else {
        return open.expired();
    };
    if cancels(&params) {
        return open.leave(&core, Refusal::Cancelled);
    }
    let typed = params.get(CODE).unwrap_or_default();
    match judge(&core, &arrival, enrolling.as_deref(), typed) {
        Ok(Ok(())) => {
            let acr = open.interaction.asked.acr.clone();
            finish::finish(&core, &open, arrival.with_second_factor(core.now(), acr)).await
        }
        Ok(Err(fault)) => {
            core.note(Event::SecondFactorRefused);
            // The code that locks the factor ends the visit; others may be corrected.
            if fault == Fault::CodesUsedUp {
                open.leave(&core, Refusal::TooManyCodes)
            } else {
                show(&open, &[fault])
            }
        }
        Err(error) => open.fail(&error),
    }
}

fn judge(
    core: &Core,
    arrival: &Arrival,
    enrolling: Option<&[u8]>,
    typed: &str,
) -> Result<Result<(), Fault>, SecondFactorError> {
    let (oid, now) = (&arrival.user.oid, core.now());
    let verdict = match enrolling {
        Some(secret) => second_factor::confirm(&core.store, oid, secret, typed, now)?,
        None => second_factor::check(&core.store, oid, typed, core.config.code_lockout, now)?,
    };
    if verdict.is_ok() {
        if enrolling.is_some() {
            core.note(Event::SecondFactorEnrolled);
        }
        core.note(Event::SecondFactorShown);
    }
    Ok(verdict)
}

fn show(open: &Open, faults: &[Fault]) -> Response {
    let Stage::SecondFactor(arrival, enrolling) = &open.interaction.stage else {
        return open.expired();
    };
    let w = open.words();
    let (title, lead) =
        if enrolling.is_some() { (w.enrol_title, w.enrol_lead) } else { (w.otp_title, w.otp_lead) };
    let enrolment =
        enrolling.as_deref().map(|secret| second_factor::enrolment(secret, &arrival.user.email));
    let enrolment = match enrolment.transpose() {
        Ok(enrolment) => enrolment,
        Err(error) => return open.fail(&error),
    };
    let primary = Button { id: "verifyCode", label: w.go_on };
    let form = Form {
        fields: vec![Field::code(w.otp)],
        enrolment,
        ..Form::new(open, PATH, (title.to_owned(), lead.to_owned()), primary)
    };
    form.with_faults(faults).answer(open)
}
