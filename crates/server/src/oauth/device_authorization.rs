//! `POST /oauth2/device_authorization` (RFC 8628 section 3.1): a display asks for a code.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Method};
use luminous_domain::{DeviceCode, LinkId, UserCode};
use luminous_oidc::dpop::{HEADER, JudgedProof};
use luminous_store::{Failure, KeyThumbprint, NewLink, Refusal, SelfDescription};
use luminous_wire::api::{DeviceAuthorization, DeviceAuthorizationRequest, OAuthProblem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::form::Form;
use super::problem::answer;
use super::{OAuthError, draw_secret, proofs, seconds, secret_hash};
use crate::visit::Visit;
use crate::{AppState, input, link_codes, networks};

const PATH: &str = "/oauth2/device_authorization";
/// For how long a code that was asked for counts.
const WINDOW: Duration = Duration::from_secs(3600);
/// How many times as many codes as an address a site of IPv6 may ask for.
const SITE: u32 = 10;
/// How often another code is drawn where one was given lately.
const DRAWS: u32 = 8;
/// The longest version of an app, in characters.
const VERSION_MOST: usize = 30;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(authorize_device))
}

/// Ask for a code to show
///
/// It is shown to people, one of whom types it and is asked for a number that only the display shows.
/// The display polls the token endpoint meanwhile, or waits at `/hubs/link`. The `DPoP` header holds
/// a proof of the display's key (RFC 9449): only that key can redeem. A client that cannot prove it
/// here names it in `dpop_jkt`.
#[utoipa::path(
    post,
    path = "/oauth2/device_authorization",
    tag = "displays",
    security(("dpop" = [])),
    request_body(content = DeviceAuthorizationRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The codes", body = DeviceAuthorization),
        (status = 400, description = "In the words of RFC 6749 and 9449", body = OAuthProblem),
        (status = 401, description = "`invalid_client`", body = OAuthProblem),
        (status = 429, description = "Too many codes from one address", body = OAuthProblem),
        (status = 503, description = "`temporarily_unavailable`, also with as many codes as there may be", body = OAuthProblem),
    ),
)]
async fn authorize_device(
    State(state): State<AppState>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let authorized = authorize(&state, &visit, &headers, &body).await;
    answer(&visit, authorized.map(Json))
}

async fn authorize(
    state: &AppState,
    visit: &Visit,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<DeviceAuthorization, OAuthError> {
    let form = Form::read(headers, body)?;
    form.check_client()?;
    form.check_scope()?;
    let described = describe(&form)?;
    let key = key(state, &form, headers)?;
    count(state, visit).await?;
    if let Key::Proven(proof) = &key {
        proofs::remember(state, &state.displays().asking, proof)?;
    }
    begin(state, visit, &described, &key).await
}

/// The key that alone can redeem.
enum Key {
    /// Whoever asks holds it.
    Proven(JudgedProof),
    /// Whoever asks only names it, and it may be somebody else's.
    Named(KeyThumbprint),
}

impl Key {
    fn thumbprint(&self) -> &KeyThumbprint {
        match self {
            Self::Proven(proof) => proof.thumbprint(),
            Self::Named(named) => named,
        }
    }
}

/// The key that alone can redeem: that of the proof or, for standard clients, which prove nothing here,
/// the one that `dpop_jkt` names (RFC 9449 section 10). Whoever polls proves it in any case.
fn key(state: &AppState, form: &Form<'_>, headers: &HeaderMap) -> Result<Key, OAuthError> {
    let named = form.get("dpop_jkt").map(|named| {
        let decoded = URL_SAFE_NO_PAD.decode(named).ok().and_then(|key| key.try_into().ok());
        decoded.ok_or_else(|| OAuthError::Request("dpop_jkt is no thumbprint".to_owned()))
    });
    let named: Option<KeyThumbprint> = named.transpose()?;
    if let (Some(named), false) = (named, headers.contains_key(HEADER)) {
        return Ok(Key::Named(named));
    }
    let proof = proofs::of_request(state, headers, &Method::POST, PATH)?;
    match named {
        Some(named) if named != *proof.thumbprint() => {
            Err(OAuthError::Request("dpop_jkt is not the key of the proof".to_owned()))
        }
        _ => Ok(Key::Proven(proof)),
    }
}

/// What the display says of itself.
fn describe(form: &Form<'_>) -> Result<SelfDescription, OAuthError> {
    let said = |name: &str, most| {
        let said = form.get(name).map(|text| input::said(name, text, most)).transpose();
        said.map_err(|error| OAuthError::Request(error.to_string()))
    };
    Ok(SelfDescription {
        name: said("device_name", input::NAME_MOST)?.unwrap_or_else(|| "Display".to_owned()),
        model: said("device_model", input::NAME_MOST)?.unwrap_or_default(),
        app_version: said("app_version", VERSION_MOST)?.unwrap_or_default(),
    })
}

/// Counts a code that one address asks for, before it is drawn (D24); of IPv6 also for its site.
async fn count(state: &AppState, visit: &Visit) -> Result<(), OAuthError> {
    let most = state.config().displays.codes_per_address_per_hour;
    if most == 0 {
        return Ok(());
    }
    let address = networks::bucket(state, visit.address());
    let site = networks::site_bucket(state, visit.address());
    let site = site.map(|site| (site, most.saturating_mul(SITE)));
    for (bucket, most) in [Some((address, most)), site].into_iter().flatten() {
        let bucket = format!("display:code:{bucket}");
        if !state.store().count_attempt(&bucket, WINDOW, most).await? {
            outcome(state, "limited");
            return Err(OAuthError::TooManyCodes);
        }
    }
    Ok(())
}

fn outcome(state: &AppState, outcome: &str) {
    state.meters().count("luminous_display_codes_total", &[("outcome", outcome)]);
}

/// Says that walls are filling up with codes, before no display gets one any more: at four fifths of
/// what there may be, once a minute.
async fn watch(state: &AppState) -> Result<(), OAuthError> {
    let most = state.config().displays.codes;
    let open = state.store().open_links().await?;
    if u64::from(open) * 5 < u64::from(most) * 4 {
        return Ok(());
    }
    outcome(state, "given_nearly_full");
    if state.displays().fullness.count(&(), state.clock().elapsed()).is_ok() {
        tracing::warn!(open, most, "there are nearly as many codes on walls as there may be");
    }
    Ok(())
}

async fn begin(
    state: &AppState,
    visit: &Visit,
    described: &SelfDescription,
    key: &Key,
) -> Result<DeviceAuthorization, OAuthError> {
    for _ in 0..DRAWS {
        let codes = Codes::draw(state)?;
        match state.store().begin_link(&codes.wish(state, visit, described, key)?).await {
            Ok(_) => {
                outcome(state, "given");
                // The code stands, whether somebody could be warned or not.
                let _ = watch(state).await;
                return Ok(codes.answer(state));
            }
            Err(Failure::Refused(Refusal::TooMany)) => {
                outcome(state, "full");
                return Err(OAuthError::Capacity);
            }
            Err(Failure::Refused(Refusal::Repeated)) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Err(OAuthError::Internal("only codes that were given lately were drawn".to_owned()))
}

/// The three secrets of one showing.
struct Codes {
    device: DeviceCode,
    user: UserCode,
    /// Only as long-lived as the code; whoever has it may be asked for the number.
    qr: String,
}

impl Codes {
    fn draw(state: &AppState) -> Result<Self, OAuthError> {
        Ok(Self {
            device: DeviceCode::new(draw_secret::<32>(state)?),
            user: UserCode::new(state.entropy())?,
            qr: draw_secret::<16>(state)?,
        })
    }

    /// What is written down of them.
    fn wish(
        &self,
        state: &AppState,
        visit: &Visit,
        described: &SelfDescription,
        key: &Key,
    ) -> Result<NewLink, OAuthError> {
        let settings = &state.config().displays;
        let qr = link_codes::qr_hash(&self.qr);
        Ok(NewLink {
            id: LinkId::new(state.clock().now(), state.entropy())?,
            device_code: secret_hash(self.device.expose()),
            user_code: link_codes::hash(state, &self.user),
            qr: qr.ok_or_else(|| OAuthError::Internal("the QR's secret is none".to_owned()))?,
            key: *key.thumbprint(),
            is_key_proven: matches!(key, Key::Proven(_)),
            described: described.clone(),
            network: networks::hash(state, visit.address()),
            lifetime: Duration::from_secs(settings.code_seconds),
            interval: Duration::from_secs(u64::from(settings.poll_seconds)),
            most: settings.codes,
        })
    }

    fn answer(&self, state: &AppState) -> DeviceAuthorization {
        let settings = &state.config().displays;
        let verification_uri = format!("{}/link", state.config().base());
        DeviceAuthorization {
            device_code: self.device.expose().to_owned(),
            user_code: self.user.grouped(),
            verification_uri_complete: format!("{verification_uri}?qr={}", self.qr),
            verification_uri,
            expires_in: seconds(Duration::from_secs(settings.code_seconds)),
            interval: settings.poll_seconds,
        }
    }
}
