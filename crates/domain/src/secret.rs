//! Values that are never printed and never serialised.
//!
//! Each is its own type, so that a refresh token cannot be handed over where an access token is
//! meant. None implements `Serialize` or `Display`, and `Debug` prints only the type: a secret can
//! therefore not reach the webview, a log line or an error by accident. All are zeroed on drop.

use secrecy::{ExposeSecret, SecretString};

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Wraps a value that just came from outside.
            pub fn new(value: impl Into<String>) -> Self {
                Self(SecretString::from(value.into()))
            }

            /// The value itself, for the one request that needs it.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

secret!(
    /// An OAuth 2.0 access token (RFC 6749 section 1.4). Lives in memory only.
    AccessToken
);
secret!(
    /// An OAuth 2.0 refresh token (RFC 6749 section 1.5). At rest only in the OS keyring.
    RefreshToken
);
secret!(
    /// An OpenID Connect ID token (Core section 2), as it came, signature included.
    IdToken
);
secret!(
    /// An authorization code (RFC 6749 section 1.3.1). Single use.
    AuthorizationCode
);
secret!(
    /// A display's device code (RFC 8628 section 3.2): 256 bits, good for one link.
    DeviceCode
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        let token = RefreshToken::new("canary-value");
        assert_eq!(format!("{token:?}"), "RefreshToken(..)");
        assert_eq!(token.expose(), "canary-value");
    }
}
