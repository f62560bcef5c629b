//! What the pages of `/link` say.

mod de;
mod en;
mod es;

use super::{Language, Message};

/// Every text of these pages.
pub(in crate::web) struct LinkWords {
    pub(in crate::web) start: &'static str,
    pub(in crate::web) ask: Message,
    pub(in crate::web) ask_first: Message,
    pub(in crate::web) code: &'static str,
    pub(in crate::web) code_hint: &'static str,
    pub(in crate::web) code_format: &'static str,
    pub(in crate::web) code_unknown: &'static str,
    pub(in crate::web) scanned: Message,
    pub(in crate::web) type_instead: &'static str,
    pub(in crate::web) far: Message,
    pub(in crate::web) far_go_on: &'static str,
    pub(in crate::web) question: Message,
    pub(in crate::web) calls_itself: &'static str,
    pub(in crate::web) model: &'static str,
    pub(in crate::web) version: &'static str,
    pub(in crate::web) shown: &'static str,
    pub(in crate::web) shown_just_now: &'static str,
    pub(in crate::web) shown_one: &'static str,
    pub(in crate::web) shown_many: &'static str,
    pub(in crate::web) network: &'static str,
    pub(in crate::web) network_same: &'static str,
    pub(in crate::web) network_other: &'static str,
    pub(in crate::web) decline: &'static str,
    pub(in crate::web) yes: &'static str,
    pub(in crate::web) number: &'static str,
    pub(in crate::web) number_hint: &'static str,
    pub(in crate::web) number_format: &'static str,
    pub(in crate::web) name: &'static str,
    pub(in crate::web) name_hint: &'static str,
    pub(in crate::web) name_format: &'static str,
    pub(in crate::web) room: &'static str,
    pub(in crate::web) room_hint: &'static str,
    pub(in crate::web) former: &'static str,
    pub(in crate::web) link: &'static str,
    pub(in crate::web) done: Message,
    pub(in crate::web) undo: &'static str,
    pub(in crate::web) undo_text: &'static str,
    pub(in crate::web) another: &'static str,
    pub(in crate::web) undone: Message,
    pub(in crate::web) not_undone: Message,
    pub(in crate::web) declined: Message,
    pub(in crate::web) burned: Message,
    pub(in crate::web) over: Message,
    pub(in crate::web) qr_over: Message,
    pub(in crate::web) locked: Message,
    pub(in crate::web) ten_minutes: &'static str,
    pub(in crate::web) one_hour: &'static str,
    pub(in crate::web) one_day: &'static str,
    pub(in crate::web) near_only: Message,
    pub(in crate::web) adults_only: Message,
    pub(in crate::web) email_unverified: Message,
    pub(in crate::web) sign_in_again: &'static str,
    pub(in crate::web) no_family: Message,
    pub(in crate::web) full: Message,
}

impl Language {
    /// The texts of `/link`.
    pub(in crate::web) const fn link_words(self) -> &'static LinkWords {
        match self {
            Self::English => &en::WORDS,
            Self::German => &de::WORDS,
            Self::Spanish => &es::WORDS,
        }
    }
}

impl LinkWords {
    /// Since when a code is on the wall.
    pub(in crate::web) fn shown_for(&self, minutes: u32) -> String {
        match minutes {
            0 => self.shown_just_now.to_owned(),
            1 => self.shown_one.to_owned(),
            more => super::fill(self.shown_many, &more.to_string()),
        }
    }

    /// How long to wait, in round words: what is counted slides.
    pub(in crate::web) const fn wait(&self, seconds: u64) -> &'static str {
        match seconds {
            0..=600 => self.ten_minutes,
            601..=3600 => self.one_hour,
            _ => self.one_day,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_about_something_say_where_it_goes() {
        for language in [Language::English, Language::German, Language::Spanish] {
            let w = language.link_words();
            for text in [w.shown_many, w.former, w.done.title, w.locked.text] {
                assert_eq!(text.matches("{}").count(), 1, "{text}");
            }
        }
    }

    #[test]
    fn minutes_and_waits_are_told_in_words() {
        let w = Language::English.link_words();
        assert_eq!(
            [0, 1, 9].map(|minutes| w.shown_for(minutes)),
            ["just now", "a minute ago", "9 minutes ago"]
        );
        assert_eq!([600, 3600, 86_400].map(|s| w.wait(s)), ["ten minutes", "an hour", "a day"]);
    }
}
