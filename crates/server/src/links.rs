//! Linking a wall display, from the side of the person: for the API and for the phone's page.
//!
//! A code is looked up ([`Linker::look_up`]), which makes the display show two digits; the person
//! types them ([`Linker::confirm`]) or declines. Every race is decided in the store. What is guarded
//! here is guessing ([`guesses`]) and being near.

mod guesses;

use std::net::IpAddr;
use std::time::Duration;

use luminous_domain::{ChallengeId, DeviceId, MatchNumber, Permission, UserCode};
use luminous_store::{
    Account, Act, Asked, Claim, Confirmation, Device, Failure, LinkKey, Membership, NewClaim,
    Refusal, SecretHash,
};
use luminous_wire::api::{ConfirmLink, FormerPlaceView, LinkChallenge};

use crate::config::Proximity;
use crate::{ApiError, AppState, input, link_codes, networks, views};

use guesses::Guess;

/// How long a person may take from the code to the number, though never beyond the code's end.
const CLAIM_LIFETIME: Duration = Duration::from_secs(180);
/// How many refused tries of one account are written down in an hour; the figures count them all.
const LINES_MOST: u32 = 20;
const LINES_WINDOW: Duration = Duration::from_secs(3600);

/// What a person has of a display's code.
pub enum Shown {
    /// The six symbols, typed.
    Typed(UserCode),
    /// What is kept of the secret in the QR. Nobody guesses 128 bits, so this is never locked.
    Photographed(SecretHash),
}

impl Shown {
    /// Reads what was typed. What cannot be a code is no guess either.
    ///
    /// # Errors
    /// [`ApiError::DeviceCodeFormat`].
    pub fn typed(text: &str) -> Result<Self, ApiError> {
        UserCode::parse(text).map(Self::Typed).map_err(|_| ApiError::DeviceCodeFormat)
    }
}

/// What became of a question.
pub enum Answered {
    /// It waits for its answer.
    NotYet(LinkChallenge),
    /// The answer was yes, and made this display.
    Yes(DeviceId),
}

/// A person who links, whose role allows it.
pub struct Linker<'s> {
    state: &'s AppState,
    account: &'s Account,
    place: &'s Membership,
    act: Act,
    address: IpAddr,
}

/// A person who wants to link.
pub struct Asker<'s> {
    /// Who.
    pub account: &'s Account,
    /// Their place.
    pub place: &'s Membership,
    /// Whether their own provider does not vouch for their address.
    pub is_email_unverified: bool,
    /// What the audit log is to say.
    pub act: Act,
    /// Where they ask from.
    pub address: IpAddr,
}

impl<'s> Linker<'s> {
    /// Nobody links whose own provider doubts their address: it may be somebody else's (D12). There
    /// is no other way to a linker, neither for the API nor for the page.
    ///
    /// # Errors
    /// [`ApiError::RoleMissing`].
    pub fn new(state: &'s AppState, asker: Asker<'s>) -> Result<Self, ApiError> {
        let Asker { account, place, is_email_unverified, act, address } = asker;
        if is_email_unverified {
            return Err(ApiError::RoleMissing(Permission::DevicesLink));
        }
        Ok(Self { state, account, place, act, address })
    }

    /// Looks a code up: the display shows its number from now on.
    ///
    /// # Errors
    /// [`ApiError::DeviceCodeInvalid`], whatever is wrong with it; [`ApiError::DeviceRateLimited`],
    /// also for a right one; [`ApiError::DeviceProximityRequired`]; [`ApiError::RoleMissing`].
    pub async fn look_up(&self, shown: &Shown) -> Result<LinkChallenge, ApiError> {
        let looked_up = self.find(shown).await.and_then(|claim| self.challenge(claim));
        self.note("device.code_claimed", &looked_up).await;
        looked_up
    }

    /// Yes, this is ours: makes the device.
    ///
    /// # Errors
    /// [`ApiError::Input`] about the name or the room, and nothing has happened;
    /// [`ApiError::DeviceConfirmMismatch`], and the code is burned, which a number that is none is
    /// not; [`ApiError::DeviceCodeInvalid`], [`ApiError::RoleMissing`], [`ApiError::TooMany`].
    pub async fn confirm(&self, yes: &ConfirmLink) -> Result<Device, ApiError> {
        let yes = Confirmation {
            challenge: yes.challenge,
            number: MatchNumber::parse(&yes.number)
                .ok_or_else(|| ApiError::Input("number: two digits".to_owned()))?,
            account: self.account.id,
            member: self.place.member,
            family: self.place.family.id,
            device: DeviceId::new(self.state.clock().now(), self.state.entropy())?,
            name: input::name(&yes.name)?,
            room: yes.room.as_deref().map(input::room).transpose()?,
            absolute: absolute(self.state),
        };
        let device = self.state.store().confirm_link(&yes, &self.act).await.map_err(refusal);
        match device {
            // The store writes it down itself: it burns the code in the same transaction.
            Err(ApiError::DeviceConfirmMismatch) => self.alarm("confirm_mismatch"),
            _ => self.note("device.linked", &device).await,
        }
        self.count("luminous_link_confirmations_total", &device);
        device
    }

    /// No, not ours: the code is over.
    ///
    /// # Errors
    /// [`ApiError::DeviceCodeInvalid`].
    pub async fn decline(&self, challenge: ChallengeId) -> Result<(), ApiError> {
        let (account, family) = (self.account.id, self.place.family.id);
        let declined = self.state.store().decline_link(challenge, account, family, &self.act).await;
        let declined = declined.map_err(refusal);
        self.note("device.declined", &declined).await;
        self.count("luminous_link_declines_total", &declined);
        declined
    }

    /// What became of a question, for whoever was asked; it is no guess.
    ///
    /// # Errors
    /// [`ApiError::DeviceCodeInvalid`] when it is over without a yes, and for anybody else.
    pub async fn asked(&self, challenge: ChallengeId) -> Result<Answered, ApiError> {
        let (account, family) = (self.account.id, self.place.family.id);
        match self.state.store().asked_link(challenge, account, family).await? {
            Some(Asked::Open(claim)) => self.challenge(claim).map(Answered::NotYet),
            Some(Asked::Linked(device)) => Ok(Answered::Yes(device)),
            None => Err(ApiError::DeviceCodeInvalid),
        }
    }

    async fn find(&self, shown: &Shown) -> Result<Claim, ApiError> {
        let claim = match shown {
            Shown::Typed(code) => self.guess(code).await,
            Shown::Photographed(qr) => self.claim(LinkKey::Qr(*qr)).await?.map_err(refusal),
        };
        self.count("luminous_link_lookups_total", &claim);
        claim
    }

    /// A try is counted before it is looked at, so that of a thousand at once only so many are; what
    /// was no wrong code is taken back.
    async fn guess(&self, code: &UserCode) -> Result<Claim, ApiError> {
        let guess = Guess::count(self).await?;
        let claim = self.claim(LinkKey::UserCode(link_codes::hash(self.state, code))).await?;
        let is_counted = matches!(
            claim,
            Err(Failure::Store(_) | Failure::Refused(Refusal::LinkInvalid | Refusal::LinkSprayed))
        );
        if !is_counted {
            guess.take_back().await;
        }
        claim.map_err(refusal)
    }

    async fn claim(&self, key: LinkKey) -> Result<Result<Claim, Failure>, ApiError> {
        let new = NewClaim {
            challenge: ChallengeId::new(self.state.clock().now(), self.state.entropy())?,
            number: MatchNumber::new(self.state.entropy())?,
            account: self.account.id,
            member: self.place.member,
            family: self.place.family.id,
            lifetime: CLAIM_LIFETIME,
        };
        let claim = self.state.store().claim_link(&key, &new, &self.act).await;
        if matches!(claim, Err(Failure::Refused(Refusal::LinkSprayed))) {
            self.alarm("code_sprayed");
        }
        Ok(claim)
    }

    /// What the person is asked. Where only near displays may be linked, the claim of a far one stays
    /// as it is until its time is over: who then comes near may look it up again.
    fn challenge(&self, claim: Claim) -> Result<LinkChallenge, ApiError> {
        let same_network = claim.network == networks::hash(self.state, self.address);
        let proximity = self.state.config().displays.proximity;
        if proximity == Proximity::Require && !same_network {
            return Err(ApiError::DeviceProximityRequired);
        }
        let shown_s = self.state.clock().now().as_second() - claim.shown_at.as_second();
        Ok(LinkChallenge {
            challenge: claim.challenge,
            device_name: claim.described.name,
            device_model: claim.described.model,
            app_version: claim.described.app_version,
            minutes_shown: u32::try_from(shown_s / 60).unwrap_or_default(),
            same_network,
            expires_at_ms: claim.expires_at.as_millisecond(),
            former: claim.former.map(|former| FormerPlaceView {
                id: former.device,
                name: former.name,
                room: former.room,
            }),
        })
    }

    /// Somebody may be being tricked (D15, D18). The line in the audit log is the store's.
    fn alarm(&self, what: &'static str) {
        self.state.meters().count("luminous_link_alarms_total", &[("alarm", what)]);
        tracing::warn!(alarm = what, "a display's code was burned");
    }

    fn count<T>(&self, what: &str, result: &Result<T, ApiError>) {
        let outcome = result.as_ref().map_or_else(ApiError::code, |_| "ok");
        self.state.meters().count(what, &[("outcome", outcome)]);
    }

    /// Writes a refusal down: what succeeded, the store has written in the same transaction. The
    /// refusal stands whether or not that works.
    async fn note<T>(&self, action: &str, result: &Result<T, ApiError>) {
        let Err(refusal) = result else { return };
        // A failure of ours is nobody's act.
        if refusal.status().is_server_error() {
            return;
        }
        let (store, family) = (self.state.store(), Some(self.place.family.id));
        let bucket = format!("link:lines:{}", self.account.id);
        let noted = match store.count_attempt(&bucket, LINES_WINDOW, LINES_MOST).await {
            Ok(true) => store.record_refusal(family, &self.act, action, None, refusal.code()).await,
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            tracing::error!(code = error.code(), %error, "a refusal was not written down");
        }
    }
}

/// Takes a link of the last day back.
///
/// # Errors
/// [`ApiError::NotFound`], also when it was linked longer ago; [`ApiError::RoleMissing`].
pub async fn undo(
    state: &AppState,
    place: &Membership,
    device: DeviceId,
    act: &Act,
) -> Result<(), ApiError> {
    let (family, by) = (place.family.id, place.member);
    let undone = state.store().undo_link(family, device, views::UNDO_WINDOW, by, act).await;
    undone.map_err(refusal)
}

/// How long a display stays without renewal.
#[must_use]
pub fn absolute(state: &AppState) -> Duration {
    Duration::from_secs(state.config().displays.absolute_days.saturating_mul(86_400))
}

fn refusal(failure: Failure) -> ApiError {
    ApiError::of(failure, Permission::DevicesLink)
}
