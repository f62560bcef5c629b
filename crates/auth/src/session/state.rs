//! What the session is at one moment, and how the window sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{AccessToken, RefreshToken, Timestamp};
use luminous_oidc::Provider;
use luminous_wire::{
    AccountView, AppError, BrowserPurpose, BrowserState, Connection, ErrorCode, FamilyStanding,
    ProviderView, RedirectChannel, SessionSnapshot, SignedOutCause, Stage, StorageView,
};
use url::Url;

use super::step_up::{SteppedUp, Wait};
use crate::pending::PendingSignIns;
use crate::service::Service;
use crate::state_file::{Account, StateFile};

/// The provider we sign in with, and what is behind it.
pub(super) struct Connected {
    /// Under the policy that people sign in with.
    pub provider: Arc<Provider>,
    /// The same under its other policies, each made when it is first needed.
    pub under: BTreeMap<String, Arc<Provider>>,
    pub service: Service,
}

impl Connected {
    fn view(&self, changeable: bool) -> ProviderView {
        ProviderView {
            changeable,
            host: self.provider.config().host().to_owned(),
            demo: self.service.demo,
            hints: self.service.hints.clone(),
            password_reset: self.service.policies.password_reset.is_some(),
            profile_edit: self.service.policies.profile_edit.is_some(),
        }
    }
}

/// Everything the session knows at one moment.
pub(super) struct State {
    /// A family server that is named by the configuration is being asked.
    pub connecting: bool,
    /// The address that the configuration names, to be mended where it does not do.
    pub configured: Option<String>,
    /// Whether a person may name another family server.
    pub changeable: bool,
    /// Grows with each sign-in and sign-out; what an earlier one still had under way is dropped.
    pub epoch: u64,
    pub provider: Option<Connected>,
    pub who: Who,
    pub storage: Storage,
    pub pending: PendingSignIns,
    pub activity: Activity,
    /// The proof of a second factor that acts of administration wait for.
    pub step_up: Option<Wait>,
    pub problem: Option<AppError>,
}

/// Who is signed in.
#[expect(clippy::large_enum_variant, reason = "there is one, and it is never moved in a loop")]
pub(super) enum Who {
    /// Nobody.
    Nobody { cause: SignedOutCause, last: Option<AccountView> },
    /// Somebody, for all we know.
    SignedIn(SignedIn),
    /// Somebody by the marker, but the keyring will not say.
    Blocked { account: Account },
}

/// Somebody who is signed in.
pub(super) struct SignedIn {
    pub account: Account,
    /// Absent until the keyring was asked, or when the provider gave none.
    pub grant: Option<Grant>,
    pub access: Option<Access>,
    /// A token of the policy that proves a second factor, beside the grant and never in its place.
    pub stepped_up: Option<SteppedUp>,
    pub connection: Connection,
    /// The family server's answers, counted when asked for: an older one that comes late is none.
    pub asked: u64,
    pub answered: u64,
    /// When to refresh next; `None` while there is nothing to refresh with.
    pub due: Option<Due>,
    /// Failed refreshes in a row, and what the last one said.
    pub failures: u32,
    pub last_failure: Option<AppError>,
}

/// What a session is refreshed with.
#[derive(Clone)]
pub(super) struct Grant {
    pub token: RefreshToken,
    /// Who issued it: it is sent to nobody else.
    pub issuer: String,
    pub client_id: String,
    /// The newest generation of the vault that this grant is known to follow: its own once it is
    /// stored, else that of the one before it.
    pub base: u64,
    /// Whether the vault holds this very grant, rather than memory alone.
    pub stored: bool,
}

impl Grant {
    /// The same after it was written as this generation; `None` when it was not written.
    pub(super) fn after_write(self, generation: Option<u64>) -> Self {
        match generation {
            Some(generation) => Self { base: generation, stored: true, ..self },
            None => self,
        }
    }
}

/// An access token and its life.
#[derive(Clone)]
pub(super) struct Access {
    pub token: AccessToken,
    /// When it is not given out any more, somewhat before it ends.
    pub good_until: Due,
}

/// A moment on both clocks. The monotonic one does not jump, but stands still while the computer
/// sleeps; the wall clock goes on, but jumps. So it has come when either says so (F9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub elapsed: Duration,
    pub wall: Timestamp,
}

impl Due {
    pub(super) fn has_come(self, elapsed: Duration, wall: Timestamp) -> bool {
        self.elapsed <= elapsed || self.wall <= wall
    }
}

/// Where the sign-in is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Storage {
    Keyring,
    /// By the person's choice, because of what was wrong with the keyring.
    Memory(Option<ErrorCode>),
    Unusable(AppError),
}

/// What goes on beside who is signed in.
pub(super) enum Activity {
    Idle,
    Waiting(Waiting),
    Finishing,
}

/// The sign-in the person looks at.
pub(super) struct Waiting {
    /// Which of the pending ones; its `state`.
    pub id: zeroize::Zeroizing<String>,
    /// For "open again" and "copy link". Holds no secret: state and challenge go to the browser.
    pub link: Url,
    pub purpose: BrowserPurpose,
    pub channel: RedirectChannel,
    pub browser: BrowserState,
    pub expires_at: Timestamp,
}

impl Who {
    /// Who the state file says is signed in.
    pub(super) fn known_to(file: &StateFile) -> Self {
        let account = file.active_account().unwrap_or_else(|error| {
            tracing::warn!(%error, "the account cannot be read");
            None
        });
        match account {
            None => Self::Nobody { cause: SignedOutCause::Never, last: None },
            Some(account) => match (account.ended, account.generation) {
                (Some(cause), _) => Self::Nobody { cause, last: Some(account.view) },
                // Signed in, but in memory only: that ended with the program.
                (None, None) => {
                    Self::Nobody { cause: SignedOutCause::SignedOut, last: Some(account.view) }
                }
                (None, Some(_)) => Self::SignedIn(SignedIn::checking(account)),
            },
        }
    }

    fn stage(&self, served: bool) -> Stage {
        match self {
            Self::Nobody { cause, last } => {
                Stage::SignedOut { cause: *cause, last_account: last.clone() }
            }
            Self::SignedIn(signed_in) => Stage::SignedIn {
                account: signed_in.account.view.clone(),
                connection: signed_in.connection.clone(),
                family: match served {
                    true => signed_in.account.family.clone(),
                    false => FamilyStanding::Unserved,
                },
            },
            Self::Blocked { account } => {
                Stage::StorageBlocked { account: Some(account.view.clone()) }
            }
        }
    }

    /// Who is, or was last, signed in here.
    pub(super) fn view(&self) -> Option<&AccountView> {
        match self {
            Self::Nobody { last, .. } => last.as_ref(),
            _ => self.account().map(|account| &account.view),
        }
    }

    /// The account, in whatever state it is.
    pub(super) fn account(&self) -> Option<&Account> {
        match self {
            Self::Nobody { .. } => None,
            Self::SignedIn(signed_in) => Some(&signed_in.account),
            Self::Blocked { account } => Some(account),
        }
    }
}

impl SignedIn {
    /// Somebody the state file knows, before the keyring was asked.
    pub(super) fn checking(account: Account) -> Self {
        Self {
            account,
            grant: None,
            access: None,
            stepped_up: None,
            connection: Connection::Checking,
            asked: 0,
            answered: 0,
            due: None,
            failures: 0,
            last_failure: None,
        }
    }
}

impl State {
    pub(super) fn new(provider: Option<Connected>, who: Who) -> Self {
        Self {
            epoch: 0,
            connecting: false,
            configured: None,
            changeable: false,
            provider,
            who,
            storage: Storage::Keyring,
            pending: PendingSignIns::default(),
            activity: Activity::Idle,
            step_up: None,
            problem: None,
        }
    }

    pub(super) fn signed_in(&mut self) -> Option<&mut SignedIn> {
        match &mut self.who {
            Who::SignedIn(signed_in) => Some(signed_in),
            _ => None,
        }
    }

    /// Nobody is signed in from now on; whatever the old session has under way is void.
    pub(super) fn leave(&mut self, cause: SignedOutCause) {
        self.epoch += 1;
        self.end_what_was_asked_of_them();
        let last = self.who.account().map(|account| account.view.clone());
        if last.is_some() {
            self.who = Who::Nobody { cause, last };
        }
    }

    /// Ends what only who was signed in could do in the browser; acts that wait for it are not done.
    pub(super) fn end_what_was_asked_of_them(&mut self) {
        let theirs =
            |purpose| matches!(purpose, BrowserPurpose::StepUp | BrowserPurpose::EditProfile);
        self.pending.cancel_where(theirs);
        self.step_up = None;
        self.activity_ends_where(theirs);
    }

    /// The window does not wait any more, where it waited for this.
    pub(super) fn activity_ends_where(&mut self, ends: impl Fn(BrowserPurpose) -> bool) {
        if matches!(&self.activity, Activity::Waiting(waiting) if ends(waiting.purpose)) {
            self.activity = Activity::Idle;
        }
    }

    /// How the window sees it, under `revision`.
    pub(super) fn snapshot(&self, revision: u32) -> SessionSnapshot {
        let served = match &self.provider {
            Some(one) => one.service.api.is_some(),
            None => self.configured.is_some(),
        };
        let stage = match (&self.provider, &self.activity) {
            // They can sign out, and go on from there.
            (None, _) if self.who.account().is_some() => self.who.stage(served),
            (None, _) if self.connecting => Stage::Starting,
            (None, _) => Stage::Unconfigured { address: self.configured.clone() },
            (_, Activity::Idle) => self.who.stage(served),
            (_, Activity::Finishing) => Stage::Finishing,
            (_, Activity::Waiting(waiting)) => Stage::WaitingForBrowser {
                purpose: waiting.purpose,
                channel: waiting.channel,
                browser: waiting.browser,
                expires_at_ms: waiting.expires_at.as_millisecond(),
            },
        };
        let storage = match &self.storage {
            Storage::Keyring => StorageView::Keyring,
            Storage::Memory(_) => StorageView::Memory,
            Storage::Unusable(problem) => StorageView::Unusable { problem: problem.clone() },
        };
        let provider = self.provider.as_ref().map(|one| one.view(self.changeable));
        SessionSnapshot { revision, stage, storage, provider, problem: self.problem.clone() }
    }
}
