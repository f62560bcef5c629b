//! The fingerprint of keys made by the faulty Infineon library (ROCA, CVE-2017-15361).
//!
//! Nemec, Sys, Svenda, Klinec, Matyas: "The Return of Coppersmith's Attack: Practical Factorization
//! of Widely Used RSA Moduli", ACM CCS 2017, section 2.1. Its primes have the form
//! k * M + (65537^a mod M), M being the product of the first primes; so the modulus is a power of
//! 65537 modulo every one of them. A modulus made otherwise passes that test for all of these
//! primes with a chance of far less than one in a million.

/// The odd primes that divide M at every key size.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];
const GENERATOR: u32 = 65_537;

/// Whether the modulus, big-endian, carries the fingerprint.
pub(super) fn is_fingerprinted(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|&prime| {
        let rest = modulus.iter().fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % prime);
        powers_of_generator(prime).any(|power| power == rest)
    })
}

fn powers_of_generator(prime: u32) -> impl Iterator<Item = u32> {
    let step = GENERATOR % prime;
    let next = move |power: &u32| Some(power * step % prime).filter(|&power| power != 1);
    std::iter::successors(Some(1), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_powers_run_through_the_whole_subgroup() {
        assert_eq!(powers_of_generator(3).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(powers_of_generator(11).collect::<Vec<_>>(), [1, 10]);
        assert_eq!(powers_of_generator(5).count(), 4);
    }

    #[test]
    fn one_is_the_smallest_number_with_the_fingerprint_and_three_has_none() {
        assert!(is_fingerprinted(&[1]));
        assert!(is_fingerprinted(&[1, 0, 1]));
        assert!(!is_fingerprinted(&[3]));
        assert!(!is_fingerprinted(&[0x0f, 0xff, 0xfd]));
    }
}
