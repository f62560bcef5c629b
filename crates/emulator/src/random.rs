//! Unpredictable values.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The header that B2C's opaque codes and refresh tokens open with.
const OPAQUE_HEADER: &str =
    r#"{"kid":"cpimcore_09252015","ver":"1.0","zip":"Deflate","ser":"1.0"}"#;

/// `N` bytes of the operating system's generator.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    // Nothing secret can be made without it, so there is nothing better to do than to stop.
    aws_lc_rs::rand::fill(&mut out).expect("the operating system gives random bytes");
    out
}

/// 256 random bits in base64url.
pub(crate) fn token() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// A grant that looks like the encrypted ones of B2C: five parts, well over a kilobyte. It means
/// nothing; the emulator looks up its hash.
pub(crate) fn opaque_grant() -> String {
    let parts = [
        URL_SAFE_NO_PAD.encode(OPAQUE_HEADER),
        URL_SAFE_NO_PAD.encode(bytes::<256>()),
        URL_SAFE_NO_PAD.encode(bytes::<12>()),
        URL_SAFE_NO_PAD.encode(bytes::<600>()),
        URL_SAFE_NO_PAD.encode(bytes::<16>()),
    ];
    parts.join(".")
}

/// SHA-256 in base64url: what is stored in place of a secret.
pub(crate) fn hash(secret: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}

/// The first 16 bytes of SHA-256: a name made of other names.
pub(crate) fn digest(text: &str) -> [u8; 16] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut out = [0; 16];
    out.copy_from_slice(&digest.as_ref()[..16]);
    out
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_looks_encrypted_and_is_longer_than_a_kilobyte() {
        let grant = opaque_grant();
        assert!(grant.starts_with("eyJraWQiOiJjcGltY29yZV8"));
        assert_eq!(grant.split('.').count(), 5);
        assert!(grant.len() > 1024);
        assert_ne!(grant, opaque_grant());
    }

    #[test]
    fn secrets_compare_by_value() {
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd"));
        assert!(!same("abc", "ab"));
    }
}
