//! What becomes of refresh tokens: the rules of the three modes, without a database.
//!
//! A family is everything that one sign-in led to. Each refresh token knows whether it was used
//! and, in the confirm-by-use mode, which unused successor it has.

use crate::config::RefreshMode;
use crate::refusal::Refusal;

/// The life of one refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenState {
    /// Never presented.
    Fresh,
    /// Presented at least once; it has a successor.
    Used,
    /// Its successor was used too: in the confirm-by-use mode nothing honest presents it again.
    Superseded,
    /// Dropped unused, because its parent was presented again.
    Dropped,
}

impl TokenState {
    /// Its name in the store.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Used => "used",
            Self::Superseded => "superseded",
            Self::Dropped => "dropped",
        }
    }

    /// Reads it back.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Fresh, Self::Used, Self::Superseded, Self::Dropped]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// What the times and the family say about a presented token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Presented {
    /// The token's own state.
    pub(crate) state: TokenState,
    /// Whether its family was revoked.
    pub(crate) family_revoked: bool,
    /// Unix seconds: when this token was issued.
    pub(crate) issued: i64,
    /// Unix seconds: the end of this token's own life.
    pub(crate) expires: i64,
    /// Unix seconds: the end of the sliding window of the whole family.
    pub(crate) window_end: i64,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Issue a successor and mark the presented token as said.
    Issue {
        /// The state of the presented token from now on.
        presented: TokenState,
        /// Drop the unused successors it has.
        drop_unused_children: bool,
        /// Its parent is now superseded: the successor has proved that it arrived.
        supersede_parent: bool,
    },
    /// Refuse, and change nothing.
    Refuse(Refusal),
    /// A token was presented that nothing honest still holds: revoke the family and refuse.
    RevokeFamily,
}

/// Decides about a presented refresh token at `now` (unix seconds).
pub(crate) fn present(mode: RefreshMode, token: Presented, now: i64) -> Step {
    if token.family_revoked {
        return Step::Refuse(Refusal::GrantRevoked);
    }
    let end = token.expires.min(token.window_end);
    if now >= end {
        return Step::Refuse(Refusal::GrantExpired { now, issued: token.issued, window_end: end });
    }
    match (mode, token.state) {
        (_, TokenState::Dropped) => Step::Refuse(Refusal::GrantRevoked),
        (RefreshMode::KeepOld, _) | (RefreshMode::Strict, TokenState::Fresh) => Step::Issue {
            presented: TokenState::Used,
            drop_unused_children: false,
            supersede_parent: false,
        },
        (RefreshMode::Strict, TokenState::Used | TokenState::Superseded)
        | (RefreshMode::ConfirmByUse, TokenState::Superseded) => Step::RevokeFamily,
        (RefreshMode::ConfirmByUse, TokenState::Fresh) => Step::Issue {
            presented: TokenState::Used,
            drop_unused_children: false,
            supersede_parent: true,
        },
        (RefreshMode::ConfirmByUse, TokenState::Used) => Step::Issue {
            presented: TokenState::Used,
            drop_unused_children: true,
            supersede_parent: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000;

    fn token(state: TokenState) -> Presented {
        Presented { state, family_revoked: false, issued: 900, expires: 2_000, window_end: 3_000 }
    }

    fn issues(mode: RefreshMode, state: TokenState) -> bool {
        matches!(present(mode, token(state), NOW), Step::Issue { .. })
    }

    #[test]
    fn keep_old_lets_a_used_token_work_again() {
        assert!(issues(RefreshMode::KeepOld, TokenState::Fresh));
        assert!(issues(RefreshMode::KeepOld, TokenState::Used));
    }

    #[test]
    fn strict_revokes_the_family_when_a_used_token_returns() {
        assert!(issues(RefreshMode::Strict, TokenState::Fresh));
        let again = present(RefreshMode::Strict, token(TokenState::Used), NOW);
        assert_eq!(again, Step::RevokeFamily);
    }

    #[test]
    fn f5_confirm_by_use_replaces_a_successor_that_never_arrived() {
        let again = present(RefreshMode::ConfirmByUse, token(TokenState::Used), NOW);
        assert_eq!(
            again,
            Step::Issue {
                presented: TokenState::Used,
                drop_unused_children: true,
                supersede_parent: false
            }
        );
        let dropped = present(RefreshMode::ConfirmByUse, token(TokenState::Dropped), NOW);
        assert_eq!(dropped, Step::Refuse(Refusal::GrantRevoked));
    }

    #[test]
    fn f6_confirm_by_use_revokes_the_family_once_the_successor_was_used() {
        let parent = present(RefreshMode::ConfirmByUse, token(TokenState::Superseded), NOW);
        assert_eq!(parent, Step::RevokeFamily);
    }

    #[test]
    fn the_end_of_life_and_of_the_window_are_told_with_the_times() {
        for (expires, window_end) in [(NOW, 3_000), (3_000, NOW)] {
            let late = Presented { expires, window_end, ..token(TokenState::Fresh) };
            let refusal = Refusal::GrantExpired { now: NOW, issued: 900, window_end: NOW };
            assert_eq!(present(RefreshMode::KeepOld, late, NOW), Step::Refuse(refusal));
        }
        let last = Presented { expires: NOW + 1, ..token(TokenState::Fresh) };
        assert!(matches!(present(RefreshMode::Strict, last, NOW), Step::Issue { .. }));
    }

    #[test]
    fn a_revoked_family_stays_revoked_in_every_mode() {
        let revoked = Presented { family_revoked: true, ..token(TokenState::Fresh) };
        for mode in [RefreshMode::KeepOld, RefreshMode::Strict, RefreshMode::ConfirmByUse] {
            assert_eq!(present(mode, revoked, NOW), Step::Refuse(Refusal::GrantRevoked));
        }
    }
}
