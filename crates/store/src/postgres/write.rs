//! How something is read, and how something is written exactly once.
//!
//! A connection can break while its `COMMIT` is on the way; then nobody on this side knows whether
//! it was done. So each write transaction begins by inserting an id of its own into `writes`, and
//! doing it again begins by inserting the same id: if the first one was committed, or still is
//! being committed, the second finds the id there (the database makes it wait for the first), does
//! nothing, and the answer of the first, which was kept, is given (DB7).

use std::ops::{ControlFlow, Deref};
use std::time::Duration;

use uuid::Uuid;

use super::PostgresStore;
use super::lease::{Lease, Values};
use super::trouble::Trouble;
use crate::StoreError;

/// How often something is done again before the caller hears of it.
const REPETITIONS: u32 = 3;
/// The wait before the first repetition; it doubles twice over.
const PAUSE: Duration = Duration::from_millis(10);

/// Reads: `reading!(store, |lease| future)`. The future may be made up to four times.
macro_rules! reading {
    ($store:expr, |$lease:ident| $job:expr) => {{
        let store: &$crate::postgres::PostgresStore = $store;
        let answer: Result<_, $crate::postgres::trouble::Trouble> = store
            .in_time(async {
                let mut repetition = $crate::postgres::write::Repetition::default();
                loop {
                    let outcome = async {
                        let lease = $crate::postgres::lease::Lease::new(store).await?;
                        let answer = {
                            let $lease = &lease;
                            $job.await?
                        };
                        lease.rest();
                        Ok(answer)
                    };
                    match outcome.await {
                        Ok(answer) => break Ok(answer),
                        Err(trouble) => repetition.after(trouble).await?,
                    }
                }
            })
            .await;
        answer.map_err(Into::into)
    }};
}

/// Writes: `writing!(store, |tx| future)`, in one transaction, exactly once. The future may be made
/// up to four times.
macro_rules! writing {
    ($store:expr, |$tx:ident| $job:expr) => {{
        let store: &$crate::postgres::PostgresStore = $store;
        let answer: Result<_, $crate::postgres::trouble::Trouble> = store
            .in_time(async {
                let mut write = $crate::postgres::write::Write::new(store)?;
                loop {
                    let mut tx = match write.begin().await {
                        std::ops::ControlFlow::Continue(None) => continue,
                        std::ops::ControlFlow::Continue(Some(tx)) => tx,
                        std::ops::ControlFlow::Break(answer) => break answer,
                    };
                    let outcome = {
                        let $tx = &mut tx;
                        $job.await
                    };
                    if let std::ops::ControlFlow::Break(answer) = write.end(tx, outcome).await {
                        break answer;
                    }
                }
            })
            .await;
        answer.map_err(Into::into)
    }};
}

impl PostgresStore {
    /// Bounds the whole call. What was under way is dropped, and its connection with it.
    pub(super) async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        tokio::time::timeout(self.options.call_wait, call)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("no answer in time".to_owned()).into()))
    }
}

/// How often it was tried again already.
#[derive(Default)]
pub(super) struct Repetition(u32);

impl Repetition {
    /// Waits a little if trying again may help, else gives the trouble back.
    pub(super) async fn after(&mut self, trouble: Trouble) -> Result<(), Trouble> {
        if self.0 == REPETITIONS || !trouble.is_passing() {
            return Err(trouble);
        }
        tokio::time::sleep(PAUSE * 4_u32.pow(self.0)).await;
        self.0 += 1;
        Ok(())
    }
}

/// One thing to be written, however many transactions that takes.
pub(super) struct Write<'a, T> {
    store: &'a PostgresStore,
    id: Uuid,
    repetition: Repetition,
    /// What the transaction answered whose commit was not confirmed.
    unconfirmed: Option<T>,
}

/// An open transaction.
pub(super) struct Tx {
    lease: Lease,
    /// The database's time: when the transaction began, or when it got the family's lock.
    pub(super) now: i64,
}

impl Deref for Tx {
    type Target = Lease;

    fn deref(&self) -> &Lease {
        &self.lease
    }
}

impl<'a, T> Write<'a, T> {
    pub(super) fn new(store: &'a PostgresStore) -> Result<Self, Trouble> {
        let mut id = [0; 16];
        store.entropy.fill(&mut id)?;
        let id = uuid::Builder::from_random_bytes(id).into_uuid();
        Ok(Self { store, id, repetition: Repetition::default(), unconfirmed: None })
    }

    /// Opens the transaction, or breaks with the answer. `None` asks to begin again.
    pub(super) async fn begin(&mut self) -> ControlFlow<Result<T, Trouble>, Option<Tx>> {
        match self.open().await {
            Ok((tx, true)) => ControlFlow::Continue(Some(tx)),
            Ok((tx, false)) => match self.unconfirmed.take() {
                Some(answer) => {
                    tx.roll_back().await;
                    ControlFlow::Break(Ok(answer))
                }
                // The database already knows an id made of fresh random bytes.
                None => {
                    ControlFlow::Break(Err(StoreError::Contradiction("a write id twice").into()))
                }
            },
            Err(trouble) => match self.repetition.after(trouble).await {
                Ok(()) => ControlFlow::Continue(None),
                Err(trouble) => ControlFlow::Break(Err(trouble)),
            },
        }
    }

    /// Begins, claims the id, and asks for the time, all in one go. `false`: the id is taken, for
    /// this write was committed before.
    async fn open(&self) -> Result<(Tx, bool), Trouble> {
        let lease = Lease::new(self.store).await?;
        let id: Values<'_> = &[&self.id];
        // Polled in this order, so sent in this order.
        let (_, claim) = tokio::try_join!(
            biased;
            lease.simple("BEGIN"),
            lease.row(
                "WITH claimed AS (INSERT INTO writes (id) VALUES ($1) ON CONFLICT DO NOTHING \
                 RETURNING id) SELECT luminous_now(), EXISTS (SELECT FROM claimed)",
                id,
            ),
        )?;
        let claim = claim.ok_or(Trouble::Store(StoreError::Contradiction("no time")))?;
        let (now, claimed) = (claim.try_get(0)?, claim.try_get(1)?);
        Ok((Tx { lease, now }, claimed))
    }

    /// Commits, or undoes and repeats what may be repeated.
    pub(super) async fn end(
        &mut self,
        tx: Tx,
        outcome: Result<T, Trouble>,
    ) -> ControlFlow<Result<T, Trouble>> {
        let trouble = match outcome {
            Ok(answer) => match tx.lease.simple("COMMIT").await {
                Ok(_) => {
                    tx.lease.rest();
                    return ControlFlow::Break(Ok(answer));
                }
                Err(trouble) => {
                    if trouble.is_broken() {
                        self.unconfirmed = Some(answer);
                    }
                    trouble
                }
            },
            Err(trouble) => {
                if !trouble.is_broken() {
                    tx.roll_back().await;
                }
                trouble
            }
        };
        match self.repetition.after(trouble).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(trouble) => ControlFlow::Break(Err(trouble)),
        }
    }
}

impl Tx {
    /// Undoes everything. If even that fails the connection is dropped, and the server does it.
    async fn roll_back(self) {
        if self.lease.simple("ROLLBACK").await.is_ok() {
            self.lease.rest();
        }
    }
}
