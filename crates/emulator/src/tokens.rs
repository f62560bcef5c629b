//! The claims of ID and access tokens, in the shape of each product. Pure.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::config::{Config, PolicyClaim};
use crate::random;
use crate::realm::{Realm, RealmKind};
use crate::scope::Resource;
use crate::store::User;

/// Who a token is about, and on what occasion.
#[derive(Debug, Clone)]
pub(crate) struct Occasion<'a> {
    pub(crate) user: &'a User,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: Option<&'a str>,
    /// Unix seconds of the last proof: a password, a code, or another provider's word.
    pub(crate) auth_time: i64,
    /// The proofs (RFC 8176).
    pub(crate) amr: &'a [String],
    /// The authentication context that was asked for and reached.
    pub(crate) acr: Option<&'a str>,
    /// What the connector said.
    pub(crate) extensions: &'a Map<String, Value>,
    /// Whether this very sign-in made the account.
    pub(crate) new_user: bool,
    /// Unix seconds.
    pub(crate) now: i64,
}

/// The claims of an ID token. `at_hash` is the caller's to give.
pub(crate) fn id_token(
    realm: &Realm,
    config: &Config,
    occasion: &Occasion<'_>,
    at_hash: Option<String>,
) -> Map<String, Value> {
    let life = seconds(config.lifetimes.id_token);
    let mut claims = common(realm, occasion, occasion.client_id, life);
    claims.extend(person(realm, config, occasion));
    claims.extend(proof(realm, occasion));
    extend(&mut claims, occasion.extensions);
    // Entra's ID tokens of the code flow carry none.
    if realm.kind != RealmKind::ExternalId
        && let Some(at_hash) = at_hash
    {
        claims.insert("at_hash".into(), json!(at_hash));
    }
    claims
}

/// The claims of an access token.
pub(crate) fn access_token(
    realm: &Realm,
    config: &Config,
    occasion: &Occasion<'_>,
    resource: &Resource,
) -> Map<String, Value> {
    let life = seconds(config.lifetimes.access_token);
    let mut claims = common(realm, occasion, &resource.audience, life);
    claims.extend(person(realm, config, occasion));
    claims.extend(proof(realm, occasion));
    extend(&mut claims, occasion.extensions);
    if realm.kind == RealmKind::Plain {
        // RFC 9068 section 2.2.
        claims.insert("client_id".into(), json!(occasion.client_id));
        claims.insert("jti".into(), json!(random::token()));
        claims.insert("scope".into(), json!(resource.names.join(" ")));
    } else {
        claims.insert("azp".into(), json!(occasion.client_id));
        if !resource.names.is_empty() {
            claims.insert("scp".into(), json!(resource.names.join(" ")));
        }
    }
    claims
}

/// When and how the person showed who they are, in ID and access tokens alike: RFC 9068 section
/// 2.2.1 for the plain issuer, optional claims of the app registration at External ID. That B2C's
/// access tokens carry `auth_time` is inferred; its user flows name no methods.
fn proof(realm: &Realm, occasion: &Occasion<'_>) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("auth_time".into(), json!(occasion.auth_time));
    if matches!(realm.kind, RealmKind::B2c(_)) {
        return claims;
    }
    if !occasion.amr.is_empty() {
        claims.insert("amr".into(), json!(occasion.amr));
    }
    match (realm.kind, occasion.acr) {
        (RealmKind::ExternalId, Some(acr)) => claims.insert("acrs".into(), json!([acr])),
        (_, Some(acr)) => claims.insert("acr".into(), json!(acr)),
        (_, None) => None,
    };
    claims
}

/// Adds claims of others; none replaces a claim that is the provider's to make.
fn extend(claims: &mut Map<String, Value>, extensions: &Map<String, Value>) {
    for (name, value) in extensions {
        if !claims.contains_key(name) && !RESERVED.contains(&name.as_str()) {
            claims.insert(name.clone(), value.clone());
        }
    }
}

/// Claims that say what a token is; those that are there already are safe anyway.
const RESERVED: [&str; 10] =
    ["acr", "acrs", "amr", "at_hash", "azp", "client_id", "idp", "jti", "roles", "scp"];

/// The claims of the client credentials grant: no person, the caller as subject, and its app roles
/// in `scp` (`roles` at External ID), so that whoever reads `scp` alone takes a daemon for a user.
pub(crate) fn daemon_token(
    realm: &Realm,
    config: &Config,
    client_id: &str,
    resource: &Resource,
    now: i64,
) -> Map<String, Value> {
    let life = seconds(config.lifetimes.access_token);
    let mut claims = Map::new();
    claims.insert("iss".into(), json!(realm.issuer()));
    claims.insert("aud".into(), json!(resource.audience));
    claims.insert("iat".into(), json!(now));
    claims.insert("nbf".into(), json!(now));
    claims.insert("exp".into(), json!(now + life));
    claims.insert("sub".into(), json!(service_principal(realm, client_id)));
    claims.insert("azp".into(), json!(client_id));
    match realm.kind {
        RealmKind::B2c(_) => {
            claims.insert("ver".into(), json!("1.0"));
            claims.insert("tid".into(), json!(realm.tenant.id));
            claims.insert("azpacr".into(), json!("1"));
            if !resource.names.is_empty() {
                claims.insert("scp".into(), json!(resource.names.join(" ")));
            }
        }
        RealmKind::ExternalId => {
            claims.insert("ver".into(), json!("2.0"));
            claims.insert("tid".into(), json!(realm.tenant.id));
            claims.insert("oid".into(), json!(service_principal(realm, client_id)));
            claims.insert("azpacr".into(), json!("1"));
            claims.insert("idtyp".into(), json!("app"));
            claims.insert("roles".into(), json!(resource.names));
        }
        RealmKind::Plain => {
            claims.insert("client_id".into(), json!(client_id));
            claims.insert("jti".into(), json!(random::token()));
            claims.insert("scope".into(), json!(resource.names.join(" ")));
        }
    }
    claims
}

/// The object id of an application in a tenant: the same each time, a GUID, nobody's account.
fn service_principal(realm: &Realm, client_id: &str) -> String {
    let digest = random::digest(&format!("{}\n{client_id}", realm.tenant.id));
    uuid::Builder::from_custom_bytes(digest).into_uuid().to_string()
}

fn common(realm: &Realm, occasion: &Occasion<'_>, audience: &str, life: i64) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("iss".into(), json!(realm.issuer()));
    claims.insert("aud".into(), json!(audience));
    claims.insert("iat".into(), json!(occasion.now));
    claims.insert("nbf".into(), json!(occasion.now));
    claims.insert("exp".into(), json!(occasion.now + life));
    claims.insert("sub".into(), json!(subject(realm, occasion)));
    if let Some(nonce) = occasion.nonce {
        claims.insert("nonce".into(), json!(nonce));
    }
    claims
}

/// B2C's subject is the object id; External ID's is pairwise; the plain issuer's is the account.
fn subject(realm: &Realm, occasion: &Occasion<'_>) -> String {
    match realm.kind {
        RealmKind::B2c(_) | RealmKind::Plain => occasion.user.oid.clone(),
        RealmKind::ExternalId => {
            random::hash(&format!("{}\n{}", occasion.user.oid, occasion.client_id))
        }
    }
}

fn person(realm: &Realm, config: &Config, occasion: &Occasion<'_>) -> Map<String, Value> {
    let user = occasion.user;
    let mut claims = Map::new();
    claims.insert("name".into(), json!(user.name));
    if let Some(idp) = &user.idp {
        claims.insert("idp".into(), json!(idp));
    }
    match realm.kind {
        RealmKind::B2c(_) => {
            claims.insert("ver".into(), json!("1.0"));
            claims.insert("oid".into(), json!(user.oid));
            claims.insert("emails".into(), json!([user.email]));
            if occasion.new_user {
                claims.insert("newUser".into(), json!(true));
            }
            let name = match config.policy_claim {
                PolicyClaim::Tfp => "tfp",
                PolicyClaim::Acr => "acr",
            };
            claims.insert(name.into(), json!(realm.policy));
        }
        RealmKind::ExternalId => {
            claims.insert("ver".into(), json!("2.0"));
            claims.insert("oid".into(), json!(user.oid));
            claims.insert("tid".into(), json!(realm.tenant.id));
            claims.insert("preferred_username".into(), json!(user.email));
        }
        RealmKind::Plain => {
            claims.insert("email".into(), json!(user.email));
            claims.insert("email_verified".into(), json!(true));
            claims.insert("preferred_username".into(), json!(user.email));
        }
    }
    claims
}

/// Nothing from a connector.
pub(crate) fn no_claims() -> &'static Map<String, Value> {
    static NONE: OnceLock<Map<String, Value>> = OnceLock::new();
    NONE.get_or_init(Map::new)
}

/// Whole seconds of a lifetime; absurdly long ones end at the largest number.
pub(crate) fn seconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 4)
}
