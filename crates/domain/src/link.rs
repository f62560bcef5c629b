//! How a wall display is linked: the rules that need no I/O.

use crate::entropy::{Entropy, NoEntropy};

/// The two digits that only the display shows and the approving person must type: one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatchNumber(u8);

impl MatchNumber {
    /// A new one, all hundred equally likely.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn new(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        loop {
            let mut byte = [0];
            entropy.fill(&mut byte)?;
            // Of 256 values the last 56 would make some numbers likelier than others.
            if byte[0] < 200 {
                return Ok(Self(byte[0] % 100));
            }
        }
    }

    /// The number that was typed: exactly two digits.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let digits = typed.trim();
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok().map(Self)).flatten()
    }

    /// As a number, to be kept.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// What was kept.
    #[must_use]
    pub const fn from_value(value: u8) -> Option<Self> {
        if value < 100 { Some(Self(value)) } else { None }
    }
}

impl std::fmt::Display for MatchNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    #[test]
    fn a_number_is_two_digits_wide_and_read_back_as_shown() {
        let number = MatchNumber::from_value(7).unwrap();
        assert_eq!(number.to_string(), "07");
        assert_eq!(MatchNumber::parse(" 07 "), Some(number));
        for typed in ["7", "007", "+7", "a7", "", "\u{ff10}\u{ff17}"] {
            assert_eq!(MatchNumber::parse(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn all_hundred_numbers_are_drawn() {
        let drawn: std::collections::BTreeSet<u8> =
            (0..5000).map(|_| MatchNumber::new(&OsEntropy).unwrap().value()).collect();
        assert_eq!(drawn.len(), 100);
    }
}
