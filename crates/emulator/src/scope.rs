//! What a `scope` parameter asks for, and what is granted. Pure.

use serde::{Deserialize, Serialize};

use crate::config::{Client, ClientKind};
use crate::realm::RealmKind;
use crate::refusal::Refusal;

/// A granted scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scopes {
    /// `openid`: an ID token.
    pub(crate) openid: bool,
    /// `offline_access`: a refresh token.
    pub(crate) offline: bool,
    /// What the access token is for; without it B2C issues none.
    pub(crate) resource: Option<Resource>,
    /// The scope of the response.
    pub(crate) text: String,
}

/// What an access token is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resource {
    /// Its `aud`: the client id of the API.
    pub(crate) audience: String,
    /// Its `scp`: scope names without the API's URI. Empty when the client asked for itself.
    pub(crate) names: Vec<String>,
}

/// Reads `scope` for `client`, which asks for `response_type=code`.
///
/// # Errors
/// The refusals 90010, 90055, 90115, 90117, 90146 and 90205 of B2C.
pub(crate) fn grant(
    kind: RealmKind,
    scope: Option<&str>,
    client: &Client,
    clients: &[Client],
) -> Result<Scopes, Refusal> {
    let text = scope.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(Refusal::NoScope);
    }
    let mut granted = Scopes { text: text.clone(), ..Scopes::default() };
    for item in text.split(' ') {
        match item {
            "openid" => granted.openid = true,
            "offline_access" => granted.offline = true,
            "profile" => {}
            "email" if !matches!(kind, RealmKind::B2c(_)) => {}
            _ => add_resource(&mut granted, find_resource(item, client, clients)?, &text)?,
        }
    }
    if granted.resource.is_none() {
        granted.resource = implied_resource(kind, client);
    }
    if !granted.openid && granted.resource.is_none() {
        return Err(Refusal::NothingAskedFor);
    }
    Ok(granted)
}

/// External ID and plain issuers always give an access token; B2C only for a named resource.
fn implied_resource(kind: RealmKind, client: &Client) -> Option<Resource> {
    match kind {
        RealmKind::B2c(_) => None,
        RealmKind::ExternalId | RealmKind::Plain => {
            Some(Resource { audience: client.id.clone(), names: Vec::new() })
        }
    }
}

fn find_resource(item: &str, client: &Client, clients: &[Client]) -> Result<Resource, Refusal> {
    if item.eq_ignore_ascii_case(&client.id) {
        return Ok(Resource { audience: client.id.clone(), names: Vec::new() });
    }
    if !item.contains('/') {
        return Err(Refusal::ScopeNeedsResource { scope: item.to_owned() });
    }
    let unsupported = || Refusal::ScopeUnsupported { scope: item.to_owned() };
    let (api, name) = clients.iter().find_map(|api| offered(api, item)).ok_or_else(unsupported)?;
    if !client.granted_scopes.iter().any(|scope| scope.eq_ignore_ascii_case(item)) {
        return Err(Refusal::NotPermitted);
    }
    Ok(Resource { audience: api.id.clone(), names: vec![name] })
}

/// The API and the scope of it that `item` names in full.
fn offered<'a>(api: &'a Client, item: &str) -> Option<(&'a Client, String)> {
    let ClientKind::Api { app_id_uri, scopes } = &api.kind else { return None };
    let (uri, name) = item.rsplit_once('/')?;
    let found = scopes.iter().find(|scope| scope.eq_ignore_ascii_case(name))?;
    uri.eq_ignore_ascii_case(app_id_uri).then(|| (api, found.clone()))
}

fn add_resource(granted: &mut Scopes, new: Resource, text: &str) -> Result<(), Refusal> {
    match &mut granted.resource {
        None => granted.resource = Some(new),
        Some(known) if known.audience == new.audience => known.names.extend(new.names),
        Some(_) => return Err(Refusal::TwoResources { scope: text.to_owned() }),
    }
    Ok(())
}

/// What a client may have without a person: the app roles it holds at the API whose `/.default` it
/// asks for (`b2c/client-credentials-grant-flow.md`).
///
/// # Errors
/// 90010 without a scope, 90146 for several, 90117 for anything else.
pub(crate) fn own(
    scope: Option<&str>,
    client: &Client,
    clients: &[Client],
) -> Result<Resource, Refusal> {
    let scope = scope.map(str::trim).filter(|scope| !scope.is_empty()).ok_or(Refusal::NoScope)?;
    if scope.contains(char::is_whitespace) {
        return Err(Refusal::TwoResources { scope: scope.to_owned() });
    }
    let unsupported = || Refusal::ScopeUnsupported { scope: scope.to_owned() };
    let uri = scope.strip_suffix("/.default").ok_or_else(unsupported)?;
    let serves = |api: &&Client| match &api.kind {
        ClientKind::Api { app_id_uri, .. } => app_id_uri.eq_ignore_ascii_case(uri),
        _ => false,
    };
    let api = clients.iter().find(serves).ok_or_else(unsupported)?;
    Ok(Resource { audience: api.id.clone(), names: client.app_roles.clone() })
}

/// What a refresh may ask for: no more than was granted (RFC 6749 section 6).
///
/// # Errors
/// As [`grant`], and [`Refusal::ScopeUnsupported`] for a scope beyond the grant.
pub(crate) fn narrow(
    granted: &Scopes,
    kind: RealmKind,
    asked: Option<&str>,
    client: &Client,
    clients: &[Client],
) -> Result<Scopes, Refusal> {
    let Some(asked) = asked.filter(|text| !text.trim().is_empty()) else {
        return Ok(granted.clone());
    };
    let mut new = grant(kind, Some(asked), client, clients)?;
    if let Some(resource) = &new.resource
        && resource.audience != client.id
        && granted.resource.as_ref().is_none_or(|old| old.audience != resource.audience)
    {
        return Err(Refusal::ScopeUnsupported { scope: asked.to_owned() });
    }
    new.openid &= granted.openid;
    new.offline &= granted.offline;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::UrlForm;
    use crate::config::{DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_SCOPE};

    const B2C: RealmKind = RealmKind::B2c(UrlForm::Path);

    fn ask(kind: RealmKind, scope: &str) -> Result<Scopes, Refusal> {
        let clients = [Client::demo_app(), Client::demo_api()];
        grant(kind, Some(scope), &clients[0], &clients)
    }

    #[test]
    fn an_api_scope_gives_an_access_token_for_the_api() {
        let granted = ask(B2C, &format!("openid offline_access {DEMO_SCOPE}")).unwrap();
        assert!(granted.openid && granted.offline);
        let resource = granted.resource.unwrap();
        assert_eq!(resource.audience, DEMO_API_CLIENT_ID);
        assert_eq!(resource.names, ["user_impersonation"]);
    }

    #[test]
    fn openid_alone_gives_no_access_token_at_b2c_and_one_elsewhere() {
        assert_eq!(ask(B2C, "openid offline_access").unwrap().resource, None);
        for kind in [RealmKind::ExternalId, RealmKind::Plain] {
            let resource = ask(kind, "openid profile email").unwrap().resource.unwrap();
            assert_eq!(resource.audience, DEMO_APP_CLIENT_ID);
        }
    }

    #[test]
    fn the_client_id_is_a_scope_of_its_own() {
        let granted = ask(B2C, &format!("openid {DEMO_APP_CLIENT_ID}")).unwrap();
        let resource = granted.resource.unwrap();
        assert_eq!((resource.audience.as_str(), resource.names.len()), (DEMO_APP_CLIENT_ID, 0));
    }

    #[test]
    fn each_faulty_scope_has_its_own_refusal() {
        assert_eq!(ask(B2C, "  "), Err(Refusal::NoScope));
        assert_eq!(ask(B2C, "offline_access"), Err(Refusal::NothingAskedFor));
        assert_eq!(
            ask(B2C, "openid calendar"),
            Err(Refusal::ScopeNeedsResource { scope: "calendar".into() })
        );
        let unknown = "https://luminousdemo.onmicrosoft.com/api/none";
        assert_eq!(ask(B2C, unknown), Err(Refusal::ScopeUnsupported { scope: unknown.into() }));
        let two = format!("openid {DEMO_SCOPE} {DEMO_APP_CLIENT_ID}");
        assert_eq!(ask(B2C, &two), Err(Refusal::TwoResources { scope: two.clone() }));
    }

    #[test]
    fn an_app_without_the_permission_is_told_so() {
        let mut app = Client::demo_app();
        app.granted_scopes.clear();
        let clients = [app, Client::demo_api()];
        let asked = grant(B2C, Some(DEMO_SCOPE), &clients[0], &clients);
        assert_eq!(asked, Err(Refusal::NotPermitted));
    }

    #[test]
    fn a_refresh_may_ask_for_less_and_not_for_more() {
        let clients = [Client::demo_app(), Client::demo_api()];
        let granted = ask(B2C, "openid").unwrap();
        let more = narrow(&granted, B2C, Some(DEMO_SCOPE), &clients[0], &clients);
        assert_eq!(more, Err(Refusal::ScopeUnsupported { scope: DEMO_SCOPE.into() }));
        let same = narrow(&granted, B2C, None, &clients[0], &clients).unwrap();
        assert_eq!(same, granted);
    }
}
