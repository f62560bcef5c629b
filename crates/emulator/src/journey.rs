//! The way of a person through the pages: what they have shown so far, and what comes next. Pure.

use crate::authorize::Asked;
use crate::config::PolicyKind;
use crate::mailbox::MailedCode;
use crate::realm::Realm;
use crate::store::User;

/// A password was typed (RFC 8176 section 2).
pub(crate) const PASSWORD: &str = "pwd";
/// Two kinds of proof were given.
const SEVERAL: &str = "mfa";
/// A one-time code was typed.
const ONE_TIME_CODE: &str = "otp";

/// Somebody who has shown who they are.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) user: User,
    /// Unix seconds of the last proof.
    pub(crate) auth_time: i64,
    /// Whether this very visit made the account.
    pub(crate) new_user: bool,
    /// The proofs, in the names of RFC 8176.
    pub(crate) amr: Vec<&'static str>,
    /// The authentication context that was asked for and reached.
    pub(crate) acr: Option<String>,
    /// Whether the browser is signed in by it; it was already where its session answered.
    pub(crate) opens_session: bool,
}

impl Arrival {
    /// Somebody who has just shown who they are, on a page.
    pub(crate) fn now(user: User, now: i64, new_user: bool) -> Self {
        let amr = methods(&user);
        Self { user, auth_time: now, new_user, amr, acr: None, opens_session: true }
    }

    /// Somebody whose browser is signed in since `auth_time`.
    pub(crate) fn by_session(user: User, auth_time: i64) -> Self {
        let amr = methods(&user);
        Self { user, auth_time, new_user: false, amr, acr: None, opens_session: false }
    }

    /// The same person after the second factor, which counts as a proof of its own.
    pub(crate) fn with_second_factor(mut self, now: i64, acr: Option<String>) -> Self {
        self.amr.extend([SEVERAL, ONE_TIME_CODE]);
        Self { auth_time: now, acr, ..self }
    }
}

/// How the account is entered: by its password, or by somebody else's word, of which nothing is
/// known.
fn methods(user: &User) -> Vec<&'static str> {
    if user.idp.is_none() { vec![PASSWORD] } else { Vec::new() }
}

/// Where an open page stands.
#[derive(Debug, Clone)]
pub(crate) enum Stage {
    /// Nobody has shown who they are.
    SignIn,
    /// The password is forgotten; nobody has shown that the address is theirs.
    ResetAddress,
    /// A code is on its way to an address.
    ResetCode(MailedCode),
    /// The address is this person's: a new password may be chosen.
    ResetPassword(User),
    /// They are to change what tokens say about them.
    Profile(Arrival),
    /// They are to show a second factor; with a secret that nobody has confirmed yet, to enrol one.
    SecondFactor(Arrival, Option<Vec<u8>>),
}

/// What comes after somebody has shown who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Back to the app.
    Finish,
    /// The second factor.
    SecondFactor,
    /// The profile page.
    Profile,
}

/// What the authority and the request still ask of somebody.
pub(crate) fn next(realm: &Realm, asked: &Asked) -> Next {
    match realm.journey {
        PolicyKind::Mfa => Next::SecondFactor,
        PolicyKind::ProfileEdit => Next::Profile,
        PolicyKind::SignUpSignIn | PolicyKind::PasswordReset if asked.acr.is_some() => {
            Next::SecondFactor
        }
        PolicyKind::SignUpSignIn | PolicyKind::PasswordReset => Next::Finish,
    }
}

/// Where a page starts when nobody is signed in.
pub(crate) fn first_stage(realm: &Realm) -> Stage {
    match realm.journey {
        PolicyKind::PasswordReset => Stage::ResetAddress,
        PolicyKind::SignUpSignIn | PolicyKind::ProfileEdit | PolicyKind::Mfa => Stage::SignIn,
    }
}
