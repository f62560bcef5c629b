//! What the tenant says when it asks for further claims, and what it makes of the answer. Pure.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::config::{ApiConnector, Client, TokenIssuanceStart};
use crate::realm::Realm;
use crate::refusal::Refusal;
use crate::store::User;

/// The application id of Entra's own service that calls custom authentication extensions: `azp` of
/// the bearer token that it brings along.
const EXTENSIONS_SERVICE: &str = "99045fe1-7639-4a75-9d4a-577b6ca3810f";

/// About whom and for whom a token is to be issued.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) realm: &'a Realm,
    pub(crate) user: &'a User,
    pub(crate) client: &'a Client,
    /// The language of the pages.
    pub(crate) locale: &'a str,
}

/// An answer as it came over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The words of the status.
    pub(crate) reason: &'static str,
    pub(crate) body: Vec<u8>,
}

/// What an answer is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// These claims.
    Claims(Map<String, Value>),
    /// Nobody is let in; this is what to tell them.
    Block(String),
}

/// The body of B2C's request (`b2c/add-api-connector-token-enrichment.md`). What has no value is
/// left out.
pub(crate) fn connector_body(question: Question<'_>) -> Value {
    let Question { realm, user, client, locale } = question;
    let identity = match &user.idp {
        Some(idp) => json!({
            "signInType": "federated", "issuer": idp, "issuerAssignedId": user.email
        }),
        None => json!({
            "signInType": "emailAddress",
            "issuer": realm.tenant.domain,
            "issuerAssignedId": user.email
        }),
    };
    json!({
        "email": user.email,
        "identities": [identity],
        "displayName": user.name,
        "objectId": user.oid,
        "client_id": client.id,
        "step": "PreTokenIssuance",
        "ui_locales": locale,
    })
}

/// Reads the answer of an API connector: `Continue` with custom attributes, or `ShowBlockPage`.
///
/// # Errors
/// 90075 for a status that is no success, 90261 for what cannot be read.
pub(crate) fn read_connector(answer: &Answer, connector: &ApiConnector) -> Result<Said, Refusal> {
    let body = read(answer)?;
    match body["action"].as_str() {
        Some("Continue") => {
            let members = body.as_object().cloned().unwrap_or_default();
            let named = members.into_iter().filter_map(|(name, value)| {
                Some((token_name(&name, &connector.attribute_prefix)?, scalar(value)?))
            });
            Ok(Said::Claims(named.collect()))
        }
        Some("ShowBlockPage") => {
            Ok(Said::Block(body["userMessage"].as_str().unwrap_or_default().to_owned()))
        }
        _ => Err(Refusal::ClaimsUnreadable),
    }
}

/// A custom attribute's name in tokens: `extension_family_id` for
/// `extension_{app id}_family_id` and for the short form. Other members are not custom attributes.
fn token_name(member: &str, prefix: &str) -> Option<String> {
    let name = member.strip_prefix(prefix).or_else(|| member.strip_prefix("extension_"))?;
    Some(format!("extension_{name}"))
}

/// Custom attributes are strings, whole numbers and truth values.
fn scalar(value: Value) -> Option<Value> {
    (value.is_string() || value.is_i64() || value.is_boolean()).then_some(value)
}

/// The body of Entra's request (`custom-claims-provider-reference.md`).
pub(crate) fn issuance_body(question: Question<'_>, correlation: Uuid) -> Value {
    let Question { realm, user, client, locale } = question;
    let tenant = &realm.tenant.id;
    let principal = json!({
        "id": client.id,
        "appId": client.id,
        "appDisplayName": client.name,
        "displayName": client.name,
    });
    json!({
        "type": "microsoft.graph.authenticationEvent.tokenIssuanceStart",
        "source": format!("/tenants/{tenant}/applications/{}", client.id),
        "data": {
            "@odata.type": "microsoft.graph.onTokenIssuanceStartCalloutData",
            "tenantId": tenant,
            "authenticationEventListenerId": "10000000-0000-0000-0000-1c0de5a7e0f1",
            "customAuthenticationExtensionId": "10000000-0000-0000-0000-1c0de5a7e0f2",
            "authenticationContext": {
                "correlationId": correlation,
                "client": { "ip": "127.0.0.1", "locale": locale, "market": locale },
                "protocol": "OAUTH2.0",
                "clientServicePrincipal": principal,
                "resourceServicePrincipal": principal,
                "user": {
                    "companyName": null,
                    "createdDateTime": null,
                    "displayName": user.name,
                    "id": user.oid,
                    "mail": user.email,
                    "preferredLanguage": locale,
                    "userPrincipalName": user.email,
                    "userType": "Member"
                }
            }
        }
    })
}

/// The claims of the bearer token that Entra brings along: of the tenant, for the extension's own
/// application, and from Entra's service.
pub(crate) fn issuance_bearer(
    realm: &Realm,
    extension: &TokenIssuanceStart,
    now: i64,
) -> Map<String, Value> {
    let claims = json!({
        "iss": realm.issuer(),
        "aud": extension.audience,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "azp": EXTENSIONS_SERVICE,
        "azpacr": "2",
        "oid": "20000000-0000-0000-0000-1c0de5a7e0f3",
        "sub": "20000000-0000-0000-0000-1c0de5a7e0f3",
        "tid": realm.tenant.id,
        "ver": "2.0",
    });
    claims.as_object().cloned().unwrap_or_default()
}

/// Reads the answer of a token issuance extension: the claims of its `provideClaimsForToken`.
///
/// # Errors
/// As [`read_connector`].
pub(crate) fn read_issuance(answer: &Answer) -> Result<Said, Refusal> {
    let body = read(answer)?;
    let actions = body["data"]["actions"].as_array().ok_or(Refusal::ClaimsUnreadable)?;
    let provides = |action: &&Value| {
        let kind = action["@odata.type"].as_str().unwrap_or_default();
        kind == "microsoft.graph.tokenIssuanceStart.provideClaimsForToken"
    };
    let action = actions.iter().find(provides).ok_or(Refusal::ClaimsUnreadable)?;
    let claims = action["claims"].as_object().ok_or(Refusal::ClaimsUnreadable)?;
    let text = |value: &Value| value.is_string();
    let sound = |value: &Value| text(value) || value.as_array().is_some_and(|v| v.iter().all(text));
    let kept = claims.iter().filter(|(_, value)| sound(value));
    Ok(Said::Claims(kept.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

fn read(answer: &Answer) -> Result<Value, Refusal> {
    if answer.status != 200 {
        return Err(Refusal::ClaimsRefused { reason: answer.reason });
    }
    serde_json::from_slice(&answer.body).map_err(|_| Refusal::ClaimsUnreadable)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn connector() -> ApiConnector {
        let url = Url::parse("http://localhost:1/").unwrap();
        ApiConnector { attribute_prefix: "extension_abc_".into(), ..ApiConnector::new(url, "", "") }
    }

    fn answer(status: u16, body: &Value) -> Answer {
        Answer { status, reason: "Words", body: body.to_string().into_bytes() }
    }

    #[test]
    fn attributes_come_in_the_long_and_the_short_form_and_nothing_else_does() {
        let body = json!({
            "version": "1.0.0", "action": "Continue", "extension_abc_family_id": "f",
            "extension_role": "adult", "displayName": "Eve", "aud": "evil",
            "extension_list": ["a"], "extension_none": null
        });
        let Said::Claims(claims) = read_connector(&answer(200, &body), &connector()).unwrap()
        else {
            panic!("claims")
        };
        assert_eq!(
            Value::Object(claims),
            json!({ "extension_family_id": "f", "extension_role": "adult" })
        );
    }

    #[test]
    fn a_block_page_says_what_it_was_told_and_everything_else_is_an_error() {
        let block = json!({ "version": "1.0.0", "action": "ShowBlockPage", "userMessage": "No." });
        let read = |status, body: &Value| read_connector(&answer(status, body), &connector());
        assert_eq!(read(200, &block), Ok(Said::Block("No.".into())));
        assert_eq!(read(500, &block), Err(Refusal::ClaimsRefused { reason: "Words" }));
        assert_eq!(read(200, &json!({ "action": "Dance" })), Err(Refusal::ClaimsUnreadable));
        assert_eq!(read(200, &json!("x")), Err(Refusal::ClaimsUnreadable));
    }

    #[test]
    fn an_extension_gives_strings_and_lists_of_strings() {
        let with = |claims: Value| {
            let kind = "microsoft.graph.tokenIssuanceStart.provideClaimsForToken";
            json!({ "data": { "actions": [{ "@odata.type": kind, "claims": claims }] } })
        };
        let body = with(json!({ "family_id": "f", "roles": ["a", "b"], "age": 7 }));
        let Said::Claims(claims) = read_issuance(&answer(200, &body)).unwrap() else {
            panic!("claims")
        };
        assert_eq!(Value::Object(claims), json!({ "family_id": "f", "roles": ["a", "b"] }));
        assert_eq!(read_issuance(&answer(200, &json!({}))), Err(Refusal::ClaimsUnreadable));
    }
}
