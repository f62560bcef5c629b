//! The stand-ins for Google, Apple and Microsoft: a page that asks who it should say the person is.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::form::{Button, Field, Form};
use super::open::{self, Open, cancels};
use super::{finish, page};
use crate::accounts::{self, AccountError, Fault};
use crate::authorize::Params;
use crate::config::IdentityProvider;
use crate::engine::{Core, Event};
use crate::journey::{Arrival, Stage};
use crate::refusal::Refusal;
use crate::store::{StoreError, User};
use crate::words::fill;

const PATH: &str = "/ui/provider";

/// `GET /ui/provider`: a button of the sign-in page was pressed.
pub(super) async fn begin(
    State(core): State<Arc<Core>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match open::linked(&core, query, &headers) {
        Ok((open, params)) => match named(&core, &params) {
            Some(provider) => first_page(&core, &open, provider),
            None => page::not_found(),
        },
        Err(page) => *page,
    }
}

/// The page with nothing typed yet but what the app suggested.
pub(super) fn first_page(core: &Core, open: &Open, provider: IdentityProvider) -> Response {
    show(core, open, provider, (&open.interaction.asked.login_hint, ""), &[])
}

/// `POST /ui/provider`.
pub(super) async fn submit(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (open, params) = match open::posted(&core, &body, &headers) {
        Ok(found) => found,
        Err(page) => return *page,
    };
    let Some(provider) = named(&core, &params) else { return page::not_found() };
    if !matches!(open.interaction.stage, Stage::SignIn) {
        return open.expired();
    }
    if cancels(&params) {
        return open.leave(&core, Refusal::ProviderCancelled);
    }
    let chosen = match params.get("account") {
        Some(oid) => known(&core, &open, provider, oid).map_err(AccountError::from),
        None => {
            let faults = faults(&params);
            if !faults.is_empty() {
                return show(&core, &open, provider, typed(&params), &faults);
            }
            let (email, name) = typed(&params);
            let tenant_id = &open.interaction.realm.tenant.id;
            accounts::vouched(&core.store, tenant_id, provider.domain(), email, name).map(Some)
        }
    };
    match chosen {
        Ok(Some((user, new_user))) => {
            if new_user {
                core.note(Event::SignedUp);
            }
            finish::go_on(&core, open, Arrival::now(user, core.now(), new_user)).await
        }
        Ok(None) => open.expired(),
        Err(error) => open.fail(&error),
    }
}

/// The provider that a request names, where the configuration has it.
fn named(core: &Core, params: &Params) -> Option<IdentityProvider> {
    let provider = IdentityProvider::parse(params.get("idp")?)?;
    core.config.identity_providers.contains(&provider).then_some(provider)
}

fn typed(params: &Params) -> (&str, &str) {
    (params.get("email").unwrap_or_default(), params.get("displayName").unwrap_or_default())
}

fn faults(params: &Params) -> Vec<Fault> {
    let (email, name) = typed(params);
    let email = accounts::check_email(email).err();
    email.into_iter().chain(accounts::check_name(name).err()).collect()
}

/// Somebody of the list: of this tenant and this provider, whatever the form says.
fn known(
    core: &Core,
    open: &Open,
    provider: IdentityProvider,
    oid: &str,
) -> Result<Option<(User, bool)>, StoreError> {
    let tenant_id = &open.interaction.realm.tenant.id;
    let fits = |user: &User| {
        user.tenant_id == *tenant_id && user.idp.as_deref() == Some(provider.domain())
    };
    Ok(core.store.user(oid)?.filter(fits).map(|user| (user, false)))
}

fn show(
    core: &Core,
    open: &Open,
    provider: IdentityProvider,
    (email, name): (&str, &str),
    faults: &[Fault],
) -> Response {
    if !matches!(open.interaction.stage, Stage::SignIn) {
        return open.expired();
    }
    let tenant_id = &open.interaction.realm.tenant.id;
    let people = match core.store.all_vouched(tenant_id, provider.domain()) {
        Ok(people) => people,
        Err(error) => return open.fail(&error),
    };
    let w = open.words();
    let words = (fill(w.provider_title, provider.name()), fill(w.provider_lead, provider.name()));
    let form = Form {
        stand_in: Some(fill(w.stand_in, provider.name())),
        hidden: vec![("idp", provider.domain())],
        fields: vec![Field::email(w, email), Field::name(w, name)],
        people,
        ..Form::new(open, PATH, words, Button { id: "continue", label: w.go_on })
    };
    form.with_faults(faults).answer(open)
}
