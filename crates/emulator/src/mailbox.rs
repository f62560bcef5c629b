//! The mail that this provider would send. It has no mail server: the page shows the message, and
//! the control keeps it for tests.

use jiff::Timestamp;
use serde::Serialize;

use crate::accounts::Fault;
use crate::random;

/// A message that a provider with a mail server would have sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// When it was written.
    pub at: Timestamp,
    /// The address it is for.
    pub to: String,
    /// The code in it: six digits.
    pub code: String,
}

/// More messages than this are not kept; the oldest go first.
const MOST: usize = 100;

/// How many wrong codes one message stands.
const TRIES: u32 = 5;

/// All messages, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(Vec<Mail>);

impl Mailbox {
    /// "Sends" a message.
    pub(crate) fn deliver(&mut self, mail: Mail) {
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(mail);
    }

    pub(crate) fn all(&self) -> Vec<Mail> {
        self.0.clone()
    }
}

/// A code that was mailed and that proves an address when it comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailedCode {
    /// The address, normalised.
    pub(crate) to: String,
    pub(crate) code: String,
    /// Unix seconds.
    pub(crate) expires: i64,
    wrong: u32,
}

impl MailedCode {
    /// A new code for an address, valid for `life` seconds.
    pub(crate) fn new(to: String, now: i64, life: i64) -> Self {
        let number = u32::from_be_bytes(random::bytes::<4>()) % 1_000_000;
        Self { to, code: format!("{number:06}"), expires: now + life, wrong: 0 }
    }

    /// Whether `typed` is the code. Spaces do not count; a wrong one does.
    ///
    /// # Errors
    /// [`Fault::CodeMissing`], [`Fault::MailedCodeWrong`], or [`Fault::MailedCodeOver`] for one that
    /// is too old or was guessed at too often.
    pub(crate) fn check(&mut self, typed: &str, now: i64) -> Result<(), Fault> {
        let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        if typed.is_empty() {
            return Err(Fault::CodeMissing);
        }
        if now >= self.expires || self.wrong >= TRIES {
            return Err(Fault::MailedCodeOver);
        }
        if random::same(&self.code, &typed) {
            return Ok(());
        }
        self.wrong += 1;
        Err(Fault::MailedCodeWrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> MailedCode {
        MailedCode { code: "012345".into(), ..MailedCode::new("ana@example.org".into(), 0, 600) }
    }

    #[test]
    fn a_code_is_six_digits_and_counts_with_or_without_spaces_while_it_lasts() {
        let made = MailedCode::new("ana@example.org".into(), 0, 600);
        assert!(made.code.len() == 6 && made.code.bytes().all(|b| b.is_ascii_digit()));
        assert_eq!(code().check(" 012 345 ", 599), Ok(()));
        assert_eq!(code().check("012345", 600), Err(Fault::MailedCodeOver));
        assert_eq!(code().check(" ", 0), Err(Fault::CodeMissing));
    }

    #[test]
    fn five_wrong_guesses_use_a_code_up() {
        let mut code = code();
        for _ in 0..5 {
            assert_eq!(code.check("000000", 0), Err(Fault::MailedCodeWrong));
        }
        assert_eq!(code.check("012345", 0), Err(Fault::MailedCodeOver));
    }
}
