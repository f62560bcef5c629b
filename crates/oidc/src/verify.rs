//! What a token with a good signature must still prove: pure rules, no I/O.

use std::slice;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::{AccessToken, ObjectId, PersonKey, Timestamp};
use subtle::ConstantTimeEq;

use crate::authority::Authority;
use crate::claims::Claims;
use crate::config::{AudienceRule, ProviderConfig};
use crate::identity::{AccessClaims, Caller, Identity};
use crate::issuer::{self, IssuerShape};
use crate::jose::{Algorithm, Jws, Typ};
use crate::provider::IdTokenExpectation;
use crate::token::TokenError;

/// How far our clock and the provider's may differ.
const LEEWAY: i64 = 60;
/// The longest lifetime Azure AD B2C can be set to (1440 min).
const MAX_LIFETIME: i64 = 24 * 3600;
/// What old B2C policies send as `sub` of everybody.
const NOBODY: &str = "Not supported currently. Use oid claim.";

/// Everything the rules look at besides the token.
pub(crate) struct Against<'a> {
    config: &'a ProviderConfig,
    issuer: &'a str,
    shape: IssuerShape<'a>,
    now: Timestamp,
}

impl<'a> Against<'a> {
    pub(crate) fn new(config: &'a ProviderConfig, issuer: &'a str, now: Timestamp) -> Self {
        Self { config, issuer, shape: issuer::shape(issuer), now }
    }
}

/// OpenID Connect Core section 3.1.3.7, RFC 8725.
pub(crate) fn id_token(
    jws: &Jws<'_>,
    claims: &Claims<'_>,
    against: &Against<'_>,
    expected: &IdTokenExpectation<'_>,
) -> Result<Identity, TokenError> {
    check_issuer(claims, against)?;
    // B2C gives access tokens with our own client id as audience; only these have a scope.
    if jws.typ() != Typ::Unspecified || claims.has("scp") || claims.has("scope") {
        return Err(TokenError::TypeMismatch);
    }
    let ourselves = slice::from_ref(&against.config.client_id);
    check_audience(claims, ourselves, against.config.audiences.shared, ourselves)?;
    let times = check_times(claims, against.now)?;
    let policy = check_policy(claims, against)?;
    if let Some(nonce) = expected.nonce {
        check_nonce(claims, nonce)?;
    }
    if let Some(token) = expected.access_token {
        check_access_token_hash(jws.algorithm(), claims, token)?;
    }
    let identity = identify(claims, against, times, policy)?;
    check_age(&identity, expected.max_age, against.now)?;
    Ok(identity)
}

/// RFC 9068 section 4, loosened to what Azure AD B2C and Entra send.
pub(crate) fn access_token(
    jws: &Jws<'_>,
    claims: &Claims<'_>,
    against: &Against<'_>,
) -> Result<AccessClaims, TokenError> {
    check_issuer(claims, against)?;
    let scopes = match claims.words("scp")? {
        Some(scopes) => scopes,
        None => claims.words("scope")?.unwrap_or_default(),
    };
    check_is_access_token(jws, claims, &scopes)?;
    let AudienceRule { accepted, shared, clients } = &against.config.audiences;
    check_audience(claims, accepted, *shared, clients)?;
    let times = check_times(claims, against.now)?;
    let caller = if is_daemon(claims, against.shape, &scopes)? {
        let subject = claims.required("sub")?.to_owned();
        Caller::Daemon { subject, roles: roles(claims, against.config) }
    } else {
        let policy = check_policy(claims, against)?;
        Caller::Person(Box::new(identify(claims, against, times, policy)?))
    };
    Ok(AccessClaims { caller, scopes, client: client(claims)?.map(str::to_owned) })
}

/// A token that `client` got for itself. The type of such a token shows in nothing but what it is
/// not: Entra's own services call with tokens that have neither scope nor role.
pub(crate) fn application_token(
    jws: &Jws<'_>,
    claims: &Claims<'_>,
    against: &Against<'_>,
    given_to: &str,
) -> Result<(), TokenError> {
    check_issuer(claims, against)?;
    let of_a_person = ["nonce", "at_hash", "c_hash", "scp"].iter().any(|name| claims.has(name));
    if of_a_person || jws.typ() == Typ::Other {
        return Err(TokenError::TypeMismatch);
    }
    let AudienceRule { accepted, shared, .. } = &against.config.audiences;
    check_audience(claims, accepted, *shared, &[])?;
    let client = client(claims).map_err(|_| TokenError::AudienceMismatch)?;
    if client != Some(given_to) {
        return Err(TokenError::AudienceMismatch);
    }
    check_times(claims, against.now).map(|_| ())
}

/// Byte for byte: no array, no other slash, no other case (OpenID Connect Core section 2).
fn check_issuer(claims: &Claims<'_>, against: &Against<'_>) -> Result<(), TokenError> {
    let untrusted = |_| TokenError::IssuerUntrusted;
    if claims.text("iss").map_err(untrusted)? != Some(against.issuer) {
        return Err(TokenError::IssuerUntrusted);
    }
    let Some(tenant) = against.shape.tenant() else { return Ok(()) };
    match claims.text("tid").map_err(untrusted)? {
        Some(tid) if !tid.eq_ignore_ascii_case(tenant) => Err(TokenError::IssuerUntrusted),
        _ => Ok(()),
    }
}

/// `aud` and `azp` (OpenID Connect Core section 3.1.3.7 points 3 to 5).
fn check_audience(
    claims: &Claims<'_>,
    accepted: &[String],
    shared: bool,
    clients: &[String],
) -> Result<(), TokenError> {
    let audiences = claims.audiences().ok_or(TokenError::AudienceMismatch)?;
    let client = client(claims).map_err(|_| TokenError::AudienceMismatch)?;
    let ours = |audience: &&str| accepted.iter().any(|accepted| accepted == audience);
    let meant = if shared {
        audiences.iter().any(ours)
    } else {
        !audiences.is_empty() && audiences.iter().all(ours)
    };
    let given = match client {
        _ if clients.is_empty() => true,
        Some(client) => clients.iter().any(|one| one == client),
        // With several audiences only `azp` says whom the token was given to.
        None => audiences.len() == 1,
    };
    if meant && given { Ok(()) } else { Err(TokenError::AudienceMismatch) }
}

/// The application the token was given to: `azp`, or `client_id` (RFC 9068 section 2.2).
fn client<'a>(claims: &'a Claims<'_>) -> Result<Option<&'a str>, TokenError> {
    match claims.text("azp")? {
        Some(client) => Ok(Some(client)),
        None => claims.text("client_id"),
    }
}

/// What tells an access token: its `typ`, a scope, or the roles of an application by itself.
fn check_is_access_token(
    jws: &Jws<'_>,
    claims: &Claims<'_>,
    scopes: &[String],
) -> Result<(), TokenError> {
    let belongs_to_a_sign_in = ["nonce", "at_hash", "c_hash"].iter().any(|name| claims.has(name));
    let by_roles = claims.has("roles") && claims.has("azp") && !belongs_to_a_sign_in;
    match jws.typ() {
        Typ::AccessToken => Ok(()),
        Typ::Unspecified if !scopes.is_empty() || by_roles => Ok(()),
        Typ::Unspecified | Typ::Other => Err(TokenError::TypeMismatch),
    }
}

/// Whether an application acts by itself (client credentials). B2C puts its application roles
/// into `scp`, so a scope alone does not make a person.
fn is_daemon(
    claims: &Claims<'_>,
    shape: IssuerShape<'_>,
    scopes: &[String],
) -> Result<bool, TokenError> {
    if claims.text("idtyp")? == Some("app") {
        return Ok(true);
    }
    if shape == IssuerShape::Plain {
        // RFC 9068 section 2.2: without a resource owner `sub` is the client.
        let subject = claims.required("sub")?;
        return Ok(client(claims)? == Some(subject));
    }
    let names_a_person = ["oid", "tfp", "acr"].iter().any(|name| claims.has(name));
    Ok(!names_a_person || scopes.is_empty())
}

#[derive(Clone, Copy)]
struct Times {
    issued_at: Timestamp,
    expires_at: Timestamp,
}

/// RFC 7519 sections 4.1.4 to 4.1.6.
fn check_times(claims: &Claims<'_>, now: Timestamp) -> Result<Times, TokenError> {
    let required = |claim| claims.time(claim)?.ok_or(TokenError::ClaimInvalid { claim });
    let (expires_at, issued_at) = (required("exp")?, required("iat")?);
    let (now, exp, iat) = (now.as_second(), expires_at.as_second(), issued_at.as_second());
    if now > exp + LEEWAY {
        return Err(TokenError::Expired { seconds: now - exp });
    }
    if let Some(nbf) = claims.time("nbf")?.map(Timestamp::as_second)
        && now < nbf - LEEWAY
    {
        return Err(TokenError::NotYetValid { seconds: nbf - now });
    }
    if iat > now + LEEWAY {
        return Err(TokenError::ClaimInvalid { claim: "iat" });
    }
    if exp - iat > MAX_LIFETIME {
        return Err(TokenError::LifetimeExceeded);
    }
    Ok(Times { issued_at, expires_at })
}

/// The policy (`tfp`, in old policies `acr`). Where all policies of a tenant share one issuer it
/// must be there; where the issuer names the policy, it must not say otherwise.
fn check_policy(claims: &Claims<'_>, against: &Against<'_>) -> Result<Option<String>, TokenError> {
    if !matches!(against.config.authority, Authority::B2c { .. }) {
        return Ok(None);
    }
    let claimed = match claims.text("tfp")? {
        Some(policy) => Some(policy),
        None => claims.text("acr")?,
    };
    let policy = match (claimed, against.shape) {
        (Some(policy), _) | (None, IssuerShape::B2cPolicy { policy, .. }) => policy,
        (None, _) => return Err(TokenError::PolicyNotAllowed),
    };
    if !against.config.policies.allows(policy) {
        return Err(TokenError::PolicyNotAllowed);
    }
    Ok(Some(policy.to_owned()))
}

fn check_nonce(claims: &Claims<'_>, nonce: &str) -> Result<(), TokenError> {
    let claimed = claims.text("nonce")?.ok_or(TokenError::NonceMismatch)?;
    if bool::from(claimed.as_bytes().ct_eq(nonce.as_bytes())) {
        Ok(())
    } else {
        Err(TokenError::NonceMismatch)
    }
}

/// OpenID Connect Core section 3.1.3.6: the left half of the hash the signature uses. In the code
/// flow `at_hash` may be absent.
fn check_access_token_hash(
    algorithm: Algorithm,
    claims: &Claims<'_>,
    token: &AccessToken,
) -> Result<(), TokenError> {
    let Some(claimed) = claims.text("at_hash")? else { return Ok(()) };
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &digest::SHA256,
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => &digest::SHA384,
        Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::Es512 => &digest::SHA512,
    };
    let hash = digest::digest(hash, token.expose().as_bytes());
    let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
    if bool::from(URL_SAFE_NO_PAD.encode(left).as_bytes().ct_eq(claimed.as_bytes())) {
        Ok(())
    } else {
        Err(TokenError::AccessTokenHashMismatch)
    }
}

fn check_age(
    identity: &Identity,
    max_age: Option<Duration>,
    now: Timestamp,
) -> Result<(), TokenError> {
    let Some(max_age) = max_age else { return Ok(()) };
    let most = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX).saturating_add(LEEWAY);
    match identity.auth_time {
        Some(at) if now.as_second() - at.as_second() <= most => Ok(()),
        _ => Err(TokenError::ClaimInvalid { claim: "auth_time" }),
    }
}

fn identify(
    claims: &Claims<'_>,
    against: &Against<'_>,
    times: Times,
    policy: Option<String>,
) -> Result<Identity, TokenError> {
    let names = &against.config.claim_names;
    let first = |names: &[String]| names.iter().find_map(|name| claims.description(name));
    let email = claims.descriptive("emails").into_iter().find(|email| !email.is_empty());
    Ok(Identity {
        person: person(claims, against)?,
        issuer: against.issuer.to_owned(),
        subject: claims.required("sub")?.to_owned(),
        name: claims.description("name"),
        email: email.or_else(|| claims.description("email")),
        is_email_unverified: claims.denies("email_verified"),
        roles: roles(claims, against.config),
        role: first(&names.role),
        family_id: first(&names.family_id),
        family_claims_unusable: names
            .role
            .iter()
            .chain(&names.family_id)
            .any(|name| claims.is_no_text(name)),
        policy,
        identity_provider: claims.description("idp").filter(|idp| idp != "LocalAccount"),
        auth_time: claims.time("auth_time")?,
        amr: claims.descriptive("amr"),
        issued_at: times.issued_at,
        expires_at: times.expires_at,
    })
}

/// The directory and `oid`, else `sub`. A plain provider's `oid` is some attribute of its own and
/// keys nobody.
fn person(claims: &Claims<'_>, against: &Against<'_>) -> Result<PersonKey, TokenError> {
    let subject = claims.required("sub")?;
    let tenant = issuer::directory(against.issuer);
    if against.shape == IssuerShape::Plain {
        return Ok(PersonKey { tenant, object: ObjectId::new(subject) });
    }
    let object = match claims.text("oid")?.filter(|oid| !oid.is_empty()) {
        Some(oid) => oid,
        None if subject == NOBODY => return Err(TokenError::ClaimInvalid { claim: "oid" }),
        None => subject,
    };
    Ok(PersonKey { tenant, object: ObjectId::new(object) })
}

fn roles(claims: &Claims<'_>, config: &ProviderConfig) -> Vec<String> {
    let name = config.claim_names.roles.iter().find(|name| claims.has(name));
    name.map(|name| claims.descriptive(name)).unwrap_or_default()
}
