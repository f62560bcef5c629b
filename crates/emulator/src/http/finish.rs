//! What follows once somebody has shown who they are: the next page, or the code.

use std::sync::Arc;

use axum::response::Response;

use super::deliver::{self, Came};
use super::enrich::{self, Stop};
use super::open::Open;
use super::{cookies, page, profile, second_factor};
use crate::authorize::Asked;
use crate::engine::{Core, Event, lock};
use crate::interaction::Interaction;
use crate::journey::{self, Arrival, Next};
use crate::realm::Realm;
use crate::store::{Session, StoreError};
use crate::tokens::seconds;
use crate::words::Language;

/// Goes on from an open page: to what the policy still asks for, or to the app.
pub(super) async fn go_on(core: &Arc<Core>, open: Open, arrival: Arrival) -> Response {
    let Interaction { realm, asked, .. } = &open.interaction;
    match journey::next(realm, asked) {
        Next::Finish => finish(core, &open, arrival).await,
        Next::SecondFactor => second_factor::begin(core, open, arrival),
        Next::Profile => profile::begin(core, open, arrival),
    }
}

/// Closes the page and sends the code.
pub(super) async fn finish(core: &Arc<Core>, open: &Open, arrival: Arrival) -> Response {
    // Closed first: of two submissions only one may get a code.
    if !lock(&core.interactions).close(&open.tx) {
        return open.expired();
    }
    core.note(Event::SignedIn);
    let Interaction { realm, asked, language, .. } = &open.interaction;
    send(core, realm, asked, (*language, Came::ByForm), &arrival).await
}

/// Asks for further claims, signs the browser in and sends the code.
pub(super) async fn send(
    core: &Arc<Core>,
    realm: &Realm,
    asked: &Asked,
    ending: (Language, Came),
    arrival: &Arrival,
) -> Response {
    let question = enrich::Occasion { realm, user: &arrival.user, client: &asked.client };
    let extensions = match enrich::at_sign_in(core, question, ending.0).await {
        Ok(extensions) => extensions,
        Err(Stop::Block(message)) => return page::blocked(ending.0, &message),
        Err(Stop::Refused(refusal)) => {
            return deliver::refusal(core, realm, &asked.return_to, ending, refusal);
        }
    };
    let done = deliver::code(core, realm, asked, ending, arrival, extensions)
        .and_then(|response| with_session(core, realm, arrival, response));
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "a code could not be issued");
        page::failed(ending.0)
    })
}

fn with_session(
    core: &Core,
    realm: &Realm,
    arrival: &Arrival,
    mut response: Response,
) -> Result<Response, StoreError> {
    if arrival.opens_session {
        let session = Session {
            tenant_id: arrival.user.tenant_id.clone(),
            oid: arrival.user.oid.clone(),
            auth_time: arrival.auth_time,
            expires: core.now() + seconds(core.config.lifetimes.session),
        };
        let cookie = core.store.open_session(&session)?;
        cookies::set_session(&mut response, &realm.tenant, &cookie);
    }
    Ok(response)
}
