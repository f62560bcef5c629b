//! The authorization server for wall displays: RFC 8628 (device grant), RFC 6749, RFC 9449 (DPoP),
//! RFC 7009 (revocation), RFC 7662 (introspection), RFC 8414 (metadata) and RFC 9068 (the token).
//!
//! Its words are those of the RFCs, not the API's problem documents: a standard client can link a
//! display. Every request of a display carries a proof of its key, and every token is bound to it.

mod device_authorization;
mod form;
mod grants;
mod introspect;
mod keys;
mod metadata;
mod problem;
mod proofs;
mod revoke;
mod token;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use luminous_domain::{DeviceId, LinkId, NoEntropy, Timestamp, TokenId};
use luminous_oidc::dpop::ReplayMemory;
use luminous_store::{Network, SecretHash};
use luminous_wire::api::{OAuthProblem, TokenAnswer};
use quick_cache::sync::Cache;
use utoipa_axum::router::OpenApiRouter;
use zeroize::Zeroizing;

pub use keys::{KeyLine, Rotation, SigningKeys};
pub use problem::OAuthError;
pub(crate) use problem::answer;
pub(crate) use proofs::accept;
pub(crate) use token::{DisplayClaims, verify};

use crate::config::{Config, ConfigError};
use crate::limits::RateLimit;
use crate::{AppState, hubs};

/// The token endpoint.
pub const TOKEN_PATH: &str = "/oauth2/token";
/// Where a display that waits buys its ticket to the link hub.
pub const LINK_TICKET_PATH: &str = "/oauth2/link_ticket";

/// How many displays and tokens are remembered, of each kind.
const REMEMBERED: usize = 20_000;

/// How many proofs of displays that ask for a code are remembered, in a memory of their own: nothing
/// that they come with is anybody's, and only the limits on codes bound them.
const ASKING: usize = 50_000;

/// How often a minute whoever waits at the hub for one yes may ask for the tokens.
const REDEEMS: u32 = 120;

/// What the authorization server keeps in memory.
pub struct Displays {
    /// The keys that sign access tokens.
    pub(crate) keys: SigningKeys,
    /// The proofs that were seen with something that belongs to their key.
    pub(crate) proofs: ReplayMemory,
    /// The proofs of those who asked for a code.
    pub(crate) asking: ReplayMemory,
    /// How often the first tokens of one wish may be asked for at the hub.
    pub(crate) redeems: RateLimit<LinkId>,
    /// How often it is said that there is hardly room for more codes.
    pub(crate) fullness: RateLimit<()>,
    /// How many requests a display may make.
    pub(crate) rate: RateLimit<DeviceId>,
    /// The tokens whose first use is written down.
    pub(crate) confirmed: Cache<TokenId, ()>,
    /// When displays were last noted as seen, by the monotonic clock.
    pub(crate) seen: Cache<DeviceId, Duration>,
}

impl Displays {
    /// Reads the signing keys.
    ///
    /// # Errors
    /// [`ConfigError`] about `displays.signing_keys_file`.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self {
            keys: SigningKeys::read(config)?,
            proofs: ReplayMemory::default(),
            asking: ReplayMemory::of_size(ASKING),
            fullness: RateLimit::per_minute(1),
            redeems: RateLimit::per_minute(REDEEMS),
            rate: RateLimit::per_minute(config.limits.per_account_per_minute),
            confirmed: Cache::new(REMEMBERED),
            seen: Cache::new(REMEMBERED),
        })
    }
}

impl Displays {
    /// Reads the file of signing keys again where it changed; answers whether it had. With a damaged
    /// one the keys that are there go on.
    ///
    /// # Errors
    /// [`ConfigError`] about `displays.signing_keys_file`.
    pub fn reload_keys(&self) -> Result<bool, ConfigError> {
        self.keys.reload()
    }
}

/// The routes, for displays and for other services.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(device_authorization::routes())
        .merge(grants::routes())
        .merge(revoke::routes())
        .merge(introspect::routes())
        .merge(metadata::routes())
        .merge(hubs::oauth_routes())
}

/// Gives the display that waits at the hub for `link` its first tokens: what `POST /oauth2/token` does,
/// with a proof for that.
///
/// # Errors
/// The problem as the token endpoint would answer it, without the id of a request.
pub async fn redeem(
    state: &AppState,
    link: LinkId,
    device_code: &str,
    proof: &str,
    network: Network,
) -> Result<TokenAnswer, OAuthProblem> {
    let redeemed = redeem_at_hub(state, link, device_code, proof, network).await;
    redeemed.map_err(|error| {
        error.log(None);
        error.problem(None)
    })
}

/// Counted by what is sealed in the caller and before anything is judged: code and proof are theirs to
/// choose, and nothing else keeps them from asking at any rate.
async fn redeem_at_hub(
    state: &AppState,
    link: LinkId,
    device_code: &str,
    proof: &str,
    network: Network,
) -> Result<TokenAnswer, OAuthError> {
    let counted = state.displays().redeems.count(&link, state.clock().elapsed());
    counted.map_err(|_| OAuthError::SlowDown { interval: None })?;
    let proof = proofs::judge(state, proof, &Method::POST, TOKEN_PATH, None)?;
    grants::redeem(state, device_code, proof, false, network).await
}

/// Which wish the display behind this request waits for, and until when: the request is a form with
/// `client_id` and `device_code`, and its proof is for [`LINK_TICKET_PATH`].
///
/// # Errors
/// [`OAuthError`].
pub async fn waiting_link(
    state: &AppState,
    headers: &http::HeaderMap,
    body: &[u8],
) -> Result<(LinkId, Timestamp), OAuthError> {
    let form = form::Form::read(headers, body)?;
    form.check_client()?;
    let proof = proofs::of_request(state, headers, &Method::POST, LINK_TICKET_PATH)?;
    let hash = secret_hash(form.required("device_code")?);
    let found = state.store().link_of(&hash, proof.thumbprint()).await?;
    let (link, _, expires_at) = found.ok_or(OAuthError::Grant(problem::Grant::Unknown))?;
    proofs::remember(state, &state.displays().proofs, &proof)?;
    Ok((link, expires_at))
}

/// A secret of `N` random bytes, in base64url.
fn draw_secret<const N: usize>(state: &AppState) -> Result<String, NoEntropy> {
    let mut bytes = Zeroizing::new([0; N]);
    state.entropy().fill(&mut *bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(*bytes))
}

/// What is kept of a secret of 256 bits, which nobody can search: its SHA-256.
fn secret_hash(secret: &str) -> SecretHash {
    let mut hash = [0; 32];
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// A number of seconds as answers carry it.
fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
