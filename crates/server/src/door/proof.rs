//! When a person proved who they are, as a token tells it.
//!
//! A refresh gives a token with a new `iat`, and nobody proved anything. So what asks whether
//! somebody signed in since looks at `auth_time`; where a provider does not send it, `iat` has to
//! do, and a refresh passes for a proof.

use luminous_domain::Timestamp;
use luminous_oidc::Identity;

/// The proof behind the token. A token cannot be older than it, so no later time is believed.
pub(crate) fn proved_at(identity: &Identity) -> Timestamp {
    identity.auth_time.map_or(identity.issued_at, |at| at.min(identity.issued_at))
}

/// Whether the sign-in behind the token was ended by "sign out everywhere". A proof of the same
/// second may be the older one, and is worth no risk: ended as well.
pub(crate) fn is_ended(identity: &Identity, not_before: Option<Timestamp>) -> bool {
    is_ended_at(proved_at(identity).as_second(), not_before)
}

/// The same for a proof of that second.
pub(crate) fn is_ended_at(proved_at_s: i64, not_before: Option<Timestamp>) -> bool {
    not_before.is_some_and(|since| proved_at_s <= since.as_second())
}

/// Whether the person signed in before what happened at `since`.
pub(super) fn is_older_than(identity: &Identity, since: Option<Timestamp>) -> bool {
    since.is_some_and(|since| is_before(proved_at(identity), since))
}

/// Whether something of `at` is older than something that happened at `since`. Tokens tell time in
/// whole seconds; one of the same second may be younger, and does not count as older.
pub(super) fn is_before(at: Timestamp, since: Timestamp) -> bool {
    at.as_second() < since.as_second()
}
