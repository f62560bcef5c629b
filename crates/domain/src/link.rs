//! How a wall display is linked: the rules that need no I/O.
//!
//! Why six symbols are enough: of 32^6 codes, `O` are on walls at a time, and a blind guess is tried
//! against all of them. `G` wrong guesses an hour hit one with a chance of at most `G*O/32^6`. So the
//! whole system bears `B/O` wrong guesses an hour and no more ([`GuessBudget`]); a hit still has to
//! get two digits right in one try ([`MatchNumber`]), a hundred times less likely. With
//! `B = 107374` a display is captured at most once in a million hours.

use crate::entropy::{Entropy, NoEntropy};

/// The two digits that only the display shows and the approving person must type: one try.
#[derive(Clone, Copy, PartialEq, Eq)]
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

/// Whoever reads a log shall not be able to confirm.
impl std::fmt::Debug for MatchNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MatchNumber(..)")
    }
}

impl std::fmt::Display for MatchNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

/// How many wrong codes an hour the whole system bears, in two halves.
///
/// Whoever makes accounts by the hundred can only use up the half of the untrusted, and families that
/// have a display go on linking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuessBudget {
    /// For accounts that are new, or in a family without a display.
    pub untrusted: u32,
    /// For accounts that are older than a day, in a family that has a display.
    pub trusted: u32,
}

impl GuessBudget {
    /// What is borne while `open` codes are on walls, of `while_one` while there is one.
    #[must_use]
    pub const fn of(while_one: u32, open: u32) -> Self {
        let all = while_one / if open == 0 { 1 } else { open };
        Self { untrusted: all / 2, trusted: all - all / 2 }
    }

    /// The half of those who are trusted or not.
    #[must_use]
    pub const fn half(self, trusted: bool) -> u32 {
        if trusted { self.trusted } else { self.untrusted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;
    use crate::code::UserCode;

    /// All codes there are.
    const CODES: u64 = 32_u64.pow(UserCode::LENGTH as u32);

    #[test]
    fn the_budget_is_as_the_arithmetic_of_six_symbols_says() {
        // cases.md section 3: wrong guesses an hour with the match number, and without it.
        for (while_one, open, all) in [
            (107_374, 0, 107_374),
            (107_374, 1, 107_374),
            (107_374, 100, 1073),
            (107_374, 1000, 107),
            (107_374, 5000, 21),
            (1073, 1, 1073),
            (1073, 10, 107),
            (1073, 50, 21),
            (1073, 100, 10),
            (1073, 500, 2),
            (1073, 1000, 1),
            (1073, 1074, 0),
            (1073, 3, 357),
        ] {
            let budget = GuessBudget::of(while_one, open);
            assert_eq!(budget.untrusted + budget.trusted, all, "{while_one} / {open}");
            assert!(budget.trusted - budget.untrusted <= 1, "in two halves");
            assert_eq!(budget.half(true), budget.trusted);
            assert_eq!(budget.half(false), budget.untrusted);
        }
    }

    #[test]
    fn a_display_is_captured_less_than_once_in_a_million_hours() {
        for open in (1..=5000).step_by(7) {
            let budget = GuessBudget::of(107_374, open);
            let guesses = u64::from(budget.untrusted + budget.trusted);
            // Chance of a hit in an hour, and of its two digits: guesses * open / (CODES * 100).
            assert!(guesses * u64::from(open) * 1_000_000 <= CODES * 100, "{open} codes");
        }
    }

    #[test]
    fn a_number_is_two_digits_wide_and_read_back_as_shown() {
        let number = MatchNumber::from_value(7).unwrap();
        assert_eq!(number.to_string(), "07");
        assert_eq!(format!("{number:?}"), "MatchNumber(..)", "a log does not say it");
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
