//! The operating system's keyring: Secret Service, Windows Credential Manager, macOS Keychain.
//!
//! The only file that names them. It uses `keyring-core` with one store crate per platform and not
//! the `keyring` crate, which opens the store once per process and remembers a failure for ever: an
//! app that starts before the session bus would never see its keyring (S1). Every call may block
//! for ever, so only the vault's thread may make one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

use crate::ports::{OpenStore, SecretBytes, SecretStore, StoreError};

/// Opens the platform's keyring for one service name.
#[derive(Debug)]
pub struct PlatformKeyring {
    service: String,
    asking: Arc<AtomicBool>,
}

impl PlatformKeyring {
    /// `service` is the name our values are filed under, `family.luminous.desktop` for the app.
    #[must_use]
    pub fn new(service: impl Into<String>) -> Self {
        Self { service: service.into(), asking: Arc::default() }
    }
}

impl OpenStore for PlatformKeyring {
    fn open(&self) -> Result<Box<dyn SecretStore>, StoreError> {
        Ok(Box::new(PlatformStore {
            service: self.service.clone(),
            store: platform::open().map_err(|error| explain(&error))?,
            locks: platform::Locks::connect()?,
            asking: Arc::clone(&self.asking),
        }))
    }

    fn is_asking(&self) -> bool {
        self.asking.load(Ordering::Relaxed)
    }
}

struct PlatformStore {
    service: String,
    store: Arc<CredentialStore>,
    locks: platform::Locks,
    asking: Arc<AtomicBool>,
}

impl PlatformStore {
    fn entry(&self, name: &str) -> Result<Entry, StoreError> {
        platform::build(&*self.store, &self.service, name).map_err(|error| explain(&error))
    }

    /// Runs `work`, and says meanwhile whether the keyring is asking the person to unlock it.
    fn attended<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.asking.store(self.locks.is_locked(), Ordering::Relaxed);
        let result = work();
        self.asking.store(false, Ordering::Relaxed);
        result
    }
}

impl SecretStore for PlatformStore {
    fn get(&self, name: &str) -> Result<Vec<SecretBytes>, StoreError> {
        self.locks.expect_collection()?;
        let entry = self.entry(name)?;
        match self.attended(|| entry.get_secret()) {
            Ok(value) => Ok(vec![Zeroizing::new(value)]),
            Err(Error::NoEntry) => Ok(Vec::new()),
            Err(Error::Ambiguous(entries)) => entries
                .iter()
                .map(|entry| entry.get_secret().map(Zeroizing::new).map_err(|e| explain(&e)))
                .collect(),
            Err(error) => Err(explain(&error)),
        }
    }

    fn set(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.locks.expect_collection()?;
        let entry = self.entry(name)?;
        match self.attended(|| entry.set_secret(value)) {
            // The first is replaced before the others go, so that a crash loses nothing.
            Err(Error::Ambiguous(entries)) => match entries.split_first() {
                Some((first, others)) => {
                    first.set_secret(value).map_err(|error| explain(&error))?;
                    delete_all(others)
                }
                None => Err(StoreError::Unreadable),
            },
            other => other.map_err(|error| explain(&error)),
        }
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.locks.expect_collection()?;
        let entry = self.entry(name)?;
        match self.attended(|| entry.delete_credential()) {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(Error::Ambiguous(entries)) => delete_all(&entries),
            Err(error) => Err(explain(&error)),
        }
    }

    fn limit(&self) -> Option<usize> {
        platform::LIMIT
    }
}

fn delete_all(entries: &[Entry]) -> Result<(), StoreError> {
    entries.iter().try_for_each(|entry| match entry.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(explain(&error)),
    })
}

/// `keyring-core`'s errors in our words. Two of its variants carry the stored bytes, and the debug
/// form of another prints entries, so nothing here formats more than a platform's own message.
fn explain(error: &Error) -> StoreError {
    match error {
        Error::NoStorageAccess(reason) => StoreError::Locked(reason.to_string()),
        Error::PlatformFailure(reason) => StoreError::Unavailable(reason.to_string()),
        Error::NoDefaultStore => StoreError::Unavailable("no store".to_owned()),
        Error::BadEncoding(_) | Error::BadDataFormat(..) | Error::BadStoreFormat(_) => {
            StoreError::Unreadable
        }
        Error::TooLong(_, limit) => StoreError::TooLong { limit: *limit },
        Error::NoEntry => StoreError::Refused("no entry".to_owned()),
        Error::Ambiguous(_) => StoreError::Refused("duplicates".to_owned()),
        Error::Invalid(name, _) => StoreError::Refused(format!("bad {name}")),
        _ => StoreError::Refused("not supported".to_owned()),
    }
}

#[cfg(target_os = "linux")]
mod platform {
    //! The Secret Service over D-Bus. The store crate's runtime features stay off: they would
    //! switch `zbus` to tokio for the whole program, and its blocking calls then panic.

    use std::collections::HashMap;
    use std::sync::Arc;

    use keyring_core::api::CredentialStore;
    use keyring_core::{Entry, Error};
    use zbus::blocking::Connection;
    use zbus::zvariant::{OwnedObjectPath, OwnedValue};

    use crate::ports::StoreError;

    /// gnome-keyring takes megabytes.
    pub(super) const LIMIT: Option<usize> = None;

    const BUS_NAME: &str = "org.freedesktop.secrets";
    const SERVICE: &str = "org.freedesktop.Secret.Service";
    const COLLECTION: &str = "org.freedesktop.Secret.Collection";

    pub(super) fn open() -> Result<Arc<CredentialStore>, Error> {
        let store = zbus_secret_service_keyring_store::Store::new()?;
        Ok(store)
    }

    pub(super) fn build(
        store: &CredentialStore,
        service: &str,
        name: &str,
    ) -> Result<Entry, Error> {
        // Shown in the person's own keyring program.
        let label = HashMap::from([("label", "Luminous sign-in")]);
        store.build(service, name, Some(&label))
    }

    /// Asks the Secret Service what the store crate does not tell: whether there is a default
    /// collection at all, and whether it is locked.
    pub(super) struct Locks(Connection);

    impl Locks {
        pub(super) fn connect() -> Result<Self, StoreError> {
            let connection = Connection::session();
            connection.map(Self).map_err(|error| StoreError::Unavailable(error.to_string()))
        }

        /// A fresh WSL, or a gnome-keyring that was killed and came back by itself, has no default
        /// collection: then "nothing found" does not mean that the sign-in is gone.
        pub(super) fn expect_collection(&self) -> Result<(), StoreError> {
            match self.default_collection() {
                Ok(path) if path.as_str() != "/" => Ok(()),
                Ok(_) => {
                    Err(StoreError::Unavailable("the keyring has no default collection".to_owned()))
                }
                Err(error) => Err(StoreError::Unavailable(error.to_string())),
            }
        }

        pub(super) fn is_locked(&self) -> bool {
            self.default_collection().and_then(|path| self.locked(&path)).unwrap_or(false)
        }

        fn default_collection(&self) -> zbus::Result<OwnedObjectPath> {
            let path = "/org/freedesktop/secrets";
            let arguments = ("default",);
            let answer =
                self.0.call_method(Some(BUS_NAME), path, Some(SERVICE), "ReadAlias", &arguments)?;
            answer.body().deserialize()
        }

        fn locked(&self, collection: &OwnedObjectPath) -> zbus::Result<bool> {
            let interface = Some("org.freedesktop.DBus.Properties");
            let arguments = (COLLECTION, "Locked");
            let answer =
                self.0.call_method(Some(BUS_NAME), collection, interface, "Get", &arguments)?;
            let value: OwnedValue = answer.body().deserialize()?;
            Ok(bool::try_from(value)?)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    //! Windows and macOS: their keyrings belong to the login session and are never absent.

    use std::sync::Arc;

    use keyring_core::api::CredentialStore;
    use keyring_core::{Entry, Error};

    use crate::ports::StoreError;

    /// `CRED_MAX_CREDENTIAL_BLOB_SIZE` is 5 * 512 bytes.
    #[cfg(windows)]
    pub(super) const LIMIT: Option<usize> = Some(2560);
    /// The Keychain has no limit that matters here.
    #[cfg(not(windows))]
    pub(super) const LIMIT: Option<usize> = None;

    #[cfg(windows)]
    pub(super) fn open() -> Result<Arc<CredentialStore>, Error> {
        let store = windows_native_keyring_store::Store::new()?;
        Ok(store)
    }

    #[cfg(target_os = "macos")]
    pub(super) fn open() -> Result<Arc<CredentialStore>, Error> {
        let store = apple_native_keyring_store::keychain::Store::new()?;
        Ok(store)
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    pub(super) fn open() -> Result<Arc<CredentialStore>, Error> {
        Err(Error::NoDefaultStore)
    }

    #[cfg(windows)]
    pub(super) fn build(
        store: &CredentialStore,
        service: &str,
        name: &str,
    ) -> Result<Entry, Error> {
        // The default, `Enterprise`, travels with the person's profile to other computers.
        let stays = std::collections::HashMap::from([("persistence", "Local")]);
        store.build(service, name, Some(&stays))
    }

    #[cfg(not(windows))]
    pub(super) fn build(
        store: &CredentialStore,
        service: &str,
        name: &str,
    ) -> Result<Entry, Error> {
        store.build(service, name, None)
    }

    pub(super) struct Locks;

    impl Locks {
        pub(super) fn connect() -> Result<Self, StoreError> {
            Ok(Self)
        }

        pub(super) fn expect_collection(&self) -> Result<(), StoreError> {
            Ok(())
        }

        pub(super) fn is_locked(&self) -> bool {
            false
        }
    }
}
