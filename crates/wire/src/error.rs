//! The one shape of an error on its way to a person.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What went wrong, as far as the UI acts on it.
        ///
        /// A code exists only because the UI says or offers something different for it. The finer
        /// reason (`token.expired`, `AADB2C90080`) travels in [`AppError::reason`] for "Copy
        /// details" and is never interpreted by the UI.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
        }

        impl ErrorCode {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as it is written down, `group.what`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

error_codes! {
    /// No usable provider configuration.
    ConfigInvalid = "config.invalid",
    /// The provider cannot be reached.
    NetUnreachable = "net.unreachable",
    /// Something between us and the provider answers in its place (a hotel's login page).
    NetCaptive = "net.captive",
    /// The provider asks to come back later, or is failing.
    ProviderBusy = "provider.busy",
    /// The provider refuses because of how the application is registered or configured.
    ProviderConfig = "provider.config",
    /// The provider gives no access token for what the app asks: its registration lacks the scope.
    ProviderNoAccess = "provider.no_access",
    /// The provider's description of itself cannot be trusted or read.
    DiscoveryFailed = "discovery.failed",
    /// The provider's keys cannot be had.
    KeysUnavailable = "keys.unavailable",
    /// A token of the provider does not prove what it must.
    TokenRejected = "token.rejected",
    /// This computer's clock is too far off to judge a token.
    ClockSkew = "clock.skew",
    /// Neither the deep link nor a loopback port can bring the answer back.
    RedirectNoChannel = "redirect.no_channel",
    /// The system browser could not be opened; the link can be copied.
    RedirectNoBrowser = "redirect.no_browser",
    /// The person cancelled in the browser.
    RedirectCancelled = "redirect.cancelled",
    /// The sign-in took longer than it may.
    RedirectExpired = "redirect.expired",
    /// An answer came that no waiting sign-in had asked for.
    RedirectNoPending = "redirect.no_pending",
    /// Too many answers came that do not belong to this sign-in.
    RedirectStateMismatch = "redirect.state_mismatch",
    /// The same answer came twice.
    RedirectAlreadyUsed = "redirect.already_used",
    /// The answer names another issuer than the one that was asked.
    RedirectIssuerMismatch = "redirect.issuer_mismatch",
    /// The answer is not a redirect of ours at all.
    RedirectMalformed = "redirect.malformed",
    /// The person asked for a new password.
    RedirectPasswordReset = "redirect.password_reset",
    /// The provider refused the sign-in.
    RedirectRefused = "redirect.refused",
    /// The provider refused to exchange the code.
    RedirectExchangeRejected = "redirect.exchange_rejected",
    /// The sign-in is over; a new one is needed.
    SessionReauthRequired = "session.reauth_required",
    /// The provider answered for another person than the one who is signed in.
    SessionIdentityChanged = "session.identity_changed",
    /// The answer belongs to a session that has ended since.
    SessionStaleGeneration = "session.stale_generation",
    /// The act needs a fresh proof, with a second factor, of who asks (RFC 9470).
    SessionStepUpRequired = "session.step_up_required",
    /// The act needs a second factor, and there is no way to prove one.
    SessionStepUpUnavailable = "session.step_up_unavailable",
    /// The sign-in belongs to another provider than the one the app is set up for: signing out
    /// leads there.
    SessionOtherProvider = "session.other_provider",
    /// The app signs in with a provider alone: there is no family server to do it.
    ServerAbsent = "server.absent",
    /// What is at the address is not a family server.
    ServerNotLuminous = "server.not_luminous",
    /// The family server cannot be reached.
    ServerUnreachable = "server.unreachable",
    /// The family server asks to come back later, or is failing.
    ServerBusy = "server.busy",
    /// The family server does not accept the sign-in.
    ServerRefused = "server.refused",
    /// The person's role does not allow it.
    AuthzRoleMissing = "authz.role_missing",
    /// The person is not, or no longer, in this family.
    AuthzFamilyMismatch = "authz.family_mismatch",
    /// The person is in a family already.
    FamilyAlreadyMember = "family.already_member",
    /// The last owner cannot leave or step down.
    FamilyLastOwner = "family.last_owner",
    /// The typed name is not the family's.
    FamilyNameMismatch = "family.name_mismatch",
    /// What was typed cannot be the code of an invitation.
    InviteCodeFormat = "invite.code_format",
    /// No invitation has this code; or it has been used, withdrawn or has expired.
    InviteInvalid = "invite.invalid",
    /// Too many wrong codes; wait.
    InviteRateLimited = "invite.rate_limited",
    /// What was typed cannot be a display's code.
    DeviceCodeFormat = "device.code_format",
    /// No display shows this code; or it has been used, declined or has expired.
    DeviceCodeInvalid = "device.code_invalid",
    /// The number is not what the display shows; it shows a new code now.
    DeviceConfirmMismatch = "device.confirm_mismatch",
    /// Too many wrong codes; wait, or use the QR.
    DeviceRateLimited = "device.rate_limited",
    /// The display is in another network, and this server links only those that are near.
    DeviceProximityRequired = "device.proximity_required",
    /// The server shows as many codes as it may.
    DeviceCapacity = "device.capacity",
    /// A typed value is too long, empty or otherwise not what it must be.
    InputInvalid = "input.invalid",
    /// There are as many as there can be: of members, notes, invitations.
    LimitReached = "limit.reached",
    /// What this was about is gone.
    ResourceNotFound = "resource.not_found",
    /// There is no keyring.
    StoreUnavailable = "store.unavailable",
    /// The keyring is locked.
    StoreLocked = "store.locked",
    /// The keyring is asking the person something.
    StoreWaiting = "store.waiting",
    /// The keyring does not answer.
    StoreTimeout = "store.timeout",
    /// The stored sign-in is gone.
    StoreLost = "store.lost",
    /// The stored sign-in cannot be read.
    StoreCorrupt = "store.corrupt",
    /// The keyring refused to store the sign-in.
    StoreWriteFailed = "store.write_failed",
    /// A defect of ours.
    Internal = "internal",
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error on its way to a person: the code chooses the words, the rest is for "Copy details".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AppError {
    /// Chooses the words and what is offered.
    pub code: ErrorCode,
    /// One English sentence for logs and "Copy details"; the UI does not show it by itself.
    pub message: String,
    /// The finer reason in the words of its source: `token.expired`, `AADB2C90080`.
    pub reason: Option<String>,
    /// The provider's correlation id, for its support.
    pub correlation_id: Option<String>,
}

impl AppError {
    /// An error with nothing beyond its code and sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), reason: None, correlation_id: None }
    }
}
