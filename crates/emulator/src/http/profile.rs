//! The page of the profile edit policy.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::finish;
use super::form::{Button, Field, Form};
use super::open::{self, Open, cancels};
use crate::accounts::{self, Fault};
use crate::engine::{Core, Event};
use crate::journey::{Arrival, Stage};
use crate::refusal::Refusal;
use crate::words::fill;

const PATH: &str = "/ui/profile";

/// Somebody is known; now what they want changed.
pub(super) fn begin(core: &Core, mut open: Open, arrival: Arrival) -> Response {
    let name = arrival.user.name.clone();
    match open.move_on(core, Stage::Profile(arrival)) {
        Ok(()) => show(&open, &name, &[]),
        Err(gone) => *gone,
    }
}

/// `GET /ui/profile`: the page again.
pub(super) async fn again(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (open, _) = match open::linked(&core, query, &headers) {
        Ok(found) => found,
        Err(page) => return *page,
    };
    match &open.interaction.stage {
        Stage::Profile(arrival) => show(&open, &arrival.user.name, &[]),
        _ => open.expired(),
    }
}

/// `POST /ui/profile`. What the tokens of other policies say changes with their next issue, for
/// they read the account anew.
pub(super) async fn submit(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (open, params) = match open::posted(&core, &body, &headers) {
        Ok(found) => found,
        Err(page) => return *page,
    };
    let Stage::Profile(mut arrival) = open.interaction.stage.clone() else {
        return open.expired();
    };
    if cancels(&params) {
        return open.leave(&core, Refusal::Cancelled);
    }
    let typed = params.get("displayName").unwrap_or_default();
    let name = match accounts::check_name(typed) {
        Ok(name) => name,
        Err(fault) => return show(&open, typed, &[fault]),
    };
    if let Err(error) = core.store.rename(&arrival.user.oid, &name) {
        return open.fail(&error);
    }
    core.note(Event::ProfileEdited);
    arrival.user.name = name;
    finish::finish(&core, &open, arrival).await
}

fn show(open: &Open, name: &str, faults: &[Fault]) -> Response {
    let Stage::Profile(arrival) = &open.interaction.stage else { return open.expired() };
    let w = open.words();
    let words = (w.profile_title.to_owned(), fill(w.profile_lead, &arrival.user.email));
    let form = Form {
        fields: vec![Field::name(w, name)],
        ..Form::new(open, PATH, words, Button { id: "continue", label: w.save })
    };
    form.with_faults(faults).answer(open)
}
