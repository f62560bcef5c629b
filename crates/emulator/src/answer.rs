//! The token response, member by member. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::config::{Config, NumberStyle};
use crate::lies::ResponseLie;
use crate::realm::Realm;
use crate::scope::Scopes;
use crate::store::User;
use crate::tokens::seconds;

/// What goes into a token response.
pub(crate) struct Parts<'a> {
    pub(crate) id_token: Option<String>,
    pub(crate) access_token: Option<String>,
    /// The refresh token and its life in seconds.
    pub(crate) refresh: Option<(String, i64)>,
    pub(crate) scopes: &'a Scopes,
    pub(crate) user: &'a User,
    /// The request said `client_info=1`, as MSAL does.
    pub(crate) client_info: bool,
    /// Unix seconds.
    pub(crate) now: i64,
}

type Body = Map<String, Value>;

/// B2C's response, as captured by the MSAL projects. Without an access token its lifetime members
/// are missing too.
pub(crate) fn b2c(realm: &Realm, config: &Config, parts: Parts<'_>) -> Body {
    let life = seconds(config.lifetimes.access_token);
    let mut body = Body::new();
    let has_access_token = parts.access_token.is_some();
    put(&mut body, "access_token", parts.access_token);
    put(&mut body, "id_token", parts.id_token);
    put(&mut body, "token_type", Some("Bearer"));
    put(&mut body, "not_before", Some(parts.now));
    if has_access_token {
        put(&mut body, "expires_in", Some(life));
        put(&mut body, "expires_on", Some(parts.now + life));
        let resource = parts.scopes.resource.as_ref();
        put(&mut body, "resource", resource.map(|resource| resource.audience.clone()));
    }
    if parts.client_info {
        put(&mut body, "client_info", Some(client_info(realm, parts.user)));
    } else {
        put(&mut body, "id_token_expires_in", Some(seconds(config.lifetimes.id_token)));
        put(&mut body, "profile_info", Some(profile_info(realm, parts.user)));
    }
    put(&mut body, "scope", Some(parts.scopes.text.clone()));
    if let Some((token, life)) = parts.refresh {
        put(&mut body, "refresh_token", Some(token));
        put(&mut body, "refresh_token_expires_in", Some(life));
    }
    body
}

/// The response of External ID and of the plain issuer (RFC 6749 section 5.1).
pub(crate) fn other(realm: &Realm, config: &Config, parts: Parts<'_>) -> Body {
    let life = seconds(config.lifetimes.access_token);
    let mut body = Body::new();
    put(&mut body, "token_type", Some("Bearer"));
    put(&mut body, "scope", Some(parts.scopes.text.clone()));
    put(&mut body, "expires_in", Some(life));
    put(&mut body, "access_token", parts.access_token);
    put(&mut body, "id_token", parts.id_token);
    put(&mut body, "refresh_token", parts.refresh.map(|(token, _)| token));
    if realm.kind == crate::realm::RealmKind::ExternalId {
        put(&mut body, "ext_expires_in", Some(life));
        if parts.client_info {
            put(&mut body, "client_info", Some(client_info(realm, parts.user)));
        }
    }
    body
}

/// The response to a client that acts for nobody: no ID token, no refresh token, no profile.
pub(crate) fn daemon(
    realm: &Realm,
    config: &Config,
    access_token: String,
    audience: &str,
    now: i64,
) -> Body {
    let life = seconds(config.lifetimes.access_token);
    let mut body = Body::new();
    put(&mut body, "access_token", Some(access_token));
    put(&mut body, "token_type", Some("Bearer"));
    put(&mut body, "expires_in", Some(life));
    if matches!(realm.kind, crate::realm::RealmKind::B2c(_)) {
        put(&mut body, "not_before", Some(now));
        put(&mut body, "expires_on", Some(now + life));
        put(&mut body, "resource", Some(audience));
    }
    body
}

fn put(body: &mut Body, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value.into());
    }
}

/// `{"uid":"{oid}-{policy}","utid":"{tenant}"}` in base64url.
fn client_info(realm: &Realm, user: &User) -> String {
    let uid = match realm.policy_lower().as_str() {
        "" => user.oid.clone(),
        policy => format!("{}-{policy}", user.oid),
    };
    URL_SAFE_NO_PAD.encode(json!({ "uid": uid, "utid": realm.tenant.id }).to_string())
}

fn profile_info(realm: &Realm, user: &User) -> String {
    let profile = json!({
        "ver": "1.0",
        "tid": realm.tenant.id,
        "sub": null,
        "name": user.name,
        "preferred_username": null,
        "idp": null,
    });
    URL_SAFE_NO_PAD.encode(profile.to_string())
}

/// Changes a response as the control asks.
pub(crate) fn falsify(lies: &[ResponseLie], body: &mut Body) {
    for lie in lies {
        match lie {
            ResponseLie::NoRefreshToken => {
                body.remove("refresh_token");
                body.remove("refresh_token_expires_in");
            }
            ResponseLie::NoIdToken => {
                body.remove("id_token");
            }
            ResponseLie::NoAccessToken => {
                body.remove("access_token");
            }
            ResponseLie::LowerCaseTokenType => {
                body.insert("token_type".into(), json!("bearer"));
            }
            ResponseLie::NoExpiresIn => {
                body.remove("expires_in");
            }
        }
    }
}

/// Numbers as numbers or, as legacy policies have it, as strings.
pub(crate) fn with_numbers(mut body: Body, style: NumberStyle) -> Value {
    if style == NumberStyle::Strings {
        for value in body.values_mut().filter(|value| value.is_number()) {
            *value = Value::String(value.to_string());
        }
    }
    Value::Object(body)
}
