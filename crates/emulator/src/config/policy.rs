//! What a policy does with a person, and whom else it lets vouch for them.

/// A user flow of a B2C tenant. Grants, keys and metadata are per policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name, in the portal's case.
    pub name: String,
    /// What it does with a person.
    pub kind: PolicyKind,
}

impl Policy {
    /// A policy of this name and kind.
    #[must_use]
    pub fn new(name: &str, kind: PolicyKind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// What a policy does with a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// Signs them in, or makes an account.
    SignUpSignIn,
    /// Sends a code to their address and lets them choose a new password.
    PasswordReset,
    /// Lets them change what the tokens say about them.
    ProfileEdit,
    /// Signs them in with a second factor, always.
    Mfa,
}

/// Somebody else who vouches for a person. Here it is a stand-in: a page of the emulator that asks
/// who it should say the person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityProvider {
    /// Google.
    Google,
    /// Apple.
    Apple,
    /// Microsoft's accounts for private people.
    Microsoft,
}

impl IdentityProvider {
    /// All of them, in the order of their buttons.
    pub const ALL: [Self; 3] = [Self::Google, Self::Apple, Self::Microsoft];

    /// The `idp` claim, and the `domain_hint` that leads straight there.
    #[must_use]
    pub fn domain(self) -> &'static str {
        match self {
            Self::Google => "google.com",
            Self::Apple => "apple.com",
            Self::Microsoft => "live.com",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::Apple => "Apple",
            Self::Microsoft => "Microsoft",
        }
    }

    /// The provider of a `domain_hint`, in any case.
    pub(crate) fn parse(domain: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.domain().eq_ignore_ascii_case(domain))
    }
}
