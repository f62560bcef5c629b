//! Sign-ins of a browser at the server itself: those that are under way, and those that stand.

use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{AccountId, Timestamp, WebSessionId};

use crate::SecretHash;
use crate::accounts::Standing;
use crate::audit::Act;
use crate::error::StoreError;

/// A sign-in that the browser is away for, at the provider.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPendingSignIn {
    /// Hash of the `state`.
    pub state: SecretHash,
    /// Hash of the cookie of the browser that began it.
    pub browser: SecretHash,
    /// The `nonce` that the ID token must repeat.
    pub nonce: String,
    /// The PKCE verifier. Useless without the code, which comes by another way.
    pub verifier: String,
    /// Which of the configured issuers was asked.
    pub issuer: String,
    /// The local path to go to afterwards.
    pub return_to: String,
    /// For how long.
    pub lifetime: Duration,
}

/// What [`WebSessions::take_pending`] answers.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingSignIn {
    /// As in [`NewPendingSignIn`].
    pub nonce: String,
    /// As in [`NewPendingSignIn`].
    pub verifier: String,
    /// As in [`NewPendingSignIn`].
    pub issuer: String,
    /// As in [`NewPendingSignIn`].
    pub return_to: String,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSession {
    /// Its id; not the cookie.
    pub id: WebSessionId,
    /// Whose.
    pub account: AccountId,
    /// What the browser says of itself.
    pub user_agent: String,
    /// When the person last proved to the provider who they are.
    pub auth_time: Option<Timestamp>,
    /// Whether the provider said then that it does not vouch for the person's address.
    pub is_email_unverified: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// A browser session to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWebSession {
    /// Its id.
    pub id: WebSessionId,
    /// Hash of the cookie.
    pub token: SecretHash,
    /// Whose.
    pub account: AccountId,
    /// What the browser says of itself, cut to 200 characters.
    pub user_agent: String,
    /// When the person last proved to the provider who they are.
    pub auth_time: Option<Timestamp>,
    /// Whether the provider said that it does not vouch for the person's address.
    pub is_email_unverified: bool,
    /// It ends after this long without use.
    pub idle: Duration,
    /// It ends after this long in any case.
    pub lifetime: Duration,
}

/// A session and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOwner {
    /// The session.
    pub session: WebSession,
    /// Where its owner stands now.
    pub standing: Standing,
}

/// Sign-ins of browsers. These are credentials: what was answered as done survives a power cut.
#[async_trait]
pub trait WebSessions: Send + Sync {
    /// Keeps a sign-in that has begun.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn begin_pending(&self, new: &NewPendingSignIn) -> Result<(), StoreError>;

    /// Takes it, once, if it has not ended and this browser began it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn take_pending(
        &self,
        state: &SecretHash,
        browser: &SecretHash,
    ) -> Result<Option<PendingSignIn>, StoreError>;

    /// Opens a session (audit: `session.opened`); the one with the hash `replaces` ends in the same
    /// transaction, so that no cookie survives a sign-in (session fixation).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn open_session(
        &self,
        new: &NewWebSession,
        replaces: Option<&SecretHash>,
        act: &Act,
    ) -> Result<WebSession, StoreError>;

    /// The session with this cookie, while it lasts; notes that it was used.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn resume_session(&self, token: &SecretHash) -> Result<Option<SessionOwner>, StoreError>;

    /// Those of one account that last, the latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sessions(&self, account: AccountId) -> Result<Vec<WebSession>, StoreError>;

    /// Ends one of the account's (audit: `session.ended`); `false` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn end_session(
        &self,
        account: AccountId,
        id: WebSessionId,
        act: &Act,
    ) -> Result<bool, StoreError>;
}
