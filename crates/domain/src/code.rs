//! Codes that people read from one screen and type into another.
//!
//! Crockford's base 32: no I, L, O or U; typed in any case, with spaces and hyphens, `O` for zero
//! and `I` or `L` for one. Drawn by masking five random bits for each symbol, so that all are
//! equally likely.

use crate::entropy::{Entropy, NoEntropy};

/// The 32 symbols.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What was typed cannot be a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Too few or too many symbols.
    #[error("a code has {expected} symbols")]
    Length {
        /// How many it has.
        expected: usize,
    },
    /// A symbol that is in no code.
    #[error("a code has only digits and letters, without U")]
    Symbol,
}

/// Opens one invitation: ten symbols, 50 bits, used once, for at most two weeks.
///
/// It is a secret for its short life: it does not print, and the server keeps a keyed hash of it.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteCode(String);

impl InviteCode {
    /// How many symbols it has.
    pub const LENGTH: usize = 10;

    /// A new one.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn new(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        draw(Self::LENGTH, entropy).map(Self)
    }

    /// Reads what somebody typed.
    ///
    /// # Errors
    /// [`CodeError`] when it cannot be a code; a guess of the right form is not told from a code.
    pub fn parse(typed: &str) -> Result<Self, CodeError> {
        normalize(typed, Self::LENGTH).map(Self)
    }

    /// The symbols, without grouping.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As it is shown, in two groups: `K7M3Q XW92H`.
    #[must_use]
    pub fn grouped(&self) -> String {
        let (first, second) = self.0.split_at(Self::LENGTH / 2);
        format!("{first} {second}")
    }
}

impl std::fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InviteCode(..)")
    }
}

/// What a wall display shows and a person types: six symbols, 30 bits, shown for ten minutes
/// (RFC 8628 section 6.1; the arithmetic of guessing it is in [`crate::link`]).
///
/// It does not print, and the server keeps a keyed hash of it.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// How many symbols it has.
    pub const LENGTH: usize = 6;

    /// A new one, which is no word that nobody wants on their wall.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn new(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        loop {
            let code = draw(Self::LENGTH, entropy)?;
            if !is_rude(&code) {
                return Ok(Self(code));
            }
        }
    }

    /// Reads what somebody typed.
    ///
    /// # Errors
    /// [`CodeError`] when it cannot be a code; a guess of the right form is not told from a code.
    pub fn parse(typed: &str) -> Result<Self, CodeError> {
        normalize(typed, Self::LENGTH).map(Self)
    }

    /// The symbols, without grouping.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As it is shown, in two groups: `K7M 3QX`.
    #[must_use]
    pub fn grouped(&self) -> String {
        let (first, second) = self.0.split_at(Self::LENGTH / 2);
        format!("{first} {second}")
    }
}

impl std::fmt::Debug for UserCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserCode(..)")
    }
}

/// Words that no wall shall show, also with digits read as the letters they look like.
const RUDE: [&str; 18] = [
    "ARSE", "ASS", "BASTARD", "BUM", "CACA", "CRAP", "CNT", "DAMN", "DCK", "FAG", "FCK", "HELL",
    "KKK", "NAZ1", "NGR", "P1SS", "SEX", "SH1T",
];

fn is_rude(code: &str) -> bool {
    let read: String = code
        .chars()
        .map(|symbol| match symbol {
            '3' => 'E',
            '4' => 'A',
            '5' => 'S',
            '7' => 'T',
            '8' => 'B',
            other => other,
        })
        .collect();
    RUDE.iter().any(|word| code.contains(word) || read.contains(word))
}

fn draw(length: usize, entropy: &dyn Entropy) -> Result<String, NoEntropy> {
    let mut bytes = vec![0; length];
    entropy.fill(&mut bytes)?;
    Ok(bytes.into_iter().map(|byte| char::from(SYMBOLS[usize::from(byte & 31)])).collect())
}

fn normalize(typed: &str, expected: usize) -> Result<String, CodeError> {
    let mut symbols = String::with_capacity(expected);
    for typed in typed.chars() {
        if typed.is_whitespace() || matches!(typed, '-' | '\u{2010}'..='\u{2015}') {
            continue;
        }
        if symbols.len() == expected {
            return Err(CodeError::Length { expected });
        }
        symbols.push(symbol(typed).ok_or(CodeError::Symbol)?);
    }
    if symbols.len() == expected { Ok(symbols) } else { Err(CodeError::Length { expected }) }
}

/// One symbol as typed, full-width forms included.
fn symbol(typed: char) -> Option<char> {
    let narrow = match u32::from(typed) {
        wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0)?,
        _ => typed,
    };
    let symbol = match narrow.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let known = u8::try_from(symbol).is_ok_and(|byte| SYMBOLS.contains(&byte));
    known.then_some(symbol)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    #[test]
    fn what_is_shown_can_be_typed_back_in_any_case_and_grouping() {
        let code = InviteCode::new(&OsEntropy).unwrap();
        for typed in
            [code.grouped(), code.grouped().to_lowercase(), code.grouped().replace(' ', "-")]
        {
            assert_eq!(InviteCode::parse(&typed).unwrap(), code);
        }
    }

    #[test]
    fn d20_look_alikes_and_full_width_forms_are_read_as_what_was_meant() {
        let meant = InviteCode::parse("0011234567").unwrap();
        for typed in ["oO1l2 34567", "OoiL2-34567", "\u{ff10}\u{ff10}\u{ff11}\u{ff11}234567"] {
            assert_eq!(InviteCode::parse(typed).unwrap(), meant, "{typed}");
        }
    }

    #[test]
    fn d20_what_cannot_be_a_code_is_refused() {
        assert_eq!(InviteCode::parse("12345 6789"), Err(CodeError::Length { expected: 10 }));
        assert_eq!(InviteCode::parse("12345 678901"), Err(CodeError::Length { expected: 10 }));
        assert_eq!(InviteCode::parse("12345 6789U"), Err(CodeError::Symbol));
        assert_eq!(InviteCode::parse("12345 6789\u{1f600}"), Err(CodeError::Symbol));
    }

    #[test]
    fn d21_of_a_million_codes_every_symbol_is_as_likely_at_every_place() {
        const DRAWN: usize = 1_000_000;
        let mut counts = [[0_u32; 128]; UserCode::LENGTH];
        for _ in 0..DRAWN {
            let code = UserCode::new(&OsEntropy).unwrap();
            for (place, symbol) in code.expose().bytes().enumerate() {
                counts[place][usize::from(symbol)] += 1;
            }
        }
        let expected = DRAWN as f64 / SYMBOLS.len() as f64;
        for (place, counts) in counts.iter().enumerate() {
            let off = |count: u32| (f64::from(count) - expected).powi(2) / expected;
            let chi_square: f64 = SYMBOLS.iter().map(|&one| off(counts[usize::from(one)])).sum();
            // 31 degrees of freedom: beyond 99.8 once in a hundred million. The words that are left
            // out, of one code in some hundreds, do not show in it.
            assert!(chi_square < 99.8, "place {place}: {chi_square}");
        }
    }

    #[test]
    fn d21_no_code_is_a_word_that_nobody_wants_on_their_wall() {
        for code in ["ASSK7M", "K7MSEX", "K455XZ", "K53X01", "NAZ1K7"] {
            assert!(is_rude(code), "{code}");
        }
        assert!(!is_rude("K7M3QX"));
        /// What would draw `ASSK7M`, and then `K7M3QX`.
        struct Drawn(std::sync::Mutex<Vec<&'static str>>);
        impl Entropy for Drawn {
            fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
                let next = self.0.lock().unwrap().pop().ok_or(NoEntropy)?;
                for (byte, symbol) in bytes.iter_mut().zip(next.bytes()) {
                    *byte = SYMBOLS.iter().position(|one| *one == symbol).unwrap() as u8;
                }
                Ok(())
            }
        }
        let drawn = Drawn(std::sync::Mutex::new(vec!["K7M3QX", "ASSK7M"]));
        assert_eq!(UserCode::new(&drawn).unwrap().expose(), "K7M3QX");
    }

    #[test]
    fn a_code_does_not_print() {
        let code = InviteCode::parse("0123456789").unwrap();
        assert_eq!(format!("{code:?}"), "InviteCode(..)");
    }

    proptest::proptest! {
        #[test]
        fn fuzz_user_code_reads_anything_and_takes_only_six_symbols(typed in "\\PC{0,12}") {
            if let Ok(code) = UserCode::parse(&typed) {
                proptest::prop_assert_eq!(code.expose().len(), UserCode::LENGTH);
                proptest::prop_assert!(code.expose().bytes().all(|byte| SYMBOLS.contains(&byte)));
            }
        }

        #[test]
        fn fuzz_user_code_is_read_back_however_it_is_written(
            code in "[0-9A-HJKMNP-TV-Z]{6}",
            case in proptest::prelude::any::<u8>(),
        ) {
            let write = |(at, symbol): (usize, char)| match case >> (at % 4 * 2) & 3 {
                0 => symbol.to_string(),
                1 => symbol.to_ascii_lowercase().to_string(),
                2 => format!("{symbol} - "),
                _ => char::from_u32(u32::from(symbol) + 0xFEE0).unwrap().to_string(),
            };
            let typed: String = code.chars().enumerate().map(write).collect();
            let read = UserCode::parse(&typed).unwrap();
            proptest::prop_assert_eq!(read.expose(), code);
        }
    }
}
