//! Reading an authorization request, and the way back to the app. Pure.

use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::config::{Client, ClientKind, Config, IdentityProvider};
use crate::context;
use crate::pkce;
use crate::realm::{Realm, RealmKind};
use crate::refusal::{Dialect, Refusal, Report};
use crate::scope::{self, Scopes};

/// Query or form parameters, in the order they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of a parameter; an empty one counts as missing (RFC 6749 section 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// A parameter that stands twice, which no request may have (RFC 6749 section 3.1).
    pub(crate) fn repeated(&self) -> Option<&str> {
        let keys = || self.0.iter().map(|(key, _)| key.as_str());
        keys().find(|name| keys().filter(|key| key == name).count() > 1)
    }

    /// The names alone, for the request log.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(key, _)| key.clone()).collect()
    }
}

/// How the answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

/// Where the answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReturnTo {
    pub(crate) redirect_uri: String,
    pub(crate) mode: ResponseMode,
    pub(crate) state: Option<String>,
}

/// What the page is to do about people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Ask only when nobody is signed in.
    IfNeeded,
    /// Never ask.
    Never,
    /// Always ask.
    Always,
}

/// A request that may be answered with a code.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) client: Client,
    pub(crate) return_to: ReturnTo,
    pub(crate) nonce: Option<String>,
    pub(crate) scopes: Scopes,
    pub(crate) challenge: Option<String>,
    pub(crate) prompt: Prompt,
    pub(crate) login_hint: String,
    /// The oldest proof that will do, in seconds (OpenID Connect Core 3.1.2.1).
    pub(crate) max_age: Option<i64>,
    /// The stand-in that `domain_hint` leads to.
    pub(crate) provider: Option<IdentityProvider>,
    /// The authentication context that demands a second factor, where requests may ask for one.
    pub(crate) acr: Option<String>,
}

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// On a page of our own: client or redirect URI are not to be trusted.
    OnPage(Refusal),
    /// At the app.
    AtApp(ReturnTo, Refusal),
}

/// Reads an authorization request.
///
/// # Errors
/// Faults of the client and of its redirect URI stay on a page, for a redirect there would make
/// this an open redirector (RFC 9700 section 4.11); all others go back to the app.
pub(crate) fn read(params: &Params, realm: &Realm, config: &Config) -> Result<Asked, Refused> {
    if let Some(name) = params.repeated() {
        return Err(Refused::OnPage(Refusal::BadInput(name.to_owned())));
    }
    let client = find_client(params, realm, config).map_err(Refused::OnPage)?;
    let redirect_uri = registered(params, client).map_err(Refused::OnPage)?;
    let mode = response_mode(params.get("response_mode"));
    let return_to = ReturnTo {
        redirect_uri,
        mode: mode.clone().unwrap_or(ResponseMode::Query),
        state: params.get("state").map(str::to_owned),
    };
    let rest = mode.and_then(|_| read_rest(params, realm, config, client));
    match rest {
        Ok(Rest { scopes, challenge, prompt, max_age }) => Ok(Asked {
            client: client.clone(),
            return_to,
            nonce: params.get("nonce").map(str::to_owned),
            scopes,
            challenge,
            prompt,
            login_hint: params.get("login_hint").unwrap_or_default().to_owned(),
            max_age,
            provider: provider(params.get("domain_hint"), config),
            acr: context::asked(realm.kind, params.get("acr_values"), params.get("claims")),
        }),
        Err(refusal) => Err(Refused::AtApp(return_to, refusal)),
    }
}

fn find_client<'a>(
    params: &Params,
    realm: &Realm,
    config: &'a Config,
) -> Result<&'a Client, Refusal> {
    let id = params.get("client_id").ok_or(Refusal::NoClientId)?;
    find_client_by_id(id, realm, config)
}

/// The registered client with this id.
///
/// # Errors
/// 90018 for a stranger, 90068 for an application of another kind of directory.
pub(crate) fn find_client_by_id<'a>(
    id: &str,
    realm: &Realm,
    config: &'a Config,
) -> Result<&'a Client, Refusal> {
    let found = config.clients.iter().find(|client| client.id.eq_ignore_ascii_case(id));
    let unknown =
        || Refusal::ClientUnknown { client: id.to_owned(), tenant: realm.tenant.domain.clone() };
    let client = found.ok_or_else(unknown)?;
    if client.kind == ClientKind::NotForB2c {
        return Err(Refusal::NotForB2c { client: id.to_owned() });
    }
    Ok(client)
}

fn registered(params: &Params, client: &Client) -> Result<String, Refusal> {
    if client.redirect_uris.is_empty() {
        return Err(Refusal::NoRedirectUris { client: client.id.clone() });
    }
    let uri = params.get("redirect_uri").ok_or(Refusal::MissingParameter("redirect_uri"))?;
    if client.redirect_uris.iter().any(|known| known == uri) {
        Ok(uri.to_owned())
    } else {
        Err(Refusal::RedirectUri { uri: uri.to_owned(), client: client.id.clone() })
    }
}

fn response_mode(value: Option<&str>) -> Result<ResponseMode, Refusal> {
    match value {
        None | Some("query") => Ok(ResponseMode::Query),
        Some("fragment") => Ok(ResponseMode::Fragment),
        Some("form_post") => Ok(ResponseMode::FormPost),
        Some(other) => Err(Refusal::ResponseMode { value: other.to_owned() }),
    }
}

/// What is left of a request once it is clear where its refusal would go.
struct Rest {
    scopes: Scopes,
    challenge: Option<String>,
    prompt: Prompt,
    max_age: Option<i64>,
}

fn read_rest(
    params: &Params,
    realm: &Realm,
    config: &Config,
    client: &Client,
) -> Result<Rest, Refusal> {
    let scope = params.get("scope");
    response_type(params.get("response_type"), scope)?;
    let scopes = scope::grant(realm.kind, scope, client, &config.clients)?;
    let challenge =
        pkce::challenge(params.get("code_challenge"), params.get("code_challenge_method"))?;
    let public = matches!(client.kind, ClientKind::Native | ClientKind::SinglePage);
    if public && challenge.is_none() {
        return Err(Refusal::ChallengeRequired);
    }
    let prompt = prompt(params.get("prompt"))?;
    Ok(Rest { scopes, challenge, prompt, max_age: max_age(params.get("max_age"))? })
}

fn max_age(value: Option<&str>) -> Result<Option<i64>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let seconds = value.parse::<u32>().map_err(|_| Refusal::BadInput("max_age".to_owned()))?;
    Ok(Some(i64::from(seconds)))
}

/// An unknown hint counts for nothing, as at B2C.
fn provider(hint: Option<&str>, config: &Config) -> Option<IdentityProvider> {
    hint.and_then(IdentityProvider::parse)
        .filter(|provider| config.identity_providers.contains(provider))
}

fn response_type(value: Option<&str>, scope: Option<&str>) -> Result<(), Refusal> {
    let value = value.ok_or(Refusal::MissingParameter("response_type"))?;
    let openid = scope.is_some_and(|scope| scope.split_whitespace().any(|item| item == "openid"));
    let known = |item: &str| matches!(item, "code" | "id_token" | "token");
    if value == "code" {
        Ok(())
    } else if !value.split(' ').all(known) {
        Err(Refusal::ResponseType { value: value.to_owned() })
    } else if value.contains("id_token") && !openid {
        Err(Refusal::OpenidMissing)
    } else {
        // Tokens in the redirect: no application here is allowed them (RFC 9700 section 2.1.2).
        Err(Refusal::ImplicitOff)
    }
}

fn prompt(value: Option<&str>) -> Result<Prompt, Refusal> {
    match value {
        None => Ok(Prompt::IfNeeded),
        Some("none") => Ok(Prompt::Never),
        Some("login" | "consent" | "select_account") => Ok(Prompt::Always),
        Some(_) => Err(Refusal::Prompt),
    }
}

/// The parameters of the answer, in the order they are sent.
pub(crate) type Answer = Vec<(&'static str, String)>;

/// The answer that carries a refusal.
pub(crate) fn refusal_answer(report: &Report, state: Option<&str>) -> Answer {
    let mut answer = vec![
        ("error", report.refusal.error().to_owned()),
        ("error_description", report.description()),
    ];
    answer.extend(state.map(|state| ("state", state.to_owned())));
    answer
}

/// The address of the answer, for the modes that put it into one.
pub(crate) fn address(return_to: &ReturnTo, answer: &Answer, dialect: Dialect) -> String {
    let encoded: Vec<String> = answer
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value, name, dialect)))
        .collect();
    let uri = &return_to.redirect_uri;
    let separator = match return_to.mode {
        ResponseMode::Fragment => '#',
        ResponseMode::Query | ResponseMode::FormPost if uri.contains('?') => '&',
        ResponseMode::Query | ResponseMode::FormPost => '?',
    };
    format!("{uri}{separator}{}", encoded.join("&"))
}

/// `+` for a space and, in B2C's error texts, lower-case escapes: `%3a`, `%0d%0a`.
fn encode(value: &str, name: &str, dialect: Dialect) -> String {
    let pieces = byte_serialize(value.as_bytes());
    if dialect == Dialect::B2c && name == "error_description" {
        let lower = |piece: &str| {
            if piece.starts_with('%') { piece.to_ascii_lowercase() } else { piece.to_owned() }
        };
        pieces.map(lower).collect()
    } else {
        pieces.collect()
    }
}

/// What a page's `form-action` must allow for the redirect that follows its form: browsers apply
/// it to the whole chain (Content Security Policy level 3, section 6.4.2).
pub(crate) fn form_target(redirect_uri: &str) -> String {
    match Url::parse(redirect_uri) {
        Ok(url) if url.origin().is_tuple() => url.origin().ascii_serialization(),
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => String::new(),
    }
}

/// Whether the redirect leaves the browser for another application.
pub(crate) fn leaves_browser(redirect_uri: &str) -> bool {
    !(redirect_uri.starts_with("http://") || redirect_uri.starts_with("https://"))
}

/// Whether the plain and the B2C authorities name themselves in the answer (RFC 9207).
pub(crate) fn names_issuer(realm: &Realm, config: &Config) -> bool {
    config.response_iss && realm.kind != RealmKind::ExternalId
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{AuthorityName, UrlForm};
    use crate::config::{
        DEMO_APP_CLIENT_ID, DEMO_POLICY, DEMO_REDIRECT_URI, DEMO_SCOPE, DEMO_TENANT,
    };

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn good() -> Vec<(&'static str, &'static str)> {
        vec![
            ("client_id", DEMO_APP_CLIENT_ID),
            ("response_type", "code"),
            ("redirect_uri", DEMO_REDIRECT_URI),
            ("scope", DEMO_SCOPE),
            ("state", "s"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
    }

    fn ask(pairs: &[(&str, &str)]) -> Result<Asked, Refused> {
        let mut config = Config::demo();
        let mut foreign = Client::native("foreign", &["https://x.example/"]);
        foreign.kind = ClientKind::NotForB2c;
        config.clients.push(foreign);
        let name = AuthorityName::B2c {
            form: UrlForm::Path,
            tenant: DEMO_TENANT.into(),
            policy: DEMO_POLICY.into(),
        };
        let base = Url::parse("http://localhost:1").unwrap();
        let realm = Realm::resolve(&name, &config, &base).unwrap();
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        read(&Params(pairs), &realm, &config)
    }

    fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
        let mut pairs: Vec<_> = good().into_iter().filter(|(key, _)| *key != name).collect();
        pairs.push((name, value));
        pairs
    }

    fn page(pairs: &[(&str, &str)]) -> u32 {
        match ask(pairs) {
            Err(Refused::OnPage(refusal)) => refusal.number(),
            other => panic!("expected a page, got {other:?}"),
        }
    }

    fn at_app(pairs: &[(&str, &str)]) -> u32 {
        match ask(pairs) {
            Err(Refused::AtApp(return_to, refusal)) => {
                assert_eq!(return_to.state.as_deref(), Some("s"));
                refusal.number()
            }
            other => panic!("expected a redirect, got {other:?}"),
        }
    }

    #[test]
    fn a_good_request_is_read() {
        let asked = ask(&good()).unwrap();
        assert_eq!(asked.return_to.mode, ResponseMode::Query);
        assert_eq!(asked.challenge.as_deref(), Some(CHALLENGE));
        assert_eq!(asked.prompt, Prompt::IfNeeded);
    }

    #[test]
    fn faults_of_client_and_redirect_uri_never_redirect() {
        assert_eq!(page(&with("client_id", "")), 90008);
        assert_eq!(page(&with("client_id", "nobody")), 90018);
        assert_eq!(page(&with("client_id", "foreign")), 90068);
        assert_eq!(page(&with("client_id", crate::config::DEMO_API_CLIENT_ID)), 90007);
        assert_eq!(page(&with("redirect_uri", "")), 90083);
        for near in [
            "family.luminous.app://auth/callback/",
            "family.luminous.app://AUTH/callback",
            "http://localhost:47218/auth/callback?x=1",
            "http://127.0.0.1:47218/auth/callback",
            "https://evil.example/",
        ] {
            assert_eq!(page(&with("redirect_uri", near)), 90006, "{near}");
        }
        let mut twice = good();
        twice.push(("state", "t"));
        assert_eq!(page(&twice), 90122);
    }

    #[test]
    fn other_faults_go_back_to_the_app_with_its_state() {
        assert_eq!(at_app(&with("scope", "")), 90010);
        assert_eq!(at_app(&with("response_mode", "pigeon")), 90014);
        assert_eq!(at_app(&with("response_type", "ticket")), 90013);
        assert_eq!(at_app(&with("response_type", "id_token")), 90110);
        assert_eq!(at_app(&with("response_type", "token")), 90057);
        assert_eq!(at_app(&with("response_type", "")), 90083);
        assert_eq!(at_app(&with("prompt", "maybe")), 90043);
        let bare: Vec<_> =
            good().into_iter().filter(|(key, _)| !key.starts_with("code_")).collect();
        assert_eq!(at_app(&bare), 99059);
    }

    #[test]
    fn r18_a_plain_challenge_is_refused_at_the_door() {
        assert_eq!(at_app(&with("code_challenge_method", "plain")), 90184);
    }

    #[test]
    fn b2c_escapes_its_error_text_in_lower_case() {
        let return_to = ReturnTo {
            redirect_uri: "http://localhost/cb?x=1".into(),
            mode: ResponseMode::Query,
            state: None,
        };
        let answer = vec![("error_description", "A: b\r\n".to_owned()), ("state", "é".to_owned())];
        assert_eq!(
            address(&return_to, &answer, Dialect::B2c),
            "http://localhost/cb?x=1&error_description=A%3a+b%0d%0a&state=%C3%A9"
        );
        let fragment = ReturnTo { mode: ResponseMode::Fragment, ..return_to };
        let url = address(&fragment, &vec![("code", "c".to_owned())], Dialect::B2c);
        assert_eq!(url, "http://localhost/cb?x=1#code=c");
    }

    #[test]
    fn a_form_may_lead_to_the_redirect_uri_and_nowhere_else() {
        assert_eq!(form_target(DEMO_REDIRECT_URI), "family.luminous.app:");
        assert_eq!(form_target("http://localhost:47218/auth/callback"), "http://localhost:47218");
    }
}
