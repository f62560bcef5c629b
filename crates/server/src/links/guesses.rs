//! How often wrong codes may be tried, counted for all replicas together (cases.md section 3).

use std::time::Duration;

use luminous_domain::GuessBudget;
use luminous_store::{Act, Actor, DeviceState, Network, StoreError};

use super::Linker;
use crate::{ApiError, networks};

const TEN_MINUTES: Duration = Duration::from_secs(600);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// Wrong codes of one person in ten minutes, and in a day.
const PERSON_MOST: u32 = 5;
const PERSON_DAY_MOST: u32 = 10;
/// Of one address in ten minutes.
const ADDRESS_MOST: u32 = 10;
/// Of one family in ten minutes.
const FAMILY_MOST: u32 = 10;
/// Of one trusted person in an hour.
const TRUSTED_MOST: u32 = 20;

/// The age from which an account may be trusted, in seconds.
const TRUSTED_AGE_S: i64 = 86_400;

/// A try that was counted, wherever tries count.
pub(super) struct Guess<'l> {
    linker: &'l Linker<'l>,
    counted: Vec<String>,
}

/// One counter.
struct Limit {
    bucket: String,
    window: Duration,
    most: u32,
}

impl Limit {
    fn new(bucket: String, window: Duration, most: u32) -> Self {
        Self { bucket, window, most }
    }
}

impl<'l> Guess<'l> {
    /// Counts a try. One that some counter refuses is not looked at, not even if it is right, or a
    /// lock-out would only tell a guesser which answers to ignore; so no counter keeps it.
    ///
    /// # Errors
    /// [`ApiError::DeviceRateLimited`]; [`ApiError::Store`] when it could not be counted: then
    /// nothing is said.
    pub(super) async fn count(linker: &'l Linker<'l>) -> Result<Self, ApiError> {
        let mut guess = Self { linker, counted: Vec::new() };
        let address = networks::bucket(linker.state, linker.address);
        let (account, family) = (linker.account.id, linker.place.family.id);
        for limit in [
            Limit::new(format!("link:account:{account}"), TEN_MINUTES, PERSON_MOST),
            Limit::new(format!("link:day:{account}"), DAY, PERSON_DAY_MOST),
            Limit::new(format!("link:address:{address}"), TEN_MINUTES, ADDRESS_MOST),
            Limit::new(format!("link:family:{family}"), TEN_MINUTES, FAMILY_MOST),
        ] {
            guess.count_in(limit).await?;
        }
        guess.count_in_budget().await?;
        Ok(guess)
    }

    /// It was no wrong code. Where this cannot be written down, it stays counted.
    pub(super) async fn take_back(self) {
        for bucket in &self.counted {
            if let Err(error) = self.linker.state.store().take_back_attempt(bucket).await {
                tracing::warn!(code = error.code(), "a right code stays counted as a try");
            }
        }
    }

    async fn count_in(&mut self, limit: Limit) -> Result<(), ApiError> {
        let store = self.linker.state.store();
        match store.count_attempt(&limit.bucket, limit.window, limit.most).await {
            Ok(true) => {
                self.counted.push(limit.bucket);
                Ok(())
            }
            Ok(false) => {
                self.take_back_all().await;
                Err(ApiError::DeviceRateLimited { retry_after_s: limit.window.as_secs() })
            }
            Err(error) => {
                self.take_back_all().await;
                Err(error.into())
            }
        }
    }

    /// The whole system's budget.
    async fn count_in_budget(&mut self) -> Result<(), ApiError> {
        let state = self.linker.state;
        let (trusted, open) = match self.standing().await {
            Ok(standing) => standing,
            Err(error) => {
                self.take_back_all().await;
                return Err(error.into());
            }
        };
        if trusted {
            let bucket = format!("link:trusted:{}", self.linker.account.id);
            self.count_in(Limit::new(bucket, HOUR, TRUSTED_MOST)).await?;
        }
        let half = if trusted { "trusted" } else { "untrusted" };
        let budget = GuessBudget::of(state.config().displays.guesses_per_hour, open);
        let limit = Limit::new(format!("link:guesses:{half}"), HOUR, budget.half(trusted));
        let counted = self.count_in(limit).await;
        if matches!(counted, Err(ApiError::DeviceRateLimited { .. })) {
            self.alert(half, open).await;
        }
        counted
    }

    /// Whether the person is trusted, and how many codes are on walls.
    async fn standing(&self) -> Result<(bool, u32), StoreError> {
        let (state, account) = (self.linker.state, self.linker.account);
        let age = state.clock().now().as_second() - account.created_at.as_second();
        // One that nobody's token was ever given to proves nothing.
        let trusted = age > TRUSTED_AGE_S && {
            let devices = state.store().devices(self.linker.place.family.id).await?;
            devices.iter().any(|device| device.state != DeviceState::Pending)
        };
        Ok((trusted, state.store().open_links().await?))
    }

    /// Somebody guesses in earnest. Told once an hour, counted always.
    async fn alert(&self, half: &str, open: u32) {
        let state = self.linker.state;
        state.meters().count("luminous_link_budget_spent_total", &[("half", half)]);
        let first = state.store().count_attempt(&format!("link:alert:{half}"), HOUR, 1).await;
        if !matches!(first, Ok(true)) {
            return;
        }
        tracing::warn!(half, codes_on_walls = open, "the budget of wrong display codes is spent");
        let act = Act { actor: Actor::System, network: Network::Loopback };
        let code = "device.rate_limited";
        let noted = state.store().record_refusal(None, &act, "device.guesses", Some(half), code);
        if let Err(error) = noted.await {
            tracing::error!(code = error.code(), %error, "an alert was not written down");
        }
    }

    async fn take_back_all(&mut self) {
        let counted = std::mem::take(&mut self.counted);
        Self { linker: self.linker, counted }.take_back().await;
    }
}
