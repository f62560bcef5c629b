//! Hints of all replicas: `LISTEN` on a connection of its own, outside the pool.
//!
//! A `NOTIFY` that is sent while nobody listens is lost, by design: the events' table is the truth.
//! So whenever the connection had to be made anew, everybody is told [`Hint::Gap`] and looks; or
//! [`Hint::Rewound`], when it leads to a server that was started at another time than the one before: a
//! standby that took over may not have everything, and a lost connection alone is no reason for everybody
//! to read everything anew.
//!
//! A connection that is dead without saying so is found out by asking it something now and then; twice,
//! for a server that has too much to do is not helped by all who listen coming anew and looking.
//!
//! Not to be used through a proxy that gives each transaction another session (PgBouncer's
//! `transaction` mode): there nobody would ever hear anything.

use std::time::Duration;

use luminous_domain::{AccountId, FamilyId, LinkId};
use tokio::sync::{broadcast, oneshot};
use tokio::task::AbortHandle;
use tokio_postgres::{AsyncMessage, Client};

use super::PostgresOptions;
use super::trouble::Trouble;
use super::url::Target;
use crate::{Hint, StoreError};

/// How many hints somebody may be late before they are told of a gap instead.
const BACKLOG: usize = 4096;
/// How often the connection is asked whether it is alive; it is dead when it was silent twice.
const PULSE: Duration = Duration::from_secs(5);
/// The wait before the first try to connect again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// No two servers have this in common, nor one server before and after it was brought back.
const STARTED_AT: &str = "SELECT extract(epoch FROM pg_postmaster_start_time())::text";

/// What keeps listening until it is dropped or told to stop. The sender is the listener's alone, so
/// whoever waits for hints hears of its end.
pub(super) struct Hints {
    /// Never read: new ones are made of it.
    template: broadcast::Receiver<Hint>,
    listener: AbortHandle,
}

impl Hints {
    /// Begins to listen; hints of what is committed from now on arrive.
    pub(super) async fn open(
        mut target: Target,
        options: &PostgresOptions,
    ) -> Result<Self, StoreError> {
        // So that who looks at the server's sessions sees why one of them does nothing.
        target.config.application_name("luminous-hints");
        let (sender, template) = broadcast::channel(BACKLOG);
        let (ready, is_ready) = oneshot::channel();
        let listener = Listener { target, wait: options.connection_wait, hints: sender };
        let listener = tokio::spawn(listener.run(ready)).abort_handle();
        // From here on it ends with this value.
        let hints = Self { template, listener };
        is_ready.await.map_err(|_| StoreError::Unavailable("nobody listens".to_owned()))??;
        Ok(hints)
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Hint> {
        self.template.resubscribe()
    }

    /// Ends it; whoever still waits for hints is told.
    pub(super) fn stop(&self) {
        self.listener.abort();
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Listener {
    target: Target,
    wait: Duration,
    hints: broadcast::Sender<Hint>,
}

impl Listener {
    async fn run(self, ready: oneshot::Sender<Result<(), StoreError>>) {
        let mut ready = Some(ready);
        let mut pause = FIRST_PAUSE;
        let mut server = String::new();
        loop {
            let mut heard = |now: String| {
                pause = FIRST_PAUSE;
                let is_same = server == now;
                server = now;
                match ready.take() {
                    Some(first) => drop(first.send(Ok(()))),
                    // Nobody may be there to hear it.
                    None if is_same => drop(self.hints.send(Hint::Gap)),
                    None => drop(self.hints.send(Hint::Rewound)),
                }
            };
            let trouble = self.listen(&mut heard).await;
            if let Some(first) = ready.take() {
                // Not even once: whoever opens the store is told why.
                drop(first.send(Err(trouble.into())));
                return;
            }
            tracing::warn!(error = %StoreError::from(trouble), "hints are lost until reconnected");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One connection, until it ends. `heard` is called when nothing is missed from then on, with when the
    /// server was started.
    async fn listen(&self, heard: &mut (dyn FnMut(String) + Send)) -> Trouble {
        let connecting = self.target.config.connect(self.target.tls.clone());
        let (client, mut connection) = match tokio::time::timeout(self.wait, connecting).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return error.into(),
            Err(_) => return silence(),
        };
        let hearing = async {
            loop {
                match std::future::poll_fn(|cx| connection.poll_message(cx)).await {
                    Some(Ok(AsyncMessage::Notification(said))) => {
                        if let Some(hint) = parse(said.payload()) {
                            drop(self.hints.send(hint));
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return error.into(),
                    None => return silence(),
                }
            }
        };
        tokio::select! {
            trouble = hearing => trouble,
            trouble = self.watch(&client, heard) => trouble,
        }
    }

    /// Asks the connection for a sign of life, again and again.
    async fn watch(&self, client: &Client, heard: &mut (dyn FnMut(String) + Send)) -> Trouble {
        match self.begin(client).await {
            Ok(server) => heard(server),
            Err(trouble) => return trouble,
        }
        let mut was_silent = false;
        loop {
            tokio::time::sleep(PULSE).await;
            let is_silent = match self.answers(client, "SELECT").await {
                Ok(answers) => !answers,
                Err(trouble) => return trouble,
            };
            if is_silent && was_silent {
                return silence();
            }
            was_silent = is_silent;
        }
    }

    /// Listens from now on. Answers when the server was started.
    async fn begin(&self, client: &Client) -> Result<String, Trouble> {
        if !self.answers(client, "LISTEN luminous").await? {
            return Err(silence());
        }
        let asked = tokio::time::timeout(self.wait, client.query_one(STARTED_AT, &[]));
        Ok(asked.await.map_err(|_| silence())??.try_get(0)?)
    }

    /// Whether the server answers in time; what it answers may be trouble.
    async fn answers(&self, client: &Client, sql: &str) -> Result<bool, Trouble> {
        match tokio::time::timeout(self.wait, client.batch_execute(sql)).await {
            Ok(answer) => Ok(answer.map(|()| true)?),
            Err(_) => Ok(false),
        }
    }
}

fn silence() -> Trouble {
    StoreError::Unavailable("the connection for hints is silent".to_owned()).into()
}

/// What was said; `None` for what this program does not know, which a newer one may say.
fn parse(payload: &str) -> Option<Hint> {
    let (kind, rest) = payload.split_once(':')?;
    match kind {
        "family" => {
            let (family, seq) = rest.split_once(':')?;
            let family: FamilyId = family.parse().ok()?;
            Some(Hint::Family { family, seq: seq.parse().ok()? })
        }
        "link" => rest.parse::<LinkId>().ok().map(|link| Hint::Link { link }),
        "account" => rest.parse::<AccountId>().ok().map(|account| Hint::Account { account }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    #[test]
    fn what_was_said_is_read_back() {
        let family = ID.parse().unwrap();
        let said = [
            (format!("family:{ID}:7"), Hint::Family { family, seq: 7 }),
            (format!("link:{ID}"), Hint::Link { link: ID.parse().unwrap() }),
            (format!("account:{ID}"), Hint::Account { account: ID.parse().unwrap() }),
        ];
        for (payload, hint) in said {
            assert_eq!(parse(&payload), Some(hint), "{payload}");
        }
    }

    #[test]
    fn what_is_not_known_is_left_alone() {
        for payload in ["", "family", "family:", "link:7", "weather:rain", "family:x:1"] {
            assert_eq!(parse(payload), None, "{payload}");
        }
        assert_eq!(parse(&format!("family:{ID}:-1")), None);
    }
}
