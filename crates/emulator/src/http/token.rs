//! The token endpoint.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{deliver, enrich, private_json};
use crate::answer::{self, Parts};
use crate::authorize::{Params, find_client_by_id};
use crate::config::{Client, ClientKind};
use crate::engine::{Core, Event, lock};
use crate::jwt::TokenSpec;
use crate::keys::KeyError;
use crate::pkce;
use crate::random;
use crate::realm::{Realm, RealmKind};
use crate::refusal::Refusal;
use crate::scope::{self, Scopes};
use crate::store::{Grant, Presentation, Redemption, RefreshLife, StoreError, Turn, User};
use crate::tokens::{self, Occasion, seconds};

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
enum TokenError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Redeems a code or a refresh token, or gives a client a token of its own.
pub(super) async fn token(
    core: &Core,
    realm: &Realm,
    form: &Params,
    headers: &HeaderMap,
) -> Response {
    let request = Request { core, realm, form };
    match request.answer(headers).await {
        Ok(body) => private_json(StatusCode::OK, &body),
        Err(TokenError::Refused(refusal)) => {
            let report = deliver::report(core, realm, refusal);
            let status = report.refusal.status(report.dialect);
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            private_json(status, &report.body())
        }
        Err(error) => {
            tracing::error!(%error, "a token request failed");
            let body = deliver::report(core, realm, Refusal::Internal).body();
            private_json(StatusCode::INTERNAL_SERVER_ERROR, &body)
        }
    }
}

struct Request<'a> {
    core: &'a Core,
    realm: &'a Realm,
    form: &'a Params,
}

/// What a redeemed grant is worth.
struct Redeemed<'a> {
    grant: &'a Grant,
    scopes: Scopes,
    user: User,
    refresh: Option<(String, i64)>,
}

impl Request<'_> {
    async fn answer(&self, headers: &HeaderMap) -> Result<serde_json::Value, TokenError> {
        if let Some(name) = self.form.repeated() {
            return Err(Refusal::BadInput(name.to_owned()).into());
        }
        let grant_type =
            self.form.get("grant_type").ok_or(Refusal::MissingParameter("grant_type"))?;
        let client = self.client(headers)?;
        match grant_type {
            "authorization_code" => self.redeem_code(client),
            "refresh_token" => self.refresh(client).await,
            "client_credentials" => self.daemon(client),
            other => Err(Refusal::GrantType { value: other.to_owned() }.into()),
        }
    }

    /// The client, once it has shown what its kind must show (RFC 6749 section 2.3.1).
    fn client(&self, headers: &HeaderMap) -> Result<&Client, Refusal> {
        let basic = basic_credentials(headers);
        let (basic_id, basic_secret) = basic.unzip();
        let id = self.form.get("client_id").map(str::to_owned).or(basic_id);
        let secret = self.form.get("client_secret").map(str::to_owned).or(basic_secret);
        let id = id.ok_or(Refusal::NoClientId)?;
        let client = find_client_by_id(&id, self.realm, &self.core.config)?;
        match (&client.kind, secret) {
            (ClientKind::Confidential { .. }, None) => Err(Refusal::SecretRequired),
            (ClientKind::Confidential { secret }, Some(given)) if !random::same(secret, &given) => {
                Err(Refusal::SecretWrong)
            }
            (ClientKind::Native | ClientKind::SinglePage, Some(_)) => Err(Refusal::SecretUnwelcome),
            _ => Ok(client),
        }
    }

    fn redeem_code(&self, client: &Client) -> Result<serde_json::Value, TokenError> {
        let (core, now) = (self.core, self.core.now());
        let code = self.form.get("code").ok_or(Refusal::MissingParameter("code"))?;
        let grant = match core.store.code(code, now)? {
            Redemption::Open(grant) => grant,
            Redemption::Unknown => return Err(Refusal::GrantRevoked.into()),
            Redemption::Expired { issued, expires } => {
                return Err(Refusal::GrantExpired { now, issued, window_end: expires }.into());
            }
            Redemption::Spent => {
                core.note(Event::CodeReused);
                return Err(Refusal::GrantRevoked.into());
            }
        };
        self.check_binding(&grant, client)?;
        self.check_redirect_uri(&grant)?;
        pkce::verify(grant.challenge.as_deref(), self.form.get("code_verifier"))?;
        let user = self.user(&grant)?;
        let life = self.refresh_life(client);
        let family = core.store.spend_code(code, &grant, now, life)?;
        let family = family.ok_or(Refusal::GrantRevoked)?;
        core.note(Event::CodeRedeemed);
        let refresh = if grant.scopes.offline {
            let token = core.store.issue_refresh_token(&family, now, life)?;
            Some((token, life.token.min(life.window)))
        } else {
            None
        };
        let scopes = grant.scopes.clone();
        self.tokens(Redeemed { grant: &grant, scopes, user, refresh })
    }

    async fn refresh(&self, client: &Client) -> Result<serde_json::Value, TokenError> {
        let (core, now) = (self.core, self.core.now());
        let token =
            self.form.get("refresh_token").ok_or(Refusal::MissingParameter("refresh_token"))?;
        let grant = match core.store.presentation(token)? {
            Presentation::Known(grant) => grant,
            Presentation::Unknown => return Err(Refusal::GrantRevoked.into()),
        };
        self.check_binding(&grant, client)?;
        let user = self.user(&grant)?;
        let asked = self.form.get("scope");
        let clients = &core.config.clients;
        let scopes = scope::narrow(&grant.scopes, self.realm.kind, asked, client, clients)?;
        let life = self.refresh_life(client);
        let turn = core.store.turn_over(token, core.config.refresh_mode, now, life)?;
        let refresh = match turn {
            Turn::Issued { refresh_token, expires_in } => (refresh_token, expires_in),
            Turn::Refused { refusal, reuse } => {
                if reuse {
                    core.note(Event::RefreshReuseDetected);
                }
                return Err(refusal.into());
            }
        };
        core.note(Event::Refreshed);
        let refresh = Some(refresh);
        let occasion = enrich::Occasion { realm: self.realm, user: &user, client };
        let extensions = enrich::at_refresh(core, occasion, grant.extensions.clone()).await;
        let grant = Grant { extensions, new_user: false, ..*grant };
        self.tokens(Redeemed { grant: &grant, scopes, user, refresh })
    }

    /// The client credentials grant (RFC 6749 section 4.4): no person, no refresh token.
    fn daemon(&self, client: &Client) -> Result<serde_json::Value, TokenError> {
        if !matches!(client.kind, ClientKind::Confidential { .. }) {
            return Err(Refusal::SecretRequired.into());
        }
        let resource = scope::own(self.form.get("scope"), client, &self.core.config.clients)?;
        let now = self.core.now();
        let claims =
            tokens::daemon_token(self.realm, &self.core.config, &client.id, &resource, now);
        let token = self.core.sign(&TokenSpec::new(claims))?;
        self.core.note(Event::DaemonTokenIssued);
        let body = answer::daemon(self.realm, &self.core.config, token, &resource.audience, now);
        Ok(answer::with_numbers(body, self.core.config.numbers))
    }

    /// A grant is of one policy and one client (AADB2C90088 names both policies).
    fn check_binding(&self, grant: &Grant, client: &Client) -> Result<(), Refusal> {
        let here = self.realm.binding();
        if grant.binding != here {
            let actual = grant.binding.policy.clone();
            return Err(Refusal::WrongPolicy { actual, expected: here.policy });
        }
        if grant.client_id != client.id {
            let expected = grant.client_id.clone();
            return Err(Refusal::WrongClient { actual: client.id.clone(), expected });
        }
        Ok(())
    }

    /// RFC 6749 section 4.1.3.
    fn check_redirect_uri(&self, grant: &Grant) -> Result<(), Refusal> {
        let uri = self.form.get("redirect_uri").ok_or(Refusal::MissingParameter("redirect_uri"))?;
        if uri == grant.redirect_uri {
            return Ok(());
        }
        Err(Refusal::RedirectUri { uri: uri.to_owned(), client: grant.client_id.clone() })
    }

    fn user(&self, grant: &Grant) -> Result<User, TokenError> {
        Ok(self.core.store.user(&grant.oid)?.ok_or(Refusal::AccountGone)?)
    }

    /// Refresh tokens of single-page apps end after a day, whatever is configured.
    fn refresh_life(&self, client: &Client) -> RefreshLife {
        const DAY: i64 = 86_400;
        let lifetimes = self.core.config.lifetimes;
        match client.kind {
            ClientKind::SinglePage => RefreshLife { token: DAY, window: DAY },
            _ => RefreshLife {
                token: seconds(lifetimes.refresh_token),
                window: seconds(lifetimes.refresh_window),
            },
        }
    }

    fn tokens(&self, redeemed: Redeemed<'_>) -> Result<serde_json::Value, TokenError> {
        let Redeemed { grant, scopes, user, refresh } = redeemed;
        let core = self.core;
        let occasion = Occasion {
            user: &user,
            client_id: &grant.client_id,
            nonce: grant.nonce.as_deref(),
            auth_time: grant.auth_time,
            amr: &grant.amr,
            acr: grant.acr.as_deref(),
            extensions: &grant.extensions,
            new_user: grant.new_user,
            now: core.now(),
        };
        let minted = core.mint(self.realm, &scopes, &occasion)?;
        let parts = Parts {
            id_token: minted.id_token,
            access_token: minted.access_token,
            refresh,
            scopes: &scopes,
            user: &user,
            client_info: self.form.get("client_info") == Some("1"),
            now: occasion.now,
        };
        let lies = lock(&core.lies).response.take_all();
        let mut body = match self.realm.kind {
            RealmKind::B2c(_) => answer::b2c(self.realm, &core.config, parts),
            RealmKind::ExternalId | RealmKind::Plain => {
                answer::other(self.realm, &core.config, parts)
            }
        };
        answer::falsify(&lies, &mut body);
        Ok(answer::with_numbers(body, core.config.numbers))
    }
}

/// `Authorization: Basic` with form-encoded parts (RFC 6749 section 2.3.1).
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode(id), decode(secret)))
}

fn decode(part: &str) -> String {
    url::form_urlencoded::parse(part.as_bytes()).map(|(key, _)| key.into_owned()).collect()
}
