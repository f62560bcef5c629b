//! The states of a wall display, from the code on the screen to the wall and back.
//!
//! A pure machine: [`State::on`] consumes the state and an event and answers the next state with what
//! is to be done about it, or a typed refusal that gives the state back. It does nothing by itself and
//! knows no secret; asking, polling, storing and drawing are the performer's. Time comes in as the
//! process's monotonic time, never as the clock on the wall, which may be wrong by decades.

use std::time::Duration;

use crate::link::MatchNumber;
use crate::pacing::Polling;

/// How often a code is followed by another before the display waits for a touch (D22): codes nobody
/// looks at are what a guess may hit.
pub const RENEWALS: u8 = 3;

/// Where a display stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// What this display has is being read from its keyring.
    Starting,
    /// Not linked; the server is being asked for a code.
    Asking {
        /// How many codes followed the first one without anybody coming.
        renewals: u8,
    },
    /// Not linked; a code is on the screen.
    Showing(Shown),
    /// Somebody typed the code; the number is on the screen.
    Claimed {
        /// The code it is about.
        shown: Shown,
        /// The number.
        number: MatchNumber,
    },
    /// Approved; the tokens are being fetched.
    Approved(Shown),
    /// Nobody came: a touch shows a code again.
    Idle,
    /// On the wall, and the server was reached lately.
    Linked,
    /// On the wall with what was read last.
    Offline {
        /// Since when, in monotonic time.
        since: Duration,
    },
    /// The server ended the link; everything of the family is being wiped.
    Revoked,
}

/// A code on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// When it ends, in monotonic time.
    pub expires_at: Duration,
    /// How often to ask what became of it.
    pub polling: Polling,
    /// How many codes went before it without anybody coming.
    pub renewals: u8,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The keyring holds tokens.
    FoundTokens,
    /// The keyring holds a code that was on the screen when the power went (D23).
    FoundCode(Shown),
    /// The keyring holds neither, or nothing that can be read.
    FoundNothing,
    /// The server gave a code.
    Given {
        /// When it ends, in monotonic time.
        expires_at: Duration,
        /// How often to ask.
        polling: Polling,
    },
    /// Somebody typed the code.
    Claimed(MatchNumber),
    /// Whoever typed the code took too long; anybody may type it again.
    Released,
    /// Somebody confirmed.
    Approved,
    /// Declined, or burned by a wrong number.
    Denied,
    /// The code's time is over.
    Expired,
    /// The tokens are here and stored.
    Redeemed,
    /// Somebody touched the screen.
    Touched,
    /// The server did not answer, or something in its place did.
    Unreached {
        /// When, in monotonic time.
        at: Duration,
    },
    /// The server answered.
    Reached,
    /// The server said, provably, that the link is over; or its time ran out by a clock that is known
    /// to be right.
    Ended,
    /// Everything of the family is gone from this display.
    Wiped,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Ask the server for a code, again and again until it gives one.
    AskForCode,
    /// Keep the code where a power cut does not reach it, listen on the link hub and poll.
    Await,
    /// Forget the code: stop listening and polling, remove what was kept of it.
    Forget,
    /// Fetch the tokens.
    Redeem,
    /// Read the wall, follow the family's events and keep the tokens fresh.
    Follow,
    /// Remove the tokens and all that the family ever said. The key stays, so that the display finds
    /// its old place.
    Wipe,
}

/// The event cannot happen in this state. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen while {state:?}")]
pub struct Refused {
    /// The state, as it was.
    pub state: State,
    /// What was said to have happened.
    pub event: Event,
}

/// The next state, and what is to be done about it, in this order.
pub type Next = (State, &'static [Effect]);

impl State {
    /// What follows from `event`.
    ///
    /// # Errors
    /// [`Refused`] when it cannot happen now.
    pub fn on(self, event: Event) -> Result<Next, Refused> {
        match self {
            Self::Starting => starting(event),
            Self::Asking { renewals } => asking(renewals, event),
            Self::Showing(shown) => awaiting(Self::Showing(shown), shown, event),
            Self::Claimed { shown, .. } => awaiting(self, shown, event),
            Self::Approved(shown) => approved(shown, event),
            Self::Idle => match event {
                Event::Touched => Ok(ask(0)),
                event => Err(Refused { state: Self::Idle, event }),
            },
            Self::Linked | Self::Offline { .. } => on_the_wall(self, event),
            Self::Revoked => match event {
                Event::Wiped => Ok(ask(0)),
                event => Err(Refused { state: Self::Revoked, event }),
            },
        }
    }

    /// The code that is waited for, if one is.
    #[must_use]
    pub const fn shown(&self) -> Option<&Shown> {
        match self {
            Self::Showing(shown) | Self::Claimed { shown, .. } | Self::Approved(shown) => {
                Some(shown)
            }
            _ => None,
        }
    }

    /// Whether the display belongs to a family, as far as it knows.
    #[must_use]
    pub const fn is_linked(&self) -> bool {
        matches!(self, Self::Linked | Self::Offline { .. })
    }
}

const fn ask(renewals: u8) -> Next {
    (State::Asking { renewals }, &[Effect::AskForCode])
}

const fn ask_anew() -> Next {
    (State::Asking { renewals: 0 }, &[Effect::Forget, Effect::AskForCode])
}

fn starting(event: Event) -> Result<Next, Refused> {
    match event {
        Event::FoundTokens => Ok((State::Linked, &[Effect::Follow])),
        Event::FoundCode(shown) => Ok((State::Showing(shown), &[Effect::Await])),
        Event::FoundNothing => Ok(ask(0)),
        event => Err(Refused { state: State::Starting, event }),
    }
}

fn asking(renewals: u8, event: Event) -> Result<Next, Refused> {
    match event {
        Event::Given { expires_at, polling } => {
            let shown = Shown { expires_at, polling, renewals };
            Ok((State::Showing(shown), &[Effect::Await]))
        }
        event => Err(Refused { state: State::Asking { renewals }, event }),
    }
}

/// A code is on the screen, typed or not yet.
fn awaiting(state: State, shown: Shown, event: Event) -> Result<Next, Refused> {
    match (event, &state) {
        (Event::Claimed(number), _) => Ok((State::Claimed { shown, number }, &[])),
        (Event::Released, State::Claimed { .. }) => Ok((State::Showing(shown), &[])),
        (Event::Approved, _) => Ok((State::Approved(shown), &[Effect::Redeem])),
        // A poll that comes after the approval brings the tokens at once.
        (Event::Redeemed, _) => Ok((State::Linked, &[Effect::Forget, Effect::Follow])),
        // Somebody was there: the renewals are counted anew.
        (Event::Denied, _) => Ok(ask_anew()),
        (Event::Expired, _) if shown.renewals >= RENEWALS => Ok((State::Idle, &[Effect::Forget])),
        (Event::Expired, _) => Ok((
            State::Asking { renewals: shown.renewals + 1 },
            &[Effect::Forget, Effect::AskForCode],
        )),
        (event, _) => Err(Refused { state, event }),
    }
}

fn approved(shown: Shown, event: Event) -> Result<Next, Refused> {
    match event {
        Event::Redeemed => Ok((State::Linked, &[Effect::Forget, Effect::Follow])),
        // Whoever confirmed no longer may, or the tokens were not fetched in time.
        Event::Denied | Event::Expired => Ok(ask_anew()),
        event => Err(Refused { state: State::Approved(shown), event }),
    }
}

fn on_the_wall(state: State, event: Event) -> Result<Next, Refused> {
    match (event, &state) {
        (Event::Unreached { at }, State::Linked) => Ok((State::Offline { since: at }, &[])),
        (Event::Reached, State::Offline { .. }) => Ok((State::Linked, &[])),
        (Event::Ended, _) => Ok((State::Revoked, &[Effect::Wipe])),
        (event, _) => Err(Refused { state, event }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Duration = Duration::from_secs(600);

    fn polling() -> Polling {
        Polling::new(Duration::from_secs(5))
    }

    fn shown(renewals: u8) -> Shown {
        Shown { expires_at: END, polling: polling(), renewals }
    }

    fn number(value: u8) -> MatchNumber {
        MatchNumber::from_value(value).unwrap()
    }

    fn states() -> Vec<State> {
        vec![
            State::Starting,
            State::Asking { renewals: 0 },
            State::Showing(shown(0)),
            State::Claimed { shown: shown(0), number: number(7) },
            State::Approved(shown(0)),
            State::Idle,
            State::Linked,
            State::Offline { since: Duration::ZERO },
            State::Revoked,
        ]
    }

    fn events() -> Vec<Event> {
        vec![
            Event::FoundTokens,
            Event::FoundCode(shown(0)),
            Event::FoundNothing,
            Event::Given { expires_at: END, polling: polling() },
            Event::Claimed(number(42)),
            Event::Released,
            Event::Approved,
            Event::Denied,
            Event::Expired,
            Event::Redeemed,
            Event::Touched,
            Event::Unreached { at: END },
            Event::Reached,
            Event::Ended,
            Event::Wiped,
        ]
    }

    /// Every legal transition, once.
    fn legal() -> Vec<(State, Event, State, &'static [Effect])> {
        use Effect::{AskForCode, Await, Follow, Forget, Redeem, Wipe};
        let asking = |renewals| State::Asking { renewals };
        let claimed = |value| State::Claimed { shown: shown(0), number: number(value) };
        let offline = |since| State::Offline { since };
        vec![
            (State::Starting, Event::FoundTokens, State::Linked, &[Follow]),
            (State::Starting, Event::FoundCode(shown(0)), State::Showing(shown(0)), &[Await]),
            (State::Starting, Event::FoundNothing, asking(0), &[AskForCode]),
            (
                asking(0),
                Event::Given { expires_at: END, polling: polling() },
                State::Showing(shown(0)),
                &[Await],
            ),
            (State::Showing(shown(0)), Event::Claimed(number(42)), claimed(42), &[]),
            (State::Showing(shown(0)), Event::Approved, State::Approved(shown(0)), &[Redeem]),
            (State::Showing(shown(0)), Event::Redeemed, State::Linked, &[Forget, Follow]),
            (State::Showing(shown(0)), Event::Denied, asking(0), &[Forget, AskForCode]),
            (State::Showing(shown(0)), Event::Expired, asking(1), &[Forget, AskForCode]),
            (claimed(7), Event::Claimed(number(42)), claimed(42), &[]),
            (claimed(7), Event::Released, State::Showing(shown(0)), &[]),
            (claimed(7), Event::Approved, State::Approved(shown(0)), &[Redeem]),
            (claimed(7), Event::Redeemed, State::Linked, &[Forget, Follow]),
            (claimed(7), Event::Denied, asking(0), &[Forget, AskForCode]),
            (claimed(7), Event::Expired, asking(1), &[Forget, AskForCode]),
            (State::Approved(shown(0)), Event::Redeemed, State::Linked, &[Forget, Follow]),
            (State::Approved(shown(0)), Event::Denied, asking(0), &[Forget, AskForCode]),
            (State::Approved(shown(0)), Event::Expired, asking(0), &[Forget, AskForCode]),
            (State::Idle, Event::Touched, asking(0), &[AskForCode]),
            (State::Linked, Event::Unreached { at: END }, offline(END), &[]),
            (State::Linked, Event::Ended, State::Revoked, &[Wipe]),
            (offline(Duration::ZERO), Event::Reached, State::Linked, &[]),
            (offline(Duration::ZERO), Event::Ended, State::Revoked, &[Wipe]),
            (State::Revoked, Event::Wiped, asking(0), &[AskForCode]),
        ]
    }

    #[test]
    fn every_legal_transition_leads_where_it_must() {
        for (state, event, next, effects) in legal() {
            let said = format!("{state:?} on {event:?}");
            assert_eq!(state.on(event), Ok((next, effects)), "{said}");
        }
    }

    #[test]
    fn every_other_transition_is_refused_and_changes_nothing() {
        let legal = legal();
        for state in states() {
            for event in events() {
                if legal.iter().any(|(from, on, ..)| *from == state && *on == event) {
                    continue;
                }
                let refused = Refused { state: state.clone(), event: event.clone() };
                assert_eq!(state.clone().on(event), Err(refused));
            }
        }
    }

    #[test]
    fn d22_after_three_renewals_nobody_came_for_it_waits_for_a_touch() {
        let mut state = State::Asking { renewals: 0 };
        let mut codes = 0;
        while state != State::Idle {
            codes += 1;
            (state, _) = state.on(Event::Given { expires_at: END, polling: polling() }).unwrap();
            (state, _) = state.on(Event::Expired).unwrap();
        }
        assert_eq!(codes, 4, "the first code and three renewals");
        let (state, effects) = state.on(Event::Touched).unwrap();
        assert_eq!((state, effects), ask(0));
    }

    #[test]
    fn d22_somebody_who_declined_was_there() {
        let last = State::Claimed { shown: shown(RENEWALS), number: number(7) };
        assert_eq!(last.clone().on(Event::Denied).unwrap().0, State::Asking { renewals: 0 });
        assert_eq!(last.on(Event::Expired).unwrap().0, State::Idle);
    }
}
