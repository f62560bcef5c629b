//! What the pages say, in each language. A missing text does not compile.
//!
//! `{}` stands for the one thing that a text is about; [`fill`] puts it in, and the templates escape
//! the whole.

mod de;
mod en;
mod es;
pub(super) mod link;

use axum::http::{HeaderMap, header};
use luminous_domain::Role;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
    /// Spanish.
    Spanish,
}

/// A heading and what follows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
}

/// Every text of the pages.
pub(super) struct Words {
    pub(super) note: &'static str,
    pub(super) error_prefix: &'static str,
    pub(super) welcome: Message,
    pub(super) sign_in: &'static str,
    pub(super) sign_in_with: &'static str,
    pub(super) or: &'static str,
    pub(super) sign_in_as_other: &'static str,
    pub(super) have_a_code: &'static str,
    pub(super) hello: &'static str,
    pub(super) hello_nameless: &'static str,
    pub(super) family: &'static str,
    pub(super) your_role: &'static str,
    pub(super) no_family: Message,
    pub(super) place_off: Message,
    pub(super) enter_code: &'static str,
    pub(super) screens: &'static str,
    pub(super) no_screens: &'static str,
    pub(super) sign_out: &'static str,
    pub(super) sign_out_everywhere: &'static str,
    pub(super) everywhere_text: &'static str,
    pub(super) signed_out: Message,
    pub(super) join: Message,
    pub(super) join_first: Message,
    pub(super) code: &'static str,
    pub(super) code_hint: &'static str,
    pub(super) go_on: &'static str,
    pub(super) back: &'static str,
    pub(super) home: &'static str,
    pub(super) try_again: &'static str,
    pub(super) code_format: &'static str,
    pub(super) code_unknown: &'static str,
    pub(super) invited_by: &'static str,
    pub(super) invited_to: &'static str,
    pub(super) as_role: &'static str,
    pub(super) accept: &'static str,
    pub(super) member_already: Message,
    pub(super) too_many_codes: Message,
    pub(super) family_full: Message,
    pub(super) cancelled: Message,
    pub(super) not_open: Message,
    pub(super) bad_link: Message,
    pub(super) refused: Message,
    pub(super) provider_busy: Message,
    pub(super) forgery: Message,
    pub(super) failed: Message,
    pub(super) too_fast: Message,
    pub(super) no_page: Message,
    pub(super) request_id: &'static str,
    pub(super) roles: Roles,
}

/// What the roles are called.
pub(super) struct Roles {
    pub(super) owner: &'static str,
    pub(super) admin: &'static str,
    pub(super) adult: &'static str,
    pub(super) teen: &'static str,
    pub(super) child: &'static str,
    pub(super) caregiver: &'static str,
    pub(super) display: &'static str,
}

impl Roles {
    pub(super) const fn name(&self, role: Role) -> &'static str {
        match role {
            Role::Owner => self.owner,
            Role::Admin => self.admin,
            Role::Adult => self.adult,
            Role::Teen => self.teen,
            Role::Child => self.child,
            Role::Caregiver => self.caregiver,
            Role::Display => self.display,
        }
    }
}

impl Language {
    /// That of a browser.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE);
        Self::choose(accepted.and_then(|value| value.to_str().ok()))
    }

    /// The first language of `Accept-Language` that there is, else English. Weights are not
    /// weighed: browsers send the languages in order.
    #[must_use]
    pub fn choose(accept_language: Option<&str>) -> Self {
        let tags = accept_language.unwrap_or_default().split(',');
        let tags = tags.filter_map(|tag| tag.split(';').next());
        tags.filter_map(|tag| Self::parse(tag.trim())).next().unwrap_or(Self::English)
    }

    fn parse(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "de" => Some(Self::German),
            "es" => Some(Self::Spanish),
            _ => None,
        }
    }

    /// Its tag, for `lang` and `ui_locales`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
        }
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::English => &en::WORDS,
            Self::German => &de::WORDS,
            Self::Spanish => &es::WORDS,
        }
    }
}

/// Puts `what` where `text` says `{}`.
pub(super) fn fill(text: &str, what: &str) -> String {
    text.replacen("{}", what, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_first_that_there_is() {
        for (accepted, language) in [
            (None, Language::English),
            (Some("de-AT,de;q=0.9,en;q=0.8"), Language::German),
            (Some("fr, ES-mx;q=0.5"), Language::Spanish),
            (Some("fr"), Language::English),
            (Some(";;,,"), Language::English),
        ] {
            assert_eq!(Language::choose(accepted), language, "{accepted:?}");
        }
    }

    #[test]
    fn texts_about_something_say_where_it_goes() {
        for language in [Language::English, Language::German, Language::Spanish] {
            let w = language.words();
            for text in [w.sign_in_with, w.hello, w.invited_by, w.as_role, w.place_off.text] {
                assert_eq!(text.matches("{}").count(), 1, "{text}");
            }
        }
    }
}
