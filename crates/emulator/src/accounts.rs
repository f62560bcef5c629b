//! Accounts: what an address and a password must look like, and who gets in.

use std::sync::OnceLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use uuid::Uuid;

use crate::config::Lockout;
use crate::store::{Account, Attempts, Store, StoreError, User};
use crate::tokens::seconds;

/// Why a field of the sign-up page is not right yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    EmailMissing,
    EmailInvalid,
    NameMissing,
    NameTooLong,
    PasswordMissing,
    PasswordTooShort,
    PasswordTooLong,
    PasswordTooSimple,
    PasswordsDiffer,
    EmailTaken,
    WrongCredentials,
    Locked,
    CodeMissing,
    CodeWrong,
    CodeUsed,
    /// Locked by codes before this one.
    CodeLocked,
    /// Locked by this code.
    CodesUsedUp,
    MailedCodeWrong,
    MailedCodeOver,
    NoSuchAccount,
}

/// An account could not be made or checked.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// argon2 failed, or a stored hash is not one.
    #[error("a password could not be hashed or compared")]
    Hash,
    /// The address is taken.
    #[error("there is an account with this e-mail address already")]
    Taken,
    /// The address is none.
    #[error("this is not an e-mail address")]
    Email,
}

/// The one spelling of an address: trimmed, lower case. `None` when it is not an address.
pub(crate) fn normalise_email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (local, domain) = email.split_once('@')?;
    let labels_are_full = domain.split('.').all(|label| !label.is_empty());
    let sound = !local.is_empty()
        && !domain.contains('@')
        && domain.contains('.')
        && labels_are_full
        && email.len() <= 254
        && !email
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "<>\"(),;:\\[]".contains(c));
    sound.then_some(email)
}

/// B2C's "strong" rule: 8 to 64 characters of three of the four kinds.
pub(crate) fn check_password(password: &str) -> Result<(), Fault> {
    let kinds: [fn(char) -> bool; 4] =
        [char::is_lowercase, char::is_uppercase, |c| c.is_numeric(), |c| !c.is_alphanumeric()];
    match password.chars().count() {
        0 => Err(Fault::PasswordMissing),
        1..8 => Err(Fault::PasswordTooShort),
        8..=64 if kinds.iter().filter(|kind| password.chars().any(*kind)).count() >= 3 => Ok(()),
        8..=64 => Err(Fault::PasswordTooSimple),
        _ => Err(Fault::PasswordTooLong),
    }
}

/// What a person typed into the sign-up page.
pub(crate) struct Application<'a> {
    pub(crate) email: &'a str,
    pub(crate) name: &'a str,
    pub(crate) password: &'a str,
    pub(crate) confirmation: &'a str,
}

impl Application<'_> {
    /// Everything that is wrong with it, in the order of the page.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        faults.extend(check_email(self.email).err());
        faults.extend(check_name(self.name).err());
        faults.extend(check_new_password(self.password, self.confirmation).err());
        faults
    }
}

/// The one spelling of an address that was typed.
pub(crate) fn check_email(typed: &str) -> Result<String, Fault> {
    if typed.trim().is_empty() {
        return Err(Fault::EmailMissing);
    }
    normalise_email(typed).ok_or(Fault::EmailInvalid)
}

/// A display name, trimmed.
pub(crate) fn check_name(typed: &str) -> Result<String, Fault> {
    match typed.trim().chars().count() {
        0 => Err(Fault::NameMissing),
        1..=100 => Ok(typed.trim().to_owned()),
        _ => Err(Fault::NameTooLong),
    }
}

/// A new password, typed twice.
pub(crate) fn check_new_password(password: &str, confirmation: &str) -> Result<(), Fault> {
    check_password(password)?;
    if password == confirmation { Ok(()) } else { Err(Fault::PasswordsDiffer) }
}

/// Makes an account. Hashing takes tens of milliseconds: call it off the async threads.
pub(crate) fn create(
    store: &Store,
    tenant_id: &str,
    email: &str,
    name: &str,
    password: &str,
) -> Result<User, AccountError> {
    let user = User {
        oid: Uuid::new_v4().to_string(),
        tenant_id: tenant_id.to_owned(),
        email: normalise_email(email).ok_or(AccountError::Email)?,
        name: name.trim().to_owned(),
        idp: None,
    };
    let account = Account { user: user.clone(), password_hash: hash(password)? };
    if store.add_account(&account)? { Ok(user) } else { Err(AccountError::Taken) }
}

/// The account of somebody whom `idp` vouches for, made at the first visit; says whether it was
/// just made. One address may have an account of each kind: nothing is linked by address.
pub(crate) fn vouched(
    store: &Store,
    tenant_id: &str,
    idp: &str,
    email: &str,
    name: &str,
) -> Result<(User, bool), AccountError> {
    let email = normalise_email(email).ok_or(AccountError::Email)?;
    if let Some(known) = store.vouched(tenant_id, &email, idp)? {
        return Ok((known, false));
    }
    let user = User {
        oid: Uuid::new_v4().to_string(),
        tenant_id: tenant_id.to_owned(),
        email,
        name: name.trim().to_owned(),
        idp: Some(idp.to_owned()),
    };
    let account = Account { user: user.clone(), password_hash: String::new() };
    if store.add_account(&account)? { Ok((user, true)) } else { Err(AccountError::Taken) }
}

/// Gives an account another password and ends everything that the old one led to. Hashing takes
/// tens of milliseconds: call it off the async threads.
pub(crate) fn reset_password(
    store: &Store,
    user: &User,
    password: &str,
) -> Result<(), AccountError> {
    Ok(store.reset_password(user, &hash(password)?)?)
}

/// Checks a password. An unknown address takes the same path, the same time and the same lock as
/// a known one, so that the page tells nobody who has an account.
pub(crate) fn check(
    store: &Store,
    tenant_id: &str,
    email: &str,
    password: &str,
    lockout: Lockout,
    now: i64,
) -> Result<Result<User, Fault>, AccountError> {
    let email = normalise_email(email).unwrap_or_default();
    let attempts = store.attempts(tenant_id, &email)?;
    if now < attempts.locked_until {
        return Ok(Err(Fault::Locked));
    }
    let account = store.account(tenant_id, &email)?;
    let stored = account.as_ref().map_or(decoy(), |found| found.password_hash.as_str());
    let right = verify(password, stored)?;
    match account {
        Some(account) if right => {
            store.save_attempts(tenant_id, &email, Attempts::default())?;
            Ok(Ok(account.user))
        }
        _ => {
            let after = fail(attempts, lockout, now);
            store.save_attempts(tenant_id, &email, after)?;
            let locked = now < after.locked_until;
            Ok(Err(if locked { Fault::Locked } else { Fault::WrongCredentials }))
        }
    }
}

/// Counts a wrong password or code.
pub(crate) fn fail(attempts: Attempts, lockout: Lockout, now: i64) -> Attempts {
    let failures = attempts.failures + 1;
    if failures >= lockout.attempts {
        Attempts { failures: 0, locked_until: now + seconds(lockout.duration) }
    } else {
        Attempts { failures, locked_until: 0 }
    }
}

fn hash(password: &str) -> Result<String, AccountError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|_| AccountError::Hash)?.to_string())
}

fn verify(password: &str, stored: &str) -> Result<bool, AccountError> {
    let stored = PasswordHash::new(stored).map_err(|_| AccountError::Hash)?;
    Ok(Argon2::default().verify_password(password.as_bytes(), &stored).is_ok())
}

/// A hash of nothing anybody knows, to compare with where there is no account.
fn decoy() -> &'static str {
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY.get_or_init(|| hash(&crate::random::token()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Storage;

    const LOCKOUT: Lockout = Lockout { attempts: 3, duration: Duration::from_secs(60) };

    #[test]
    fn an_address_has_one_spelling() {
        assert_eq!(normalise_email("  Ana@Example.ORG "), Some("ana@example.org".into()));
        for bad in
            ["", "ana", "@example.org", "ana@", "ana@org", "a@b@c.d", "a b@c.d", "a@.d", "a@c."]
        {
            assert_eq!(normalise_email(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_password_needs_length_and_three_kinds() {
        for good in ["Quiet-river", "quiet river 7", "QUIETriver7", "Österreich-9"] {
            assert_eq!(check_password(good), Ok(()), "{good}");
        }
        assert_eq!(check_password(""), Err(Fault::PasswordMissing));
        assert_eq!(check_password("Ab1-xyz"), Err(Fault::PasswordTooShort));
        assert_eq!(check_password("quietriver"), Err(Fault::PasswordTooSimple));
        assert_eq!(check_password(&"Ab1".repeat(22)), Err(Fault::PasswordTooLong));
    }

    #[test]
    fn an_application_lists_every_fault_in_the_order_of_the_page() {
        let application =
            Application { email: "ana", name: " ", password: "Quiet-river", confirmation: "x" };
        let expected = [Fault::EmailInvalid, Fault::NameMissing, Fault::PasswordsDiffer];
        assert_eq!(application.faults(), expected);
    }

    fn store() -> Store {
        let store = Store::open(&Storage::Memory).unwrap();
        create(&store, "t", "ana@example.org", "Ana", "Quiet-river").unwrap();
        store
    }

    #[test]
    fn the_right_password_gets_in_and_a_taken_address_is_refused() {
        let store = store();
        let got = check(&store, "t", "ANA@example.org", "Quiet-river", LOCKOUT, 0).unwrap();
        assert_eq!(got.unwrap().name, "Ana");
        let again = create(&store, "t", "Ana@Example.org", "Ana", "Quiet-river");
        assert!(matches!(again, Err(AccountError::Taken)));
        let elsewhere = create(&store, "u", "ana@example.org", "Ana", "Quiet-river");
        assert!(elsewhere.is_ok(), "tenants do not share people");
    }

    #[test]
    fn wrong_passwords_lock_known_and_unknown_addresses_alike() {
        let store = store();
        for email in ["ana@example.org", "nobody@example.org"] {
            let at = |now| check(&store, "t", email, "wrong", LOCKOUT, now).unwrap();
            assert_eq!(at(0), Err(Fault::WrongCredentials));
            assert_eq!(at(0), Err(Fault::WrongCredentials));
            assert_eq!(at(0), Err(Fault::Locked));
            let right = check(&store, "t", email, "Quiet-river", LOCKOUT, 59).unwrap();
            assert_eq!(right, Err(Fault::Locked));
            assert_eq!(at(60), Err(Fault::WrongCredentials), "the lock opens by itself");
        }
    }
}
