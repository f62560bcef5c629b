//! Tickets to a hub: bought with a real token by HTTP, good for one connection.
//!
//! A browser can put nothing but its address into the opening of a WebSocket, and addresses end up
//! in logs. So what stands there is worth nothing a moment later (ASVS 4.4.3, T25), and says nothing
//! of who it is. A ticket is sealed, not kept: any replica accepts it, and the store only remembers
//! that it was used.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::Timestamp;
use luminous_store::SecretHash;
use luminous_wire::api::HubTicket;
use serde::{Deserialize, Serialize};

use super::{Caller, sealed};
use crate::{ApiError, AppState};

/// How long a ticket may be presented, as its buyer is told.
pub const LIFETIME: Duration = Duration::from_secs(30);
/// How far the clocks of two replicas may lie apart (DB10): one sells the ticket, another takes it.
pub(super) const APART: Duration = Duration::from_secs(90);
/// For how long it is remembered that something was used. Whoever is [`APART`] behind who sold it takes
/// it for so long.
pub(super) const MEMORY: Duration = Duration::from_secs(LIFETIME.as_secs() + 2 * APART.as_secs());
/// What tickets are sealed for.
const PURPOSE: &str = "hub tickets";
/// More is no ticket of ours.
const LONGEST: usize = 2048;

#[derive(Serialize, Deserialize)]
struct Ticket {
    id: [u8; 16],
    until_ms: i64,
    caller: Caller,
}

/// Why a ticket lets nobody in. From outside the reasons look the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Not one of ours, too late, or used.
    #[error("the ticket is not accepted")]
    Refused,
    /// Whether it was used cannot be known now.
    #[error(transparent)]
    Store(#[from] luminous_store::StoreError),
}

/// Makes a ticket for `caller`.
///
/// # Errors
/// [`ApiError::Internal`] without randomness.
pub fn issue(state: &AppState, caller: Caller) -> Result<HubTicket, ApiError> {
    let mut id = [0; 16];
    state.entropy().fill(&mut id)?;
    let until_ms = state.clock().now().as_millisecond() + LIFETIME.as_millis() as i64;
    let ticket = serde_json::to_vec(&Ticket { id, until_ms, caller })
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let ticket = URL_SAFE_NO_PAD.encode(sealed::seal(state, PURPOSE, &ticket)?);
    Ok(HubTicket { ticket, expires_in: LIFETIME.as_secs() as u32 })
}

/// Uses a ticket up.
///
/// # Errors
/// [`TicketError`].
pub async fn accept(state: &AppState, text: &str) -> Result<Caller, TicketError> {
    let ticket = read(state, text).ok_or(TicketError::Refused)?;
    if state.store().use_once(&once("ticket", &ticket.id), MEMORY).await? {
        Ok(ticket.caller)
    } else {
        Err(TicketError::Refused)
    }
}

/// What the store remembers of something that was used.
pub(super) fn once(what: &str, id: &[u8]) -> SecretHash {
    let mut used = digest::Context::new(&digest::SHA256);
    used.update(what.as_bytes());
    used.update(&[0]);
    used.update(id);
    let mut key = [0; 32];
    key.copy_from_slice(used.finish().as_ref());
    key
}

fn read(state: &AppState, text: &str) -> Option<Ticket> {
    let sealed = (text.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten()?;
    let ticket: Ticket = serde_json::from_slice(&sealed::open(state, PURPOSE, &sealed)?).ok()?;
    let until = Timestamp::from_millisecond(ticket.until_ms).ok()?.saturating_add(APART).ok()?;
    (state.clock().now() <= until).then_some(ticket)
}
