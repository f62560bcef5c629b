//! Proof key for code exchange (RFC 7636), S256 only.
//!
//! B2C would take `plain` too. The product never uses it, so the emulator refuses it: a client
//! that slips back to `plain` must fail here and not in front of a family.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::refusal::Refusal;

/// Reads the challenge of an authorization request.
///
/// # Errors
/// [`Refusal::ChallengeMethod`] for any method but S256, a missing one included, since that means
/// `plain` (RFC 7636 section 4.3); [`Refusal::VerifierInvalid`] for a value no S256 can give.
pub(crate) fn challenge(
    challenge: Option<&str>,
    method: Option<&str>,
) -> Result<Option<String>, Refusal> {
    match (challenge, method) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Refusal::MissingParameter("code_challenge")),
        (Some(value), Some("S256")) if is_sha256(value) => Ok(Some(value.to_owned())),
        (Some(_), Some("S256")) => Err(Refusal::VerifierInvalid),
        (Some(_), _) => Err(Refusal::ChallengeMethod),
    }
}

/// Checks the verifier of a token request against the challenge that the code was issued for.
///
/// # Errors
/// A verifier without a challenge is a downgrade (RFC 9700 section 4.8.2) and refused like a
/// wrong one; a missing or malformed one has its own refusal.
pub(crate) fn verify(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), Refusal> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Refusal::VerifierMismatch),
        (Some(_), None) => Err(Refusal::MissingParameter("code_verifier")),
        (Some(_), Some(verifier)) if !is_verifier(verifier) => Err(Refusal::VerifierInvalid),
        (Some(challenge), Some(verifier)) => {
            let made = crate::random::hash(verifier);
            if crate::random::same(challenge, &made) {
                Ok(())
            } else {
                Err(Refusal::VerifierMismatch)
            }
        }
    }
}

fn is_sha256(challenge: &str) -> bool {
    URL_SAFE_NO_PAD.decode(challenge).is_ok_and(|bytes| bytes.len() == 32)
}

/// RFC 7636 section 4.1: 43 to 128 unreserved characters.
fn is_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_holds() {
        let stored = challenge(Some(CHALLENGE), Some("S256")).unwrap();
        assert_eq!(verify(stored.as_deref(), Some(VERIFIER)), Ok(()));
    }

    #[test]
    fn r18_plain_is_refused_whether_said_or_implied() {
        assert_eq!(challenge(Some(VERIFIER), Some("plain")), Err(Refusal::ChallengeMethod));
        assert_eq!(challenge(Some(VERIFIER), None), Err(Refusal::ChallengeMethod));
        assert_eq!(challenge(Some(CHALLENGE), Some("s256")), Err(Refusal::ChallengeMethod));
    }

    #[test]
    fn r18_a_verifier_without_a_challenge_is_a_downgrade() {
        assert_eq!(verify(None, Some(VERIFIER)), Err(Refusal::VerifierMismatch));
    }

    #[test]
    fn r1_a_wrong_missing_or_malformed_verifier_is_refused() {
        let other = VERIFIER.replace('d', "e");
        assert_eq!(verify(Some(CHALLENGE), Some(&other)), Err(Refusal::VerifierMismatch));
        assert_eq!(verify(Some(CHALLENGE), None), Err(Refusal::MissingParameter("code_verifier")));
        for bad in ["short", &"x".repeat(129), &"é".repeat(43)] {
            assert_eq!(verify(Some(CHALLENGE), Some(bad)), Err(Refusal::VerifierInvalid));
        }
    }

    #[test]
    fn a_challenge_that_no_sha256_gives_is_refused() {
        assert_eq!(challenge(Some("abc"), Some("S256")), Err(Refusal::VerifierInvalid));
    }
}
