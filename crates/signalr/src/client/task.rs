//! Attempt after attempt.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep};

use super::approach::approach;
use super::negotiate::Failed;
use super::session::Session;
use super::{ClientPort, ClientSettings, Command, Event, InvokeError, Lost};

pub(super) struct Task<P> {
    settings: ClientSettings,
    port: P,
    orders: mpsc::Receiver<Command>,
    happened: mpsc::Sender<Event>,
    wake: Arc<Notify>,
    failures: u32,
    /// Whether the last connection was perhaps lost to everybody.
    is_loss_shared: bool,
}

impl<P: ClientPort> Task<P> {
    pub(super) fn new(
        settings: ClientSettings,
        port: P,
        orders: mpsc::Receiver<Command>,
        happened: mpsc::Sender<Event>,
        wake: Arc<Notify>,
    ) -> Self {
        Self { settings, port, orders, happened, wake, failures: 0, is_loss_shared: false }
    }

    pub(super) async fn run(mut self) {
        let mut ended = None;
        while ended.is_none() {
            ended = self.connect_once().await;
        }
        if let Some(why) = ended {
            // The handles may be gone while somebody still takes the events, and the other way round.
            let telling = self.happened.send(Event::Ended(why));
            self.orders.close();
            let _ = telling.await;
        }
    }

    /// One attempt, the connection if there is one, and the pause after it; why it is the last one.
    async fn connect_once(&mut self) -> Option<Lost> {
        let (settings, port, wake) = (&self.settings, &self.port, &self.wake);
        let approached = meanwhile(&mut self.orders, async {
            tokio::select! {
                approached = approach(settings, port) => Some(approached),
                // An attempt that began before the computer slept leads nowhere now.
                () = wake.notified() => None,
            }
        });
        let (why, pause) = match approached.await {
            None => return Some(Lost::Ours),
            Some(None) => {
                self.begin_anew();
                return None;
            }
            Some(Some(Err(Failed { why, not_before }))) => {
                (why, self.pause_after_failure().max(not_before))
            }
            Some(Some(Ok(arrived))) => {
                let since = Instant::now();
                let session = Session::new(&self.settings, arrived);
                let why = session.run(&mut self.orders, &self.happened, &self.wake).await;
                let pause = self.pause_after(&why, since.elapsed());
                (why, pause)
            }
        };
        if why.is_final() {
            return Some(why);
        }
        self.wait(why, pause).await
    }

    /// What was before counts no more: a network may be there that was not, and the others of the hub were
    /// not woken with us.
    fn begin_anew(&mut self) {
        self.failures = 0;
        self.is_loss_shared = false;
    }

    /// After an attempt. Whoever lost the hub with everybody and has not found it again is one of many for
    /// as long: quick tries would have all of them come in the first seconds of the hub's return.
    fn pause_after_failure(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let half = self.settings.pauses.spread / 2;
        let apart = if self.is_loss_shared { half + self.jitter(half) } else { Duration::ZERO };
        self.backoff().max(apart)
    }

    /// After a connection, not after an attempt.
    fn pause_after(&mut self, why: &Lost, lived: Duration) -> Duration {
        let settled = lived >= self.settings.pauses.settled;
        self.failures = if settled { 0 } else { self.failures.saturating_add(1) };
        self.is_loss_shared = !matches!(why, Lost::Woken | Lost::Closed { error: Some(_), .. });
        match why {
            // Who is woken again and again is refused by the hub, and is patient as if it had said so.
            Lost::Woken if self.failures <= 1 => Duration::ZERO,
            Lost::Woken => self.backoff(),
            // It was said to us alone.
            Lost::Closed { error: Some(_), .. } => self.backoff(),
            // Perhaps the hub was lost to everybody.
            _ => self.jitter(self.settings.pauses.spread).max(self.backoff()),
        }
    }

    fn backoff(&self) -> Duration {
        self.settings.pauses.backoff.wait(self.failures.max(1), self.random())
    }

    fn jitter(&self, most: Duration) -> Duration {
        most.mul_f64(f64::from(self.random()) / f64::from(u32::MAX))
    }

    /// Without entropy the longest wait is the careful one.
    fn random(&self) -> u32 {
        let mut bytes = [0; 4];
        match self.settings.entropy.fill(&mut bytes) {
            Ok(()) => u32::from_le_bytes(bytes),
            Err(_) => u32::MAX,
        }
    }

    async fn wait(&mut self, why: Lost, pause: Duration) -> Option<Lost> {
        tracing::debug!(%why, ?pause, "the hub is not connected");
        let (happened, wake) = (&self.happened, &self.wake);
        let waited = meanwhile(&mut self.orders, async {
            // Time passes also while nobody takes the event.
            let telling = async {
                let _ = happened.send(Event::Lost { why, again_in: pause }).await;
            };
            let waiting = async {
                tokio::select! {
                    () = sleep(pause) => false,
                    () = wake.notified() => true,
                }
            };
            tokio::join!(telling, waiting).1
        });
        match waited.await {
            None => return Some(Lost::Ours),
            Some(true) => self.begin_anew(),
            Some(false) => {}
        }
        None
    }
}

/// Does something while there is no connection to invoke on; nothing if it is to end.
async fn meanwhile<T>(
    orders: &mut mpsc::Receiver<Command>,
    what: impl Future<Output = T>,
) -> Option<T> {
    let mut what = pin!(what);
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(Command::Invoke { reply, .. }) => {
                    let _ = reply.send(Err(InvokeError::NotConnected));
                }
                Some(Command::Close) | None => return None,
            },
            done = &mut what => return Some(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use luminous_testkit::SeededEntropy;
    use url::Url;

    use super::super::{PostAnswer, PostFailed, TicketError};
    use super::*;

    struct Nobody;

    impl ClientPort for Nobody {
        async fn ticket(&self) -> Result<Option<String>, TicketError> {
            Ok(None)
        }

        async fn post(&self, _: &Url, _: Option<&str>) -> Result<PostAnswer, PostFailed> {
            Err(PostFailed("nobody is there".to_owned()))
        }
    }

    fn task(seed: u64) -> Task<Nobody> {
        let hub = "https://family.example/hub".parse().expect("an address");
        let settings = ClientSettings::new(hub, Arc::new(SeededEntropy::new(seed)));
        let (orders, happened) = (mpsc::channel(1).1, mpsc::channel(1).0);
        Task::new(settings, Nobody, orders, happened, Arc::default())
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn p10_two_thousand_clients_of_a_lost_hub_come_back_spread_over_30_seconds() {
        let asked_again = Lost::Closed { error: None, allow_reconnect: true };
        for why in [Lost::Broken, Lost::Silent, asked_again] {
            let mut seconds = [0u32; 31];
            for seed in 0..2000 {
                seconds[task(seed).pause_after(&why, LONG).as_secs() as usize] += 1;
            }
            assert_eq!(seconds.iter().sum::<u32>(), 2000);
            assert!(seconds.iter().all(|count| *count <= 200), "{why}: {seconds:?}");
            assert!(seconds[..30].iter().all(|count| *count > 0), "{why}: {seconds:?}");
        }
    }

    #[test]
    fn p10_however_long_the_hub_is_gone_all_two_thousand_come_back_and_in_no_second_a_tenth_of_them()
     {
        for away in [0, 2, 5, 10, 20, 30, 45, 120, 600] {
            let mut tries = vec![0u32; away as usize + 60];
            let mut returns = vec![0u32; away as usize + 60];
            for seed in 0..2000 {
                let mut task = task(seed);
                let mut at = task.pause_after(&Lost::Broken, LONG);
                while at < Duration::from_secs(away) {
                    tries[at.as_secs() as usize] += 1;
                    at += task.pause_after_failure();
                }
                returns[at.as_secs() as usize] += 1;
            }
            assert_eq!(returns.iter().sum::<u32>(), 2000);
            let most = |seconds: &[u32]| seconds.iter().copied().max().unwrap_or_default();
            assert!(most(&returns) <= 200, "away {away} s: {returns:?}");
            assert!(most(&tries) <= 200, "away {away} s: {tries:?}");
            let last = returns.iter().rposition(|count| *count > 0).unwrap_or_default();
            assert!(last as u64 <= away + 30, "away {away} s: the last after {last} s");
        }
    }

    #[test]
    fn who_never_found_the_hub_tries_again_soon() {
        for seed in 0..100 {
            assert!(task(seed).pause_after_failure() <= Duration::from_secs(1));
        }
    }

    #[test]
    fn what_the_hub_says_to_one_client_alone_costs_it_a_second_at_most() {
        let expired =
            Lost::Closed { error: Some("push.expired".to_owned()), allow_reconnect: true };
        for seed in 0..100 {
            assert!(task(seed).pause_after(&expired, LONG) <= Duration::from_secs(1));
        }
    }

    #[test]
    fn a_hub_that_closes_again_and_again_is_asked_less_and_less() {
        let told = Lost::Closed { error: Some("no".to_owned()), allow_reconnect: true };
        let mut task = task(7);
        let short = Duration::from_millis(5);
        let pauses: Vec<_> = (0..12).map(|_| task.pause_after(&told, short)).collect();
        assert_eq!(task.failures, 12);
        assert!(pauses.iter().any(|pause| *pause > Duration::from_secs(8)), "{pauses:?}");
        task.pause_after(&told, LONG);
        assert_eq!(task.failures, 0, "one that lived is a new beginning");
    }

    #[test]
    fn a_connection_that_is_given_up_again_and_again_is_made_less_and_less_often() {
        let mut task = task(7);
        let short = Duration::from_millis(5);
        let pauses: Vec<_> = (0..12).map(|_| task.pause_after(&Lost::Woken, short)).collect();
        assert!(pauses.iter().any(|pause| *pause > Duration::from_secs(8)), "{pauses:?}");
        assert_eq!(task.pause_after(&Lost::Woken, LONG), Duration::ZERO, "after a long sleep, say");
    }
}
