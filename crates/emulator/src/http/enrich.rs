//! Asking the connector of a B2C tenant, or the extension of an External ID tenant, over HTTP.

use std::time::Duration;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::config::{ApiConnector, Client, PolicyKind, TokenIssuanceStart};
use crate::engine::{Core, Event, lock};
use crate::enrich::{self, Answer, Question, Said};
use crate::jwt::TokenSpec;
use crate::realm::{Realm, RealmKind};
use crate::refusal::Refusal;
use crate::store::User;
use crate::words::Language;

/// More than this is no answer.
const MOST: usize = 64 * 1024;

/// About whom and for whom.
#[derive(Clone, Copy)]
pub(super) struct Occasion<'a> {
    pub(super) realm: &'a Realm,
    pub(super) user: &'a User,
    pub(super) client: &'a Client,
}

/// Why nobody gets a token.
pub(super) enum Stop {
    /// A page with this message.
    Block(String),
    /// At the app.
    Refused(Refusal),
}

/// Who is to be asked.
enum Source<'a> {
    Connector(&'a ApiConnector),
    Extension(&'a TokenIssuanceStart),
}

/// The further claims of somebody who is signing in. B2C has this step in its sign-in policies only
/// (`b2c/add-api-connector-token-enrichment.md`).
pub(super) async fn at_sign_in(
    core: &Core,
    occasion: Occasion<'_>,
    language: Language,
) -> Result<Map<String, Value>, Stop> {
    let Some(source) = source(core, occasion.realm) else { return Ok(Map::new()) };
    match ask(core, &source, occasion, language.tag()).await {
        Ok(Said::Claims(claims)) => Ok(claims),
        Ok(Said::Block(message)) => Err(Stop::Block(message)),
        Err(refusal) => {
            core.note(Event::ClaimsRefused);
            Err(Stop::Refused(refusal))
        }
    }
}

/// The further claims at a refresh: those of the sign-in, unless the source is configured to be
/// asked again. One that then does not answer leaves them as they are, for a wall screen must not
/// go dark because of it.
pub(super) async fn at_refresh(
    core: &Core,
    occasion: Occasion<'_>,
    known: Map<String, Value>,
) -> Map<String, Value> {
    let asked_again = match source(core, occasion.realm) {
        Some(Source::Connector(connector)) if connector.at_refresh => Source::Connector(connector),
        Some(Source::Extension(extension)) if extension.at_refresh => Source::Extension(extension),
        _ => return known,
    };
    match ask(core, &asked_again, occasion, Language::English.tag()).await {
        Ok(Said::Claims(claims)) => claims,
        Ok(Said::Block(_)) | Err(_) => {
            core.note(Event::ClaimsRefused);
            known
        }
    }
}

fn source<'a>(core: &'a Core, realm: &Realm) -> Option<Source<'a>> {
    let signs_in = matches!(realm.journey, PolicyKind::SignUpSignIn | PolicyKind::Mfa);
    match realm.kind {
        RealmKind::B2c(_) if signs_in => core.config.connector.as_ref().map(Source::Connector),
        RealmKind::ExternalId => core.config.token_issuance_start.as_ref().map(Source::Extension),
        RealmKind::B2c(_) | RealmKind::Plain => None,
    }
}

async fn ask(
    core: &Core,
    source: &Source<'_>,
    Occasion { realm, user, client }: Occasion<'_>,
    locale: &str,
) -> Result<Said, Refusal> {
    core.note(Event::ClaimsAsked);
    let question = Question { realm, user, client, locale };
    match source {
        Source::Connector(connector) => {
            let request = core
                .outgoing
                .post(connector.url.clone())
                .basic_auth(&connector.username, Some(&connector.password))
                .json(&enrich::connector_body(question));
            let answer = answer(core, request, connector.timeout).await?;
            enrich::read_connector(&answer, connector)
        }
        Source::Extension(extension) => {
            let bearer = enrich::issuance_bearer(realm, extension, core.now());
            let bearer = core.sign(&TokenSpec::new(bearer)).map_err(|_| Refusal::Internal)?;
            let body = enrich::issuance_body(question, Uuid::new_v4());
            let request = || {
                let request = core.outgoing.post(extension.url.clone());
                request.bearer_auth(&bearer).json(&body)
            };
            let first = answer(core, request(), extension.timeout).await;
            // Entra tries once more where nobody answered in time.
            let answer = match first {
                Err(Refusal::ClaimsUnreadable) => {
                    answer(core, request(), extension.timeout).await?
                }
                first => first?,
            };
            enrich::read_issuance(&answer)
        }
    }
}

/// Sends a request. Whoever cannot be reached, takes too long or says too much gives no answer.
async fn answer(
    core: &Core,
    request: reqwest::RequestBuilder,
    timeout: Duration,
) -> Result<Answer, Refusal> {
    if lock(&core.lies).connector.take_first().is_some() {
        return Err(Refusal::ClaimsUnreadable);
    }
    let unreadable = |error: reqwest::Error| {
        tracing::warn!(error = %error.without_url(), "a claims source gave no answer");
        Refusal::ClaimsUnreadable
    };
    let mut response = request.timeout(timeout).send().await.map_err(unreadable)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(unreadable)? {
        if body.len() + piece.len() > MOST {
            return Err(Refusal::ClaimsUnreadable);
        }
        body.extend_from_slice(&piece);
    }
    let reason = status.canonical_reason().unwrap_or("Unknown");
    Ok(Answer { status: status.as_u16(), reason, body })
}
