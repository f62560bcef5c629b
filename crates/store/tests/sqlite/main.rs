//! SQLite passes the contract suite (DB11), and what only SQLite has to pass.
#![expect(clippy::unwrap_used, reason = "helpers of tests; what is set up wrongly stops there")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{Clock as _, OsEntropy, Timestamp};
use luminous_store::SqliteStore;
use luminous_store::contract::{Bench, TimeTravel};
use luminous_store::contract_suite;
use luminous_testkit::FrozenClock;

contract_suite!(db11, crate::open);

struct Hand(Arc<FrozenClock>);

#[async_trait]
impl TimeTravel for Hand {
    async fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn advance(&self, by: Duration) {
        self.0.advance(by);
    }
}

async fn open() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    bench(&folder.path().join("family.db"), folder)
}

fn bench(path: &Path, keep: impl Send + Sync + 'static) -> Bench {
    let clock = Arc::new(FrozenClock::new());
    let store = SqliteStore::open(path, clock.clone(), Arc::new(OsEntropy)).unwrap();
    Bench { store: Arc::new(store), time: Box::new(Hand(clock)), keep: Box::new(keep) }
}

mod damage;
mod displays;
mod file;
mod growth;
