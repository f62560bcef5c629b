//! What people type, read in one place: trimmed, limited, and without what could make a text look
//! like another one.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::ApiError;

/// The longest name, in characters.
pub const NAME_MOST: usize = 60;
/// The longest note, in characters.
pub const NOTE_MOST: usize = 280;

/// A name: 1 to 60 characters after trimming, none of them a control character or one that turns
/// the direction of writing.
///
/// # Errors
/// [`ApiError::Input`], naming the field and not the value.
pub fn name(typed: &str) -> Result<String, ApiError> {
    text("name", typed, NAME_MOST, char::is_control)
}

/// Where a display hangs: as a [`name`].
///
/// # Errors
/// As for [`name`], naming the field `room`.
pub fn room(typed: &str) -> Result<String, ApiError> {
    text("room", typed, NAME_MOST, char::is_control)
}

/// A note: 1 to 280 characters after trimming. Line feeds are kept, and a carriage return before
/// one is dropped.
///
/// # Errors
/// As for [`name`], naming the field `text`.
pub fn note(typed: &str) -> Result<String, ApiError> {
    let typed = typed.replace("\r\n", "\n");
    text("text", &typed, NOTE_MOST, |one| one.is_control() && one != '\n')
}

/// What a display says of itself: nothing or up to `most` characters after trimming, without what a
/// name may not hold.
///
/// # Errors
/// As for [`name`], naming `field`.
pub fn said(field: &str, given: &str, most: usize) -> Result<String, ApiError> {
    text(field, given, most, char::is_control)
}

/// A number of hours, or `default` where none was given.
///
/// # Errors
/// [`ApiError::Input`] outside `range`.
pub fn hours(given: u16, range: RangeInclusive<u16>) -> Result<Duration, ApiError> {
    if !range.contains(&given) {
        let (least, most) = (range.start(), range.end());
        return Err(ApiError::Input(format!("hours: {least} to {most}")));
    }
    Ok(Duration::from_secs(u64::from(given) * 3600))
}

fn text(
    field: &str,
    typed: &str,
    most: usize,
    is_control: impl Fn(char) -> bool,
) -> Result<String, ApiError> {
    let trimmed = typed.trim();
    if trimmed.chars().all(is_invisible) {
        return Err(ApiError::Input(format!("{field}: something that can be seen")));
    }
    if trimmed.chars().count() > most {
        return Err(ApiError::Input(format!("{field}: {most} characters at most")));
    }
    if trimmed.chars().any(|one| is_control(one) || turns_direction(one)) {
        return Err(ApiError::Input(format!("{field}: no control characters")));
    }
    Ok(trimmed.to_owned())
}

/// Embeddings, overrides and isolates (Unicode Standard Annex 9, section 2): with them a name can
/// be written so that it reads as somebody else's. The marks that only hint (`U+200E`, `U+200F`)
/// stay, for names in Arabic and Hebrew need them.
pub(crate) const fn turns_direction(one: char) -> bool {
    matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What leaves no trace on a screen. A name of only these could not be told from no name.
pub(crate) fn is_invisible(one: char) -> bool {
    one.is_whitespace()
        || matches!(one, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}')
        || matches!(one, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}')
        || matches!(one, '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        assert_eq!(name("  Familie Groß\u{a0}").unwrap(), "Familie Groß");
        assert_eq!(name(&"ß".repeat(60)).unwrap().chars().count(), 60);
        assert!(name(&"ß".repeat(61)).is_err());
        assert_eq!(name("\u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{200f}").unwrap().chars().count(), 5);
    }

    #[test]
    fn a_name_that_cannot_be_seen_or_that_pretends_is_refused() {
        for typed in
            ["", " \t", "\u{200b}\u{200d}", "\u{3164}", "A\nB", "A\0", "A\u{85}B", "A\u{7f}"]
        {
            assert!(name(typed).is_err(), "{typed:?}");
        }
        for turn in ['\u{202e}', '\u{202a}', '\u{2066}', '\u{2069}'] {
            assert!(name(&format!("Ana{turn}nimdA")).is_err(), "{turn:?}");
        }
    }

    #[test]
    fn a_note_keeps_its_lines_and_nothing_else_that_is_invisible() {
        assert_eq!(note(" Milk\r\nBread\n").unwrap(), "Milk\nBread");
        for typed in ["", "\n\n", "a\tb", "a\rb", "a\u{1b}[2J", "a\u{202e}b"] {
            assert!(note(typed).is_err(), "{typed:?}");
        }
        assert!(note(&"x".repeat(280)).is_ok());
        assert!(note(&"x".repeat(281)).is_err());
    }

    #[test]
    fn the_refusal_names_the_field_and_not_the_value() {
        let refused = name("Ana\u{7}secret").unwrap_err().to_string();
        assert_eq!(refused, "name: no control characters");
    }

    #[test]
    fn hours_outside_their_range_are_refused() {
        assert_eq!(hours(72, 1..=336).unwrap(), Duration::from_secs(259_200));
        assert!(hours(0, 1..=336).is_err());
        assert!(hours(337, 1..=336).is_err());
    }
}
