//! The session as the desktop window draws it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::{IdentityProviderHint, MembershipView};
use crate::error::AppError;

/// The whole truth about the session at one moment. The UI replaces its copy, it never patches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SessionSnapshot {
    /// Grows by one with each change, so that a late answer never overwrites a newer event.
    pub revision: u32,
    /// Where the session stands.
    pub stage: Stage,
    /// Where the sign-in is kept.
    pub storage: StorageView,
    /// Whom we sign in with; absent before the first connection.
    pub provider: Option<ProviderView>,
    /// What last went wrong and is still worth saying; cleared by the next step a person takes.
    pub problem: Option<AppError>,
}

/// Where the session stands. The screens switch over this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Stage {
    /// The app is reading its own state, or asks the family server that its configuration names:
    /// while that cannot be reached, `problem` says so and it is tried again.
    Starting,
    /// There is no provider yet: first start.
    Unconfigured {
        /// The family server's address, where the app knows one that did not do.
        address: Option<String>,
    },
    /// Nobody is signed in.
    SignedOut {
        /// Why.
        cause: SignedOutCause,
        /// Who was signed in here before, to be welcomed back.
        last_account: Option<AccountView>,
    },
    /// The system browser has the word.
    WaitingForBrowser {
        /// What the person is asked to do there.
        purpose: BrowserPurpose,
        /// How the answer will come back.
        channel: RedirectChannel,
        /// Whether the browser could be opened.
        browser: BrowserState,
        /// When this sign-in ends by itself, Unix time in ms.
        #[ts(type = "number")]
        expires_at_ms: i64,
    },
    /// The redirect came back; the code is being exchanged and verified.
    Finishing,
    /// Somebody is signed in.
    SignedIn {
        /// Who.
        account: AccountView,
        /// Whether the provider could be reached lately.
        connection: Connection,
        /// Their place in a family.
        family: FamilyStanding,
    },
    /// Somebody is signed in as far as we know, but the keyring will not say; `problem` says why.
    /// Nothing has been deleted.
    StorageBlocked {
        /// Who, from the non-secret marker.
        account: Option<AccountView>,
    },
}

/// The place in a family of who is signed in, as the family server last said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FamilyStanding {
    /// The app signs in with a provider alone: there is no family server.
    Unserved,
    /// The server has not said yet.
    Unknown,
    /// In none: to create one or to join one comes next.
    Outside,
    /// In this one.
    Member {
        /// The place.
        membership: MembershipView,
    },
}

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SignedOutCause {
    /// Nobody ever was.
    Never,
    /// They signed out.
    SignedOut,
    /// The provider ended the sign-in (expired, revoked, account gone).
    Ended,
    /// The keyring no longer has the sign-in that the marker knows of.
    Lost,
    /// What the keyring has cannot be read; it was put aside.
    Corrupt,
}

/// How the redirect comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RedirectChannel {
    /// `family.luminous.app://auth/callback`.
    DeepLink,
    /// A listener on a fixed loopback port (RFC 8252 section 7.3).
    Loopback,
}

/// Whether the system browser could be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BrowserState {
    /// It was.
    Opened,
    /// It was not; the link can be copied instead.
    Failed,
}

/// Whether the provider could be reached lately. Never a reason to sign anybody out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Connection {
    /// No answer yet since the start.
    Checking,
    /// The last try succeeded.
    Online,
    /// The last tries failed; what is shown is as of then.
    Offline {
        /// The last success, Unix time in ms; absent when there was none since the start.
        #[ts(type = "number | null")]
        since_ms: Option<i64>,
    },
}

/// A person, as far as the window shows one. All of it came from outside: text, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountView {
    /// An opaque local id of the account.
    pub id: String,
    /// Display name; may be empty.
    pub name: String,
    /// E-mail address, for display only; it identifies nobody.
    pub email: Option<String>,
    /// The identity provider's own name (`google.com`), absent for a local account.
    pub identity_provider: Option<String>,
    /// When this sign-in was made, Unix time in ms.
    #[ts(type = "number")]
    pub signed_in_at_ms: i64,
}

/// Where the sign-in is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StorageView {
    /// In the operating system's keyring.
    Keyring,
    /// In memory only, because the person chose so: gone when the app quits.
    Memory,
    /// The keyring cannot be used now; the person may choose memory only, or mend it.
    Unusable {
        /// Why.
        problem: AppError,
    },
}

/// Whom we sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProviderView {
    /// The host people will see in their browser.
    pub host: String,
    /// Whether it is the embedded emulator.
    pub demo: bool,
    /// Whether a person may go to another family server from here (`disconnect`); not where the
    /// configuration names it.
    pub changeable: bool,
    /// The identity providers behind it, to be offered as shortcuts.
    pub hints: Vec<IdentityProviderHint>,
    /// Whether a password can be reset in the browser.
    pub password_reset: bool,
    /// Whether the profile can be edited in the browser.
    pub profile_edit: bool,
}

/// What the person is asked to do in the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BrowserPurpose {
    /// Sign in.
    SignIn,
    /// Choose a new password.
    ResetPassword,
    /// Change the profile.
    EditProfile,
    /// Prove once more, with a second factor, who they are: an act of administration waits for it.
    StepUp,
}

/// What the person wants to do in the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SignInIntent {
    /// Sign in, or sign up from there.
    SignIn,
    /// Sign in as somebody else than the browser remembers (`prompt=login`).
    SwitchAccount,
    /// Choose a new password, then sign in.
    ResetPassword,
    /// Change name and the like; whoever is signed in stays so.
    EditProfile,
}

/// How far a sign-out goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SignOutScope {
    /// Only this app.
    Here,
    /// This app and the provider's session in the browser.
    AndProvider,
}
