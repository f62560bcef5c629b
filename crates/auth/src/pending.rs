//! The sign-ins the browser has the word on, and which of them an answer belongs to.
//!
//! There can be several at once (a second click, a second tab). Each is found by its own state and
//! by nothing else, so answers that cross do not mix. A stranger who sends answers cannot cancel a
//! sign-in with one try, and has ten tries against 256 random bits.

use std::collections::VecDeque;

use luminous_domain::Timestamp;
use luminous_wire::{BrowserPurpose, ErrorCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;
use zeroize::Zeroizing;

use crate::redirect::Redirect;
use crate::sign_in::{Ask, PendingSignIn};

/// So many answers that belong to nothing end all that is pending (R3).
pub const MOST_BAD_ANSWERS: u32 = 10;

/// So many sign-ins at once; the oldest gives way.
const MOST_PENDING: usize = 8;

/// So many past ones are remembered, to tell "already used" and "expired" from "never asked".
const MOST_GONE: usize = 32;

/// A state that an answer is awaited for, and the redirect URI it will come in on.
pub type Awaited = (Zeroizing<String>, String);

/// Why an answer belongs to no pending sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PendingError {
    /// Nothing is pending.
    #[error("no sign-in is pending")]
    NoPending,
    /// Something is pending, but the state is missing or not its state.
    #[error("the answer's state belongs to no pending sign-in")]
    StateMismatch {
        /// Whether this was one too many, and all that was pending has ended.
        ended: bool,
    },
    /// It was answered before.
    #[error("the answer came before")]
    AlreadyUsed,
    /// It took too long.
    #[error("the sign-in took too long")]
    Expired,
}

impl PendingError {
    /// The code for people.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::NoPending => ErrorCode::RedirectNoPending,
            Self::StateMismatch { .. } => ErrorCode::RedirectStateMismatch,
            Self::AlreadyUsed => ErrorCode::RedirectAlreadyUsed,
            Self::Expired => ErrorCode::RedirectExpired,
        }
    }
}

/// How a sign-in stopped being pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gone {
    Used,
    Expired,
    Cancelled,
}

/// What is pending, and what was.
#[derive(Debug, Default)]
pub struct PendingSignIns {
    pending: Vec<PendingSignIn>,
    /// By digest: the state itself is not needed any more.
    gone: VecDeque<([u8; 32], Gone)>,
    bad_answers: u32,
}

impl PendingSignIns {
    /// Adds one.
    pub fn add(&mut self, sign_in: PendingSignIn) {
        if self.pending.len() == MOST_PENDING {
            let oldest = self.pending.remove(0);
            self.remember(&oldest, Gone::Cancelled);
        }
        self.pending.push(sign_in);
    }

    /// Whether nothing is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether the one with `state` is pending.
    #[must_use]
    pub fn holds(&self, state: &str) -> bool {
        self.expires_at(state).is_some()
    }

    /// When the one with `state` ends by itself, if it is pending.
    #[must_use]
    pub fn expires_at(&self, state: &str) -> Option<Timestamp> {
        let mut pending = self.pending.iter();
        pending.find(|sign_in| sign_in.state.as_str() == state).map(|sign_in| sign_in.expires_at)
    }

    /// Whether `redirect` answers one that is pending.
    #[must_use]
    pub fn awaits(&self, redirect: &Redirect) -> bool {
        self.position_of(redirect).is_some()
    }

    fn position_of(&self, redirect: &Redirect) -> Option<usize> {
        let state = redirect.state.as_deref().unwrap_or_default();
        self.pending.iter().position(|sign_in| {
            bool::from(sign_in.state.as_bytes().ct_eq(state.as_bytes()))
                && sign_in.redirect_uri == redirect.endpoint
        })
    }

    /// Finds the sign-in that `redirect` answers, and takes it: an answer counts once. It must
    /// have come in on the redirect URI that was asked for.
    ///
    /// # Errors
    /// [`PendingError`]; everything stays pending, unless there were too many bad answers.
    pub fn take(
        &mut self,
        redirect: &Redirect,
        now: Timestamp,
    ) -> Result<PendingSignIn, PendingError> {
        self.expire(now);
        if let Some(index) = self.position_of(redirect) {
            let sign_in = self.pending.remove(index);
            self.remember(&sign_in, Gone::Used);
            if self.pending.is_empty() {
                self.bad_answers = 0;
            }
            return Ok(sign_in);
        }
        match self.how_it_went(redirect.state.as_deref().unwrap_or_default()) {
            Some(Gone::Used) => Err(PendingError::AlreadyUsed),
            Some(Gone::Expired) => Err(PendingError::Expired),
            _ => Err(self.count_bad_answer()),
        }
    }

    fn how_it_went(&self, state: &str) -> Option<Gone> {
        let digest: [u8; 32] = Sha256::digest(state.as_bytes()).into();
        self.gone.iter().find(|(gone, _)| *gone == digest).map(|(_, how)| *how)
    }

    /// Counts an answer that belongs to nothing.
    pub fn count_bad_answer(&mut self) -> PendingError {
        if self.pending.is_empty() {
            return PendingError::NoPending;
        }
        self.bad_answers += 1;
        let ended = self.bad_answers >= MOST_BAD_ANSWERS;
        if ended {
            self.cancel_all();
        }
        PendingError::StateMismatch { ended }
    }

    /// Ends the one with `state`, because the person cancelled it. Answers whether it was there.
    pub fn cancel(&mut self, state: &str) -> bool {
        let index = self.pending.iter().position(|sign_in| sign_in.state.as_str() == state);
        if let Some(index) = index {
            let sign_in = self.pending.remove(index);
            self.remember(&sign_in, Gone::Cancelled);
        }
        index.is_some()
    }

    /// Ends those for such a purpose.
    pub fn cancel_where(&mut self, ends: impl Fn(BrowserPurpose) -> bool) {
        let (ended, pending) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|sign_in| ends(sign_in.ask.purpose));
        self.pending = pending;
        let ended: Vec<PendingSignIn> = ended;
        for sign_in in &ended {
            self.remember(sign_in, Gone::Cancelled);
        }
    }

    /// Ends all of them.
    pub fn cancel_all(&mut self) {
        for sign_in in std::mem::take(&mut self.pending) {
            self.remember(&sign_in, Gone::Cancelled);
        }
        self.bad_answers = 0;
    }

    /// Ends those whose time has come.
    pub fn expire(&mut self, now: Timestamp) {
        let (expired, pending) =
            std::mem::take(&mut self.pending).into_iter().partition(|s| s.expires_at <= now);
        self.pending = pending;
        let expired: Vec<PendingSignIn> = expired;
        for sign_in in &expired {
            self.remember(sign_in, Gone::Expired);
        }
    }

    fn remember(&mut self, sign_in: &PendingSignIn, gone: Gone) {
        if self.gone.len() == MOST_GONE {
            self.gone.pop_front();
        }
        self.gone.push_back((Sha256::digest(sign_in.state.as_bytes()).into(), gone));
    }

    /// What is pending, as bytes for the vault and for nothing else: they hold the verifiers.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let saved: Vec<Saved<'_>> = self.pending.iter().map(Saved::from).collect();
        Zeroizing::new(serde_json::to_vec(&saved).unwrap_or_default())
    }

    /// Adds what [`Self::to_secret_bytes`] wrote before a restart and what has not expired since,
    /// and answers what it added. Bytes that cannot be read hold nothing worth an error: the person
    /// starts again.
    pub fn restore(&mut self, bytes: &[u8], now: Timestamp) -> Vec<Awaited> {
        let saved: Vec<Saved<'_>> = serde_json::from_slice(bytes).unwrap_or_default();
        let mut added = Vec::new();
        for sign_in in saved.into_iter().filter_map(Saved::read) {
            if self.holds(&sign_in.state) || self.how_it_went(&sign_in.state).is_some() {
                continue;
            }
            if sign_in.expires_at > now {
                added.push((sign_in.state.clone(), sign_in.redirect_uri.clone()));
                self.add(sign_in);
            } else {
                self.remember(&sign_in, Gone::Expired);
            }
        }
        added
    }
}

/// A pending sign-in in the vault.
#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    state: &'a str,
    nonce: &'a str,
    verifier: &'a str,
    redirect_uri: &'a str,
    issuer: &'a str,
    issuer_required: bool,
    token_endpoint: &'a str,
    client_id: &'a str,
    expires_at_ms: i64,
    /// Absent in what was written before there were other purposes than signing in.
    #[serde(default)]
    ask: Ask,
}

impl<'a> From<&'a PendingSignIn> for Saved<'a> {
    fn from(sign_in: &'a PendingSignIn) -> Self {
        Self {
            state: &sign_in.state,
            nonce: &sign_in.nonce,
            verifier: &sign_in.verifier,
            redirect_uri: &sign_in.redirect_uri,
            issuer: &sign_in.issuer,
            issuer_required: sign_in.issuer_required,
            token_endpoint: sign_in.token_endpoint.as_str(),
            client_id: &sign_in.client_id,
            expires_at_ms: sign_in.expires_at.as_millisecond(),
            ask: sign_in.ask.clone(),
        }
    }
}

impl Saved<'_> {
    fn read(self) -> Option<PendingSignIn> {
        Some(PendingSignIn {
            state: Zeroizing::new(self.state.to_owned()),
            nonce: Zeroizing::new(self.nonce.to_owned()),
            verifier: Zeroizing::new(self.verifier.to_owned()),
            redirect_uri: self.redirect_uri.to_owned(),
            issuer: self.issuer.to_owned(),
            issuer_required: self.issuer_required,
            token_endpoint: Url::parse(self.token_endpoint).ok()?,
            client_id: self.client_id.to_owned(),
            expires_at: Timestamp::from_millisecond(self.expires_at_ms).ok()?,
            ask: self.ask,
            waiter: None,
        })
    }
}
