//! What the pages say, in each language. A missing text does not compile.

mod de;
mod en;
mod es;

use crate::accounts::Fault;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
    Spanish,
}

/// Every text of the pages.
pub(crate) struct Words {
    pub(crate) note: &'static str,
    pub(crate) sign_in_title: &'static str,
    pub(crate) sign_in_lead: &'static str,
    pub(crate) sign_up_title: &'static str,
    pub(crate) sign_up_lead: &'static str,
    pub(crate) email: &'static str,
    pub(crate) name: &'static str,
    pub(crate) name_hint: &'static str,
    pub(crate) password: &'static str,
    pub(crate) password_hint: &'static str,
    pub(crate) confirm: &'static str,
    pub(crate) sign_in: &'static str,
    pub(crate) create: &'static str,
    pub(crate) cancel: &'static str,
    pub(crate) forgot: &'static str,
    pub(crate) new_here: &'static str,
    pub(crate) create_link: &'static str,
    pub(crate) known_here: &'static str,
    pub(crate) sign_in_link: &'static str,
    pub(crate) error_prefix: &'static str,
    pub(crate) one_fault: &'static str,
    pub(crate) faults: &'static str,
    pub(crate) email_missing: &'static str,
    pub(crate) email_invalid: &'static str,
    pub(crate) email_taken: &'static str,
    pub(crate) name_missing: &'static str,
    pub(crate) name_too_long: &'static str,
    pub(crate) password_missing: &'static str,
    pub(crate) password_too_short: &'static str,
    pub(crate) password_too_long: &'static str,
    pub(crate) password_too_simple: &'static str,
    pub(crate) passwords_differ: &'static str,
    pub(crate) wrong_credentials: &'static str,
    pub(crate) locked: &'static str,
    pub(crate) done_title: &'static str,
    pub(crate) done_text: &'static str,
    pub(crate) left_title: &'static str,
    pub(crate) left_text: &'static str,
    pub(crate) open_app: &'static str,
    pub(crate) signed_out_title: &'static str,
    pub(crate) signed_out_text: &'static str,
    pub(crate) expired_title: &'static str,
    pub(crate) expired_text: &'static str,
    pub(crate) refused_title: &'static str,
    pub(crate) refused_text: &'static str,
    pub(crate) failed_title: &'static str,
    pub(crate) failed_text: &'static str,
    pub(crate) details: &'static str,
    pub(crate) handing_over_title: &'static str,
    pub(crate) handing_over_text: &'static str,
    pub(crate) go_on: &'static str,
    pub(crate) or_divider: &'static str,
    pub(crate) continue_with: &'static str,
    pub(crate) confirm_title: &'static str,
    pub(crate) confirm_lead: &'static str,
    pub(crate) edit_sign_in_lead: &'static str,
    pub(crate) reset_title: &'static str,
    pub(crate) reset_lead: &'static str,
    pub(crate) send_code: &'static str,
    pub(crate) mailed_title: &'static str,
    pub(crate) mailed_lead: &'static str,
    pub(crate) code: &'static str,
    pub(crate) send_again: &'static str,
    pub(crate) mailbox_title: &'static str,
    pub(crate) mailbox_text: &'static str,
    pub(crate) mailbox_code: &'static str,
    pub(crate) new_password_title: &'static str,
    pub(crate) new_password_lead: &'static str,
    pub(crate) new_password: &'static str,
    pub(crate) save_password: &'static str,
    pub(crate) profile_title: &'static str,
    pub(crate) profile_lead: &'static str,
    pub(crate) save: &'static str,
    pub(crate) enrol_title: &'static str,
    pub(crate) enrol_lead: &'static str,
    pub(crate) qr_label: &'static str,
    pub(crate) secret_label: &'static str,
    pub(crate) otp_title: &'static str,
    pub(crate) otp_lead: &'static str,
    pub(crate) otp: &'static str,
    pub(crate) stand_in: &'static str,
    pub(crate) provider_title: &'static str,
    pub(crate) provider_lead: &'static str,
    pub(crate) known_people: &'static str,
    pub(crate) new_person: &'static str,
    pub(crate) blocked_title: &'static str,
    pub(crate) code_missing: &'static str,
    pub(crate) code_wrong: &'static str,
    pub(crate) code_used: &'static str,
    pub(crate) code_locked: &'static str,
    pub(crate) mailed_code_wrong: &'static str,
    pub(crate) mailed_code_over: &'static str,
    pub(crate) no_such_account: &'static str,
}

impl Language {
    /// The language a request asks for: `ui_locales` first (OpenID Connect Core 3.1.2.1), then
    /// `Accept-Language`, then English.
    pub(crate) fn choose(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        let asked = ui_locales.unwrap_or_default().split_whitespace().find_map(Self::parse);
        let accepted = || {
            let tags = accept_language.unwrap_or_default().split(',');
            tags.filter_map(|tag| tag.split(';').next()).find_map(|tag| Self::parse(tag.trim()))
        };
        asked.or_else(accepted).unwrap_or(Self::English)
    }

    fn parse(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "de" => Some(Self::German),
            "es" => Some(Self::Spanish),
            _ => None,
        }
    }

    /// Its tag, for `lang`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
        }
    }

    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::English => &en::WORDS,
            Self::German => &de::WORDS,
            Self::Spanish => &es::WORDS,
        }
    }
}

/// A text with its `{}` filled in.
pub(crate) fn fill(text: &str, value: &str) -> String {
    text.replace("{}", value)
}

impl Words {
    /// What to say about a field.
    pub(crate) fn fault(&self, fault: Fault) -> &'static str {
        match fault {
            Fault::EmailMissing => self.email_missing,
            Fault::EmailInvalid => self.email_invalid,
            Fault::EmailTaken => self.email_taken,
            Fault::NameMissing => self.name_missing,
            Fault::NameTooLong => self.name_too_long,
            Fault::PasswordMissing => self.password_missing,
            Fault::PasswordTooShort => self.password_too_short,
            Fault::PasswordTooLong => self.password_too_long,
            Fault::PasswordTooSimple => self.password_too_simple,
            Fault::PasswordsDiffer => self.passwords_differ,
            Fault::WrongCredentials => self.wrong_credentials,
            Fault::Locked => self.locked,
            Fault::CodeMissing => self.code_missing,
            Fault::CodeWrong => self.code_wrong,
            Fault::CodeUsed => self.code_used,
            Fault::CodeLocked | Fault::CodesUsedUp => self.code_locked,
            Fault::MailedCodeWrong => self.mailed_code_wrong,
            Fault::MailedCodeOver => self.mailed_code_over,
            Fault::NoSuchAccount => self.no_such_account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_locales_win_over_accept_language_and_english_is_the_last_resort() {
        let choose = Language::choose;
        assert_eq!(choose(Some("fr de-AT en"), Some("es")), Language::German);
        assert_eq!(choose(Some("fr"), Some("es-MX,es;q=0.9,en;q=0.8")), Language::Spanish);
        assert_eq!(choose(None, Some("*")), Language::English);
        assert_eq!(choose(None, None), Language::English);
    }
}
