//! What signing in needs from its surroundings. The app hands in the real ones, tests others.
//!
//! HTTP, time and randomness are ports too; they live where more than this crate needs them
//! (`luminous_oidc::http`, `luminous_domain`).

use url::Url;
use zeroize::Zeroizing;

/// The person's own browser.
///
/// There is deliberately no embedded one: a WebView would let us see the password, keeps no
/// sessions, and Google and others refuse it (RFC 8252 section 8.12).
pub trait Browser: Send + Sync {
    /// Opens `url` in the system browser. May block for a moment; called off the async threads.
    ///
    /// # Errors
    /// [`BrowserError`] when no browser could be started; the sign-in stays pending then, because
    /// the person can copy the link.
    fn open(&self, url: &Url) -> Result<(), BrowserError>;
}

/// No browser could be started. What went wrong is for the log; it never holds the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system browser could not be opened: {0}")]
pub struct BrowserError(pub String);

/// Whether the operating system would bring our redirect back to us.
pub trait SchemeProbe: Send + Sync {
    /// Asks whether `family.luminous.app://` is registered to this very program. Asked before each
    /// sign-in, because another install or a browser profile may have changed it since. May block
    /// for a moment; called off the async threads.
    fn is_ours(&self) -> bool;
}

/// Bytes that are zeroed when dropped and that nothing prints.
pub type SecretBytes = Zeroizing<Vec<u8>>;

/// A keyring, as little of it as is needed: named opaque values.
///
/// All calls are synchronous and may block for ever (a frozen daemon, a prompt nobody answers), so
/// only the vault's own thread makes them. Listing and searching are left out: the vault knows its
/// names. Values are ASCII, because some keyrings hold text only.
pub trait SecretStore: Send {
    /// Every value stored under `name`: none, one, or several when something outside us made
    /// duplicates.
    ///
    /// # Errors
    /// [`StoreError`]; an absent value is not an error.
    fn get(&self, name: &str) -> Result<Vec<SecretBytes>, StoreError>;

    /// Stores `value` under `name`, in place of all that was there. Replacing one value is atomic.
    ///
    /// # Errors
    /// [`StoreError`]; the old value stands then.
    fn set(&self, name: &str, value: &[u8]) -> Result<(), StoreError>;

    /// Removes everything under `name`; an absent value is fine.
    ///
    /// # Errors
    /// [`StoreError`]; the old value may stand then.
    fn delete(&self, name: &str) -> Result<(), StoreError>;

    /// The most bytes one value may have, where the platform has such a limit.
    fn limit(&self) -> Option<usize>;
}

/// Opens the keyring, again and again if need be: one that is absent when the computer starts may
/// come later.
pub trait OpenStore: Send + Sync {
    /// Connects to the keyring. May block for ever, like every call of [`SecretStore`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is none.
    fn open(&self) -> Result<Box<dyn SecretStore>, StoreError>;

    /// Whether the call now in progress waits for the person to answer the keyring's own question.
    /// Must not block: it is asked while another call does.
    fn is_asking(&self) -> bool {
        false
    }
}

/// Why the keyring did not do what was asked. Never holds a stored value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no keyring, or it went away.
    #[error("there is no keyring: {0}")]
    Unavailable(String),
    /// It is locked, and the person did not or could not unlock it.
    #[error("the keyring is locked: {0}")]
    Locked(String),
    /// The keyring says that what it holds is not what was written.
    #[error("the keyring holds something unreadable")]
    Unreadable,
    /// The value is larger than the platform takes.
    #[error("the value is larger than the keyring's limit of {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: u32,
    },
    /// It refused for another reason.
    #[error("the keyring refused: {0}")]
    Refused(String),
}
