//! The second factor: time-based one-time codes (RFC 6238) of an authenticator app.

use fast_qr::QRBuilder;
use fast_qr::convert::Builder as _;
use fast_qr::convert::svg::SvgBuilder;
use totp_rs::{Builder, Secret, Totp, TotpError};

use crate::accounts::{self, Fault};
use crate::config::Lockout;
use crate::random;
use crate::store::{Attempts, Store, StoreError};

/// What authenticator apps show beside the code.
const ISSUER: &str = "Luminous";

/// The second factor could not be prepared or checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecondFactorError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a one-time code generator could not be made")]
    Totp(#[from] TotpError),
    #[error("a secret does not fit into a QR code")]
    Qr,
}

/// A new secret: 160 bits, as RFC 4226 section 4 recommends.
pub(crate) fn new_secret() -> Vec<u8> {
    random::bytes::<20>().to_vec()
}

/// SHA-1, six digits, thirty seconds, one step of tolerance: what every authenticator app can do.
fn generator(secret: &[u8], account: &str) -> Result<Totp, TotpError> {
    // A colon would end the issuer in the label of the address.
    Builder::new()
        .with_secret(Secret::from(secret.to_vec()))
        .with_account_name(account.replace(':', ""))
        .with_issuer(Some(ISSUER))
        .build()
}

/// What a person needs to enrol.
pub(crate) struct Enrolment {
    /// The QR code as SVG, dark on light in any theme, for cameras.
    pub(crate) qr: String,
    /// The secret in base32, in groups of four, for typing.
    pub(crate) secret: String,
}

/// The page's half of an enrolment.
pub(crate) fn enrolment(secret: &[u8], account: &str) -> Result<Enrolment, SecondFactorError> {
    let url = generator(secret, account)?.to_url()?;
    let code = QRBuilder::new(url).build().map_err(|_| SecondFactorError::Qr)?;
    let qr = SvgBuilder::default().margin(3).to_str(&code);
    let plain = Secret::from(secret.to_vec()).to_base32();
    let groups: Vec<&str> = (0..plain.len()).step_by(4).map(|at| group(&plain, at)).collect();
    Ok(Enrolment { qr, secret: groups.join(" ") })
}

fn group(text: &str, at: usize) -> &str {
    text.get(at..(at + 4).min(text.len())).unwrap_or_default()
}

/// The code that an authenticator shows at `now`.
pub(crate) fn current_code(secret: &[u8], now: i64) -> Result<String, SecondFactorError> {
    let token = generator(secret, "nobody")?.generate(unsigned(now));
    Ok(token.to_string())
}

/// The time step whose code was typed; digits only, spaces do not count.
fn step(secret: &[u8], typed: &str, now: i64) -> Result<Option<i64>, SecondFactorError> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if typed.len() != 6 || !typed.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let found = generator(secret, "nobody")?.check(&typed, unsigned(now));
    Ok(found.and_then(|step| i64::try_from(step).ok()))
}

fn unsigned(now: i64) -> u64 {
    u64::try_from(now).unwrap_or_default()
}

/// Confirms an enrolment by its first code and keeps the secret.
pub(crate) fn confirm(
    store: &Store,
    oid: &str,
    secret: &[u8],
    typed: &str,
    now: i64,
) -> Result<Result<(), Fault>, SecondFactorError> {
    if typed.trim().is_empty() {
        return Ok(Err(Fault::CodeMissing));
    }
    match step(secret, typed, now)? {
        None => Ok(Err(Fault::CodeWrong)),
        // Another page of the same person was faster: its secret counts, not this one.
        Some(step) if !store.enrol(oid, secret, step)? => Ok(Err(Fault::CodeWrong)),
        Some(_) => Ok(Ok(())),
    }
}

/// Checks a code of an enrolled second factor. Each time step counts once; wrong codes lock it.
pub(crate) fn check(
    store: &Store,
    oid: &str,
    typed: &str,
    lockout: Lockout,
    now: i64,
) -> Result<Result<(), Fault>, SecondFactorError> {
    let Some(known) = store.second_factor(oid)? else { return Ok(Err(Fault::CodeWrong)) };
    if now < known.attempts.locked_until {
        return Ok(Err(Fault::CodeLocked));
    }
    if typed.trim().is_empty() {
        return Ok(Err(Fault::CodeMissing));
    }
    match step(&known.secret, typed, now)? {
        Some(step) if store.accept_step(oid, step)? => Ok(Ok(())),
        Some(_) => Ok(Err(Fault::CodeUsed)),
        None => {
            let after: Attempts = accounts::fail(known.attempts, lockout, now);
            store.save_code_attempts(oid, after)?;
            let locked = now < after.locked_until;
            Ok(Err(if locked { Fault::CodesUsedUp } else { Fault::CodeWrong }))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::accounts::create;
    use crate::config::Storage;

    const LOCKOUT: Lockout = Lockout { attempts: 5, duration: Duration::from_secs(300) };
    const NOON: i64 = 1_795_348_800;

    fn enrolled() -> (Store, String, Vec<u8>) {
        let store = Store::open(&Storage::Memory).unwrap();
        let ana = create(&store, "t", "ana@example.org", "Ana", "Quiet-river-7").unwrap();
        let secret = new_secret();
        let code = current_code(&secret, NOON).unwrap();
        assert_eq!(confirm(&store, &ana.oid, &secret, &code, NOON).unwrap(), Ok(()));
        (store, ana.oid, secret)
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B has eight digits; six are their end.
        let secret = b"12345678901234567890";
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(current_code(secret, time).unwrap(), code);
        }
    }

    #[test]
    fn an_enrolment_shows_a_qr_code_and_the_secret_in_groups() {
        let shown = enrolment(b"12345678901234567890", "ana@example.org").unwrap();
        assert_eq!(shown.secret, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert!(shown.qr.starts_with("<svg viewBox=") && !shown.qr.contains("style"));
        assert!(enrolment(b"12345678901234567890", "a:b@example.org").is_ok());
    }

    #[test]
    fn each_code_counts_once_and_not_after_a_later_one() {
        let (store, oid, secret) = enrolled();
        let at = |code: &str, now| check(&store, &oid, code, LOCKOUT, now).unwrap();
        let first = current_code(&secret, NOON).unwrap();
        assert_eq!(at(&first, NOON), Err(Fault::CodeUsed), "enrolling used it");
        let next = current_code(&secret, NOON + 30).unwrap();
        assert_eq!(at(&next, NOON + 30), Ok(()));
        assert_eq!(at(&next, NOON + 31), Err(Fault::CodeUsed));
        assert_eq!(at(&first, NOON + 31), Err(Fault::CodeUsed));
        let spaced = current_code(&secret, NOON + 90).unwrap();
        let spaced = format!(" {} {} ", &spaced[..3], &spaced[3..]);
        assert_eq!(at(&spaced, NOON + 60), Ok(()), "a clock may be a step ahead");
    }

    #[test]
    fn five_wrong_codes_lock_the_factor_for_a_while() {
        let (store, oid, secret) = enrolled();
        let at = |code: &str, now| check(&store, &oid, code, LOCKOUT, now).unwrap();
        let right = current_code(&secret, NOON + 60).unwrap();
        let wrong = if right == "000000" { "000001" } else { "000000" };
        for _ in 0..4 {
            assert_eq!(at("12345", NOON + 60), Err(Fault::CodeWrong));
        }
        assert_eq!(at(wrong, NOON + 60), Err(Fault::CodesUsedUp));
        assert_eq!(at(&right, NOON + 60), Err(Fault::CodeLocked), "a right code too");
        let later = current_code(&secret, NOON + 360).unwrap();
        assert_eq!(at(&later, NOON + 360), Ok(()));
    }
}
