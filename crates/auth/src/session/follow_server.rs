//! Keeping up with the family server: the one that the configuration names is asked until it
//! answers, and one that is known is asked once at each start what it says of itself now.

use luminous_domain::pacing::Backoff;
use luminous_oidc::ExpectedIssuer;
use luminous_wire::{AppError, ErrorCode};
use url::Url;

use super::Session;
use super::connect::Found;
use super::state::{Connected, Due};
use crate::family::discovery;
use crate::state_file::SavedProvider;

impl Session {
    /// Asks in the background; nobody waits for it, and what goes wrong is in the snapshot.
    pub(super) fn follow_server(&self) {
        let session = self.clone();
        if self.state().connecting {
            self.spawn(async move { session.connect_as_configured().await });
        } else if self.inner.restored {
            self.spawn(async move {
                if let Err(error) = session.look_again().await {
                    tracing::info!(code = %error.code, "the family server said nothing new");
                }
            });
        }
    }

    /// Asks the server that the configuration names until it answers. Only an address that cannot
    /// be one ends it: at home the server may be switched on after the computer, and what answers
    /// in a hotel is not the server.
    async fn connect_as_configured(&self) {
        let Some(typed) = &self.inner.tuning.server else { return };
        let address = match discovery::address(typed, self.inner.tuning.transport) {
            Ok(address) => address,
            Err(error) => return self.not_connected(error),
        };
        let mut failures = 0;
        while self.state().provider.is_none() {
            let error = match self.find(address.clone()).await {
                Ok(found) => return self.settle_at(found),
                Err(error) => error,
            };
            self.not_connected(error);
            failures += 1;
            tokio::time::sleep(self.pause(failures)).await;
        }
    }

    /// A random wait that grows with the failures.
    pub(super) fn pause(&self, failures: u32) -> std::time::Duration {
        let mut random = [0_u8; 4];
        // Without randomness the wait is the longest: nobody waits for it.
        if self.inner.ports.entropy.fill(&mut random).is_err() {
            random = [u8::MAX; 4];
        }
        Backoff::REFRESH.wait(failures, u32::from_le_bytes(random))
    }

    /// While the server may only be away, nobody is asked for another.
    fn not_connected(&self, error: AppError) {
        let away = matches!(
            error.code,
            ErrorCode::ServerUnreachable
                | ErrorCode::ServerBusy
                | ErrorCode::NetUnreachable
                | ErrorCode::NetCaptive
                | ErrorCode::ProviderBusy
        );
        self.update(|state| {
            if state.provider.is_none() {
                state.connecting = away;
                state.problem = Some(error);
            }
        });
    }

    /// Whoever is signed in stays so: a sign-in of another provider is never sent to this one, and
    /// the next refresh says that it has to be signed out.
    fn settle_at(&self, found: Found) {
        let (elapsed, wall) = self.clocks();
        let taken = self.update(|state| {
            if state.provider.is_some() {
                return false;
            }
            state.arrive_at(found.connected);
            if let Some(signed_in) = state.signed_in().filter(|one| one.grant.is_some()) {
                signed_in.due = Some(Due { elapsed, wall });
                (signed_in.failures, signed_in.last_failure) = (0, None);
            }
            true
        });
        if taken {
            self.note_file(self.inner.file.save_provider(&found.saved));
        }
    }

    /// Takes over what a known server says of itself now: other policies, other shortcuts. Whom to
    /// sign in with, and where the tokens go, never changes by itself.
    async fn look_again(&self) -> Result<(), AppError> {
        let Ok(Some(before)) = self.inner.file.provider() else { return Ok(()) };
        let Some(server) = &before.server else { return Ok(()) };
        let address = discovery::address(&server.address, self.inner.tuning.transport)?;
        let said = discovery::ask(&*self.inner.ports.http, &address).await?;
        if said == server.discovery {
            return Ok(());
        }
        let found = self.find_provider(address, said).await?;
        if !is_the_same(&before, &found.saved) {
            tracing::warn!("the family server names another provider or another home of its own");
            return Ok(());
        }
        self.adopt(found);
        Ok(())
    }

    fn adopt(&self, found: Found) {
        let Found { connected: Connected { mut service, .. }, saved } = found;
        service.provider.expected_issuer = ExpectedIssuer::Exact(saved.issuer.clone());
        let connected = super::connected(&self.inner.ports, service);
        let current = self.update(|state| {
            let Some(known) = &mut state.provider else { return false };
            if known.provider.config() == connected.provider.config() {
                // What it knows of the provider's keys stays good.
                known.service = connected.service;
            } else {
                *known = connected;
            }
            true
        });
        if current {
            self.note_file(self.inner.file.save_provider(&saved));
        }
    }
}

fn is_the_same(before: &SavedProvider, now: &SavedProvider) -> bool {
    let home = |saved: &SavedProvider| {
        let server = saved.server.as_ref()?;
        Some(Url::parse(&server.discovery.api).ok()?.origin())
    };
    before.issuer == now.issuer
        && before.client_id == now.client_id
        && home(before).is_some_and(|home_before| Some(home_before) == home(now))
}
