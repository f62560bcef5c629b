//! What people are called, as their tokens say: read in one place, because what a provider lets
//! people type ends up on everybody else's screen and in the database.

use luminous_domain::AccountId;
use luminous_oidc::Identity;
use luminous_store::{Account, Arrival, Network};

use crate::input::{NAME_MOST, is_invisible, turns_direction};

/// The longest address there is (RFC 5321 section 4.5.3.1.3, errata 1690).
const EMAIL_MOST: usize = 254;

/// Name and address, cleaned. Absent is what the token does not say, or says in no usable way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Introduction {
    name: Option<String>,
    email: Option<String>,
}

impl Introduction {
    /// Reads what the token says.
    pub(crate) fn of(identity: &Identity) -> Self {
        Self {
            name: identity.name.as_deref().and_then(name),
            email: identity.email.as_deref().and_then(email),
        }
    }

    /// Whether it says anything that `account` does not know.
    pub(crate) fn is_news_to(&self, account: &Account) -> bool {
        self.name.as_ref().is_some_and(|name| *name != account.name)
            || (self.email.is_some() && self.email != account.email)
    }

    /// The arrival of `identity` with it. What is absent takes nothing away from what is `known`:
    /// another of the provider's policies may not send it.
    pub(crate) fn arrival(
        self,
        identity: &Identity,
        known: Option<&Account>,
        id: AccountId,
        network: Network,
    ) -> Arrival {
        Arrival {
            id,
            person: identity.person.clone(),
            name: self.name.or_else(|| Some(known?.name.clone())).unwrap_or_default(),
            email: self.email.or_else(|| known?.email.clone()),
            network,
        }
    }
}

/// As a name that was typed, except that nobody is here to mend it: what may not be in it is taken
/// out, what is too long is cut off.
fn name(said: &str) -> Option<String> {
    let kept = said.chars().filter(|&one| !one.is_control() && !turns_direction(one));
    let kept: String = kept.collect();
    let cut: String = kept.trim().chars().take(NAME_MOST).collect();
    let name = cut.trim_end();
    (!name.chars().all(is_invisible)).then(|| name.to_owned())
}

/// An address with something missing is another one, so nothing is mended here.
fn email(said: &str) -> Option<String> {
    let email = said.trim();
    let odd = |one: char| one.is_control() || turns_direction(one);
    let usable = !email.is_empty() && email.len() <= EMAIL_MOST && !email.chars().any(odd);
    usable.then(|| email.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_what_would_break_a_database_or_deceive_a_reader() {
        for (said, kept) in [
            ("Ana", Some("Ana")),
            ("  Ana \n", Some("Ana")),
            ("A\0na\u{7}", Some("Ana")),
            ("Ana \u{202e}nimdA\u{202c}", Some("Ana nimdA")),
            ("\u{2066}Ana\u{2069}", Some("Ana")),
            ("", None),
            ("\0\u{202e}", None),
            ("\u{200b}\u{3164}", None),
        ] {
            assert_eq!(name(said).as_deref(), kept, "{said:?}");
        }
        assert_eq!(name(&"ß".repeat(61)).unwrap(), "ß".repeat(60));
        assert_eq!(name(&format!("{} b", "a".repeat(59))).unwrap(), "a".repeat(59));
    }

    #[test]
    fn an_address_is_taken_as_it_is_or_not_at_all() {
        assert_eq!(email(" ana@example.test ").unwrap(), "ana@example.test");
        assert_eq!(email(&"a".repeat(254)).unwrap().len(), 254);
        for said in ["", " ", "ana\0@example.test", "a\u{202e}b@example.test", &"a".repeat(255)] {
            assert_eq!(email(said), None, "{said:?}");
        }
    }
}
