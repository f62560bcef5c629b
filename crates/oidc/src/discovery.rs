//! What a provider says about itself (OpenID Connect Discovery section 4), and how much of it is
//! believed.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use crate::config::{ExpectedIssuer, ProviderConfig};
use crate::http::{HttpClient, HttpError, Limits};
use crate::issuer;
use crate::jose::Algorithm;

/// 64 KiB and 5 s, for metadata and keys alike.
pub(crate) const LIMITS: Limits = Limits { timeout: Duration::from_secs(5), max_body: 64 * 1024 };

/// The endpoints of a provider, every one of them on an allowed host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderMetadata {
    /// The issuer, as expected.
    pub issuer: String,
    /// Where the browser goes to sign in. Keep its query when appending.
    pub authorization_endpoint: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_endpoint: Url,
    /// Where the browser goes to sign out at the provider.
    pub end_session_endpoint: Option<Url>,
    /// Where the keys are.
    pub jwks_uri: Url,
    /// Whether redirects carry `iss` (RFC 9207).
    pub authorization_response_iss_parameter_supported: bool,
    /// What the metadata says that we do not follow.
    pub warnings: Vec<MetadataWarning>,
}

/// Something in the metadata that would weaken us and is ignored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataWarning {
    /// None of the algorithms we accept is on the provider's list.
    #[error("the provider no longer lists any signature algorithm we accept; ours still count")]
    AlgorithmsForeign,
    /// The provider lists PKCE methods, and S256 is not one of them.
    #[error("the provider no longer lists PKCE with S256; it is used all the same")]
    PkceDropped,
}

/// Why a provider's description cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// No answer came.
    #[error("the provider's metadata cannot be fetched: {0}")]
    Http(#[from] HttpError),
    /// An answer other than 200.
    #[error("the provider's metadata answers with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// A redirect, which is never followed.
    #[error("the provider's metadata redirects elsewhere")]
    Redirect,
    /// A web page instead of metadata: something in between answers, such as a hotel's login.
    #[error("a web page came instead of the provider's metadata")]
    Captive,
    /// Not metadata.
    #[error("the provider's metadata cannot be read")]
    Malformed,
    /// The issuer is not the expected one.
    #[error("the provider's metadata names another issuer than expected")]
    IssuerMismatch,
    /// An endpoint is on a host, or has a scheme, that is not allowed.
    #[error("the provider's {field} is not on an allowed host: {host}")]
    HostNotAllowed {
        /// The member of the metadata.
        field: &'static str,
        /// The host it names.
        host: String,
    },
}

impl DiscoveryError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Http(_) => "discovery.unreachable",
            Self::Status { .. } => "discovery.status",
            Self::Redirect => "discovery.redirect",
            Self::Captive => "net.captive",
            Self::Malformed => "discovery.malformed",
            Self::IssuerMismatch => "discovery.issuer_mismatch",
            Self::HostNotAllowed { .. } => "discovery.host_not_allowed",
        }
    }
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    end_session_endpoint: Option<String>,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
}

/// Asks the provider; `pinned` is the issuer known from an earlier answer.
pub(crate) async fn fetch(
    config: &ProviderConfig,
    pinned: Option<&str>,
    http: &dyn HttpClient,
) -> Result<ProviderMetadata, DiscoveryError> {
    let body = get(http, &config.metadata_url()).await?;
    let document: Document =
        serde_json::from_slice(&body).map_err(|_| DiscoveryError::Malformed)?;
    let trusted = match (&config.expected_issuer, pinned) {
        (ExpectedIssuer::Exact(exact), _) => document.issuer == *exact,
        (ExpectedIssuer::Discovered, Some(pinned)) => document.issuer == pinned,
        (ExpectedIssuer::Discovered, None) => issuer::fits(&config.authority, &document.issuer),
    };
    if !trusted {
        return Err(DiscoveryError::IssuerMismatch);
    }
    believe(config, document)
}

/// Fetches a JSON document of the provider, within [`LIMITS`] and without following anything.
pub(crate) async fn get(http: &dyn HttpClient, url: &Url) -> Result<Vec<u8>, DiscoveryError> {
    let request = http::Request::get(url.as_str())
        .header(http::header::ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|_| DiscoveryError::Malformed)?;
    let response = http.send(request, LIMITS).await?;
    let status = response.status();
    if status.is_redirection() {
        return Err(DiscoveryError::Redirect);
    }
    if status != http::StatusCode::OK {
        return Err(DiscoveryError::Status { status: status.as_u16() });
    }
    let kind = response.headers().get(http::header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return Err(DiscoveryError::Captive);
    }
    Ok(response.into_body())
}

fn believe(
    config: &ProviderConfig,
    document: Document,
) -> Result<ProviderMetadata, DiscoveryError> {
    let endpoint = |field: &'static str, text: &str| {
        let url = Url::parse(text).map_err(|_| DiscoveryError::Malformed)?;
        if config.allows(&url, &document.issuer) {
            Ok(url)
        } else {
            let host = url.host_str().unwrap_or_default().to_owned();
            Err(DiscoveryError::HostNotAllowed { field, host })
        }
    };
    Ok(ProviderMetadata {
        authorization_endpoint: endpoint(
            "authorization_endpoint",
            &document.authorization_endpoint,
        )?,
        token_endpoint: endpoint("token_endpoint", &document.token_endpoint)?,
        end_session_endpoint: document
            .end_session_endpoint
            .as_deref()
            .map(|text| endpoint("end_session_endpoint", text))
            .transpose()?,
        jwks_uri: endpoint("jwks_uri", &document.jwks_uri)?,
        authorization_response_iss_parameter_supported: document
            .authorization_response_iss_parameter_supported,
        warnings: warnings(config, &document),
        issuer: document.issuer,
    })
}

fn warnings(config: &ProviderConfig, document: &Document) -> Vec<MetadataWarning> {
    let mut warnings = Vec::new();
    let ours = |name: &String| {
        Algorithm::named(name).is_some_and(|algorithm| config.algorithms.contains(&algorithm))
    };
    let listed = document.id_token_signing_alg_values_supported.as_deref();
    if listed.is_some_and(|listed| !listed.iter().any(ours)) {
        warnings.push(MetadataWarning::AlgorithmsForeign);
    }
    let methods = document.code_challenge_methods_supported.as_deref();
    if methods.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
        warnings.push(MetadataWarning::PkceDropped);
    }
    for warning in &warnings {
        tracing::warn!(%warning, "ignored");
    }
    warnings
}
