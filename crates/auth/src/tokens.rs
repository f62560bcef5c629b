//! The token endpoint: a code or a refresh token goes out, tokens or a typed refusal come back.
//!
//! `oauth2` builds the requests and reads the answers; the HTTP underneath is the product's own
//! bounded client. What B2C and others do besides the standard is tolerated here: no access token
//! at all when only `openid` was asked for, numbers as strings, `token_type` in any case, a refusal
//! with an empty body. No body is ever printed: an unreadable one may hold tokens.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{Response, StatusCode, header};
use luminous_domain::{AccessToken, AuthorizationCode, Clock, IdToken, RefreshToken};
use luminous_oidc::{HttpClient, HttpError, Limits};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    Client, ClientId, EndpointNotSet, EndpointSet, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, StandardRevocableToken, TokenUrl,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;
use zeroize::Zeroizing;

use crate::provider_error::ProviderWords;

/// Tokens with many claims are some 10 KiB.
const LIMITS: Limits = Limits { timeout: Duration::from_secs(15), max_body: 256 * 1024 };

/// What a token endpoint gave.
#[derive(Debug)]
pub struct Tokens {
    /// Absent when no API's scope was asked for.
    pub access: Option<AccessToken>,
    /// Absent on most refreshes with some providers.
    pub id: Option<IdToken>,
    /// Absent when the old one stays in force (RFC 6749 section 6).
    pub refresh: Option<RefreshToken>,
    /// How long the access token lives, from the moment the request was sent.
    pub lifetime: Option<Duration>,
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFailure {
    /// The grant is dead: `invalid_grant`, or 400 with `interaction_required`. Nothing else ends a
    /// session (F12).
    #[error("the provider ended the sign-in")]
    Ended(ProviderWords),
    /// The provider does not like how we ask.
    #[error("the provider refuses the request")]
    Refused(ProviderWords),
    /// 429, a server error, or one of B2C's "come back later".
    #[error("the provider is busy (status {status})")]
    Busy {
        /// The HTTP status.
        status: u16,
        /// What `Retry-After` asks for.
        retry_after: Option<Duration>,
    },
    /// A web page or a redirect came: something in between answers.
    #[error("a web page came in place of the provider's answer")]
    Captive,
    /// No answer.
    #[error(transparent)]
    Unreachable(#[from] HttpError),
    /// An answer that is neither tokens nor an OAuth error.
    #[error("the provider's answer (status {status}) cannot be read")]
    Unreadable {
        /// The HTTP status.
        status: u16,
    },
}

/// An answer, and what its headers tell about the provider's clock.
#[derive(Debug)]
pub struct Answer {
    /// The tokens, or why there are none.
    pub tokens: Result<Tokens, TokenFailure>,
    /// How far the provider's clock is ahead of ours, in seconds, by the `Date` header.
    pub offset: Option<i64>,
}

/// A token endpoint, and who asks.
pub struct TokenEndpoint<'a> {
    /// Carries the request.
    pub http: &'a dyn HttpClient,
    /// Compared with the provider's clock.
    pub clock: &'a dyn Clock,
    /// Where; its query is kept (B2C's `?p=`).
    pub url: &'a Url,
    /// Our id. There is no secret: an app on somebody's computer cannot keep one (RFC 8252 8.5).
    pub client_id: &'a str,
}

type OAuthClient = Client<
    BasicErrorResponse,
    Body,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

type RequestError = RequestTokenError<HttpError, BasicErrorResponse>;

impl TokenEndpoint<'_> {
    /// Exchanges a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    pub async fn exchange(
        &self,
        code: &AuthorizationCode,
        verifier: &str,
        redirect_uri: &str,
    ) -> Answer {
        let recorder = self.recorder();
        let Ok(redirect_uri) = RedirectUrl::new(redirect_uri.to_owned()) else {
            return Answer::unreadable();
        };
        let client = self.client().set_redirect_uri(redirect_uri);
        let result = client
            .exchange_code(oauth2::AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .request_async(&recorder)
            .await;
        Answer::of(result, recorder)
    }

    /// Exchanges a refresh token (RFC 6749 section 6). The scopes are those of the sign-in; B2C
    /// gives no access token when they are not repeated.
    pub async fn refresh(&self, token: &RefreshToken, scopes: &[String]) -> Answer {
        let recorder = self.recorder();
        let client = self.client();
        let token = oauth2::RefreshToken::new(token.expose().to_owned());
        let result = client
            .exchange_refresh_token(&token)
            .add_scopes(scopes.iter().cloned().map(Scope::new))
            .request_async(&recorder)
            .await;
        Answer::of(result, recorder)
    }

    fn client(&self) -> OAuthClient {
        Client::new(ClientId::new(self.client_id.to_owned()))
            .set_token_uri(TokenUrl::from_url(self.url.clone()))
    }

    fn recorder(&self) -> Recorder<'_> {
        Recorder { http: self.http, clock: self.clock, headers: Mutex::default() }
    }
}

/// Carries one request for `oauth2` and keeps what it drops of the answer.
struct Recorder<'a> {
    http: &'a dyn HttpClient,
    clock: &'a dyn Clock,
    headers: Mutex<Option<Headers>>,
}

impl<'c> oauth2::AsyncHttpClient<'c> for Recorder<'_> {
    type Error = HttpError;
    type Future =
        Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: oauth2::HttpRequest) -> Self::Future {
        Box::pin(async move {
            let response = self.http.send(request, LIMITS).await?;
            let read = Headers::of(&response, self.clock);
            *self.headers.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
            Ok(response)
        })
    }
}

/// What `oauth2` drops of an answer and the classification needs.
struct Headers {
    status: StatusCode,
    is_page: bool,
    retry_after: Option<Duration>,
    offset: Option<i64>,
}

impl Headers {
    fn of(response: &Response<Vec<u8>>, clock: &dyn Clock) -> Self {
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let date = text(header::DATE).and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let now = clock.now();
        Self {
            status: response.status(),
            is_page: text(header::CONTENT_TYPE)
                .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html")),
            // The other form, a date, is left out: it would be compared with a clock that may be
            // the very problem.
            retry_after: text(header::RETRY_AFTER)
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(Duration::from_secs),
            offset: date.map(|date| date.timestamp().as_second() - now.as_second()),
        }
    }
}

impl Answer {
    fn unreadable() -> Self {
        Self { tokens: Err(TokenFailure::Unreadable { status: 0 }), offset: None }
    }

    fn of(result: Result<Body, RequestError>, recorder: Recorder<'_>) -> Self {
        let headers = recorder.headers.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Some(headers) = headers else {
            return match result {
                Err(RequestTokenError::Request(error)) => {
                    Self { tokens: Err(error.into()), offset: None }
                }
                _ => Self::unreadable(),
            };
        };
        let offset = headers.offset;
        let tokens = match result {
            Ok(body) => body.into_tokens(headers.status),
            Err(error) => Err(explain(error, &headers)),
        };
        Self { tokens, offset }
    }
}

fn explain(error: RequestError, headers: &Headers) -> TokenFailure {
    let status = headers.status;
    let code = status.as_u16();
    let busy = TokenFailure::Busy { status: code, retry_after: headers.retry_after };
    if status.is_redirection() || status == StatusCode::NETWORK_AUTHENTICATION_REQUIRED {
        return TokenFailure::Captive;
    }
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        return busy;
    }
    if let RequestTokenError::ServerResponse(answer) = error {
        let description = answer.error_description().map_or("", String::as_str);
        let words = ProviderWords::new(answer.error().as_ref(), description);
        return match words.error.as_str() {
            _ if words.is_busy() => busy,
            "temporarily_unavailable" | "server_error" => busy,
            "invalid_grant" => TokenFailure::Ended(words),
            "interaction_required" if status == StatusCode::BAD_REQUEST => {
                TokenFailure::Ended(words)
            }
            _ => TokenFailure::Refused(words),
        };
    }
    if headers.is_page { TokenFailure::Captive } else { TokenFailure::Unreadable { status: code } }
}

/// The answer's body as it is sent.
#[derive(Deserialize)]
struct Body {
    #[serde(default = "no_access_token", deserialize_with = "access_token")]
    access_token: oauth2::AccessToken,
    #[serde(default = "bearer", deserialize_with = "token_type")]
    token_type: BasicTokenType,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "not_empty")]
    refresh_token: Option<Zeroizing<String>>,
    #[serde(default, deserialize_with = "not_empty")]
    id_token: Option<Zeroizing<String>>,
}

impl Body {
    fn into_tokens(self, status: StatusCode) -> Result<Tokens, TokenFailure> {
        let access = Some(self.access_token.secret().as_str()).filter(|token| !token.is_empty());
        // A token of a type we cannot use must not be used (RFC 6749 section 7.1), and an answer
        // without any token answers nothing.
        let useful = access.is_some() || self.id_token.is_some();
        if self.token_type != BasicTokenType::Bearer || !useful {
            return Err(TokenFailure::Unreadable { status: status.as_u16() });
        }
        Ok(Tokens {
            access: access.map(AccessToken::new),
            id: self.id_token.as_ref().map(|token| IdToken::new(token.as_str())),
            refresh: self.refresh_token.as_ref().map(|token| RefreshToken::new(token.as_str())),
            lifetime: self.expires_in.map(Duration::from_secs),
        })
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body(..)")
    }
}

impl Serialize for Body {
    /// `oauth2` wants token answers to serialise, to be kept in files. Ours never are.
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("tokens are not serialised"))
    }
}

impl oauth2::TokenResponse for Body {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &oauth2::AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&oauth2::RefreshToken> {
        // Read from the field: this crate has its own type for it.
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

fn no_access_token() -> oauth2::AccessToken {
    oauth2::AccessToken::new(String::new())
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

fn access_token<'de, D: Deserializer<'de>>(source: D) -> Result<oauth2::AccessToken, D::Error> {
    Option::<String>::deserialize(source)
        .map(|token| oauth2::AccessToken::new(token.unwrap_or_default()))
}

fn not_empty<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    let text = Option::<String>::deserialize(source)?;
    Ok(text.filter(|text| !text.is_empty()).map(Zeroizing::new))
}

fn token_type<'de, D: Deserializer<'de>>(source: D) -> Result<BasicTokenType, D::Error> {
    let text = Option::<String>::deserialize(source)?.unwrap_or_default();
    Ok(match text.to_ascii_lowercase().as_str() {
        "bearer" | "" => BasicTokenType::Bearer,
        _ => BasicTokenType::Extension(text),
    })
}

/// A number, or a number as a string; anything else is as good as absent.
fn seconds<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(source)?;
    let number = match &value {
        serde_json::Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    };
    Ok(number.filter(|seconds| *seconds > 0))
}
