//! What there is to look at: each thing by one task at a time, and again until it went well.
//!
//! A hint that comes while its matter is being looked at makes that task go round once more. A look
//! that failed, or that ended before its end, is made up for by the next tick, whether or not another
//! hint comes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use luminous_domain::{FamilyId, LinkId};
use luminous_store::StoreError;
use tokio::sync::Semaphore;

use super::{family, link};
use crate::AppState;

/// How many matters are looked at at once: half as many as there are connections to PostgreSQL, so that
/// the requests have the others.
const AT_ONCE: usize = 8;

/// Something to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matter {
    /// Where a display's wish stands.
    Link(LinkId),
    /// What happened in a family.
    Family(FamilyId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Somebody is looking.
    Running,
    /// Somebody is looking, and goes round once more.
    Again,
    /// Nobody is looking, and somebody must.
    Failed,
}

/// All matters at hand.
pub struct Rounds {
    stages: Mutex<HashMap<Matter, Stage>>,
    places: Semaphore,
}

impl Default for Rounds {
    fn default() -> Self {
        Self { stages: Mutex::default(), places: Semaphore::new(AT_ONCE) }
    }
}

impl Rounds {
    /// Whether the caller is to look; else whoever looks already goes round once more.
    fn begin(&self, matter: Matter) -> bool {
        let mut stages = self.stages();
        let is_mine = !matches!(stages.get(&matter), Some(Stage::Running | Stage::Again));
        stages.insert(matter, if is_mine { Stage::Running } else { Stage::Again });
        is_mine
    }

    /// Whether nobody asked for another round.
    fn end(&self, matter: Matter) -> bool {
        let mut stages = self.stages();
        let is_over = stages.get(&matter) != Some(&Stage::Again);
        if is_over {
            stages.remove(&matter);
        } else {
            stages.insert(matter, Stage::Running);
        }
        is_over
    }

    fn fail(&self, matter: Matter) {
        self.stages().insert(matter, Stage::Failed);
    }

    /// What must be looked at again.
    pub fn failed(&self) -> Vec<Matter> {
        let stages = self.stages();
        let failed = stages.iter().filter(|(_, stage)| **stage == Stage::Failed);
        failed.map(|(matter, _)| *matter).collect()
    }

    fn stages(&self) -> MutexGuard<'_, HashMap<Matter, Stage>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who looks. Whoever is dropped before the end has failed.
struct Round {
    state: AppState,
    matter: Matter,
    is_over: bool,
}

impl Drop for Round {
    fn drop(&mut self) {
        if !self.is_over {
            self.state.listeners().rounds.fail(self.matter);
        }
    }
}

/// Has the matter looked at, soon, without waiting for it.
pub fn look(state: &AppState, matter: Matter) {
    if state.listeners().rounds.begin(matter) {
        tokio::spawn(go(Round { state: state.clone(), matter, is_over: false }));
    }
}

async fn go(mut round: Round) {
    let (state, matter) = (round.state.clone(), round.matter);
    let rounds = &state.listeners().rounds;
    while !round.is_over {
        let place = rounds.places.acquire().await;
        if let Err(error) = work(&state, matter).await {
            tracing::debug!(code = error.code(), "a hint was not followed; the next tick does");
            return;
        }
        drop(place);
        round.is_over = rounds.end(matter);
    }
}

async fn work(state: &AppState, matter: Matter) -> Result<(), StoreError> {
    match matter {
        Matter::Link(link) => link::tell(state, link).await,
        Matter::Family(family) => family::deliver(state, family).await,
    }
}

#[cfg(test)]
mod tests {
    use luminous_domain::{OsEntropy, Timestamp};

    use super::*;

    fn matter() -> Matter {
        Matter::Family(FamilyId::new(Timestamp::UNIX_EPOCH, &OsEntropy).unwrap())
    }

    #[test]
    fn one_looks_at_a_time_and_once_more_for_all_who_asked_meanwhile() {
        let (rounds, matter) = (Rounds::default(), matter());
        assert!(rounds.begin(matter));
        assert!(!rounds.begin(matter) && !rounds.begin(matter));
        assert!(!rounds.end(matter), "once more");
        assert!(rounds.end(matter));
        assert!(rounds.begin(matter), "nobody looks any more");
    }

    #[test]
    fn a_look_that_failed_blocks_nobody_and_is_made_up_for_however_many_asked() {
        let (rounds, matter) = (Rounds::default(), matter());
        assert!(rounds.begin(matter));
        assert!(!rounds.begin(matter), "a second hint");
        rounds.fail(matter);
        assert_eq!(rounds.failed(), [matter]);
        assert!(rounds.begin(matter));
        assert!(rounds.failed().is_empty());
        assert!(rounds.end(matter));
    }
}
