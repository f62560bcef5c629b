//! The first connection: from one address to everything the app must know.

use luminous_oidc::{ConfigError, ExpectedIssuer, ProviderConfig};
use luminous_wire::api::Discovery;
use luminous_wire::{AppError, ConnectRequest, ErrorCode};
use url::Url;

use super::state::{Activity, Connected, State};
use super::{Session, Tuning, connected};
use crate::error::{internal, of_discovery};
use crate::family::discovery;
use crate::service::Service;
use crate::state_file::{SavedProvider, SavedServer, StateFile};

/// A provider that was found behind a family server, and what to remember of both.
pub(super) struct Found {
    pub connected: Connected,
    pub saved: SavedProvider,
}

impl Session {
    /// The first connection: asks the family server at the address whom to sign in with, makes sure
    /// that this provider is there, and remembers both.
    ///
    /// # Errors
    /// [`ErrorCode::ConfigInvalid`] for an address that cannot be used or while somebody is signed
    /// in; `server.*` when there is no family server, or none that answers; else why the provider
    /// cannot be reached or believed.
    pub async fn connect(&self, request: ConnectRequest) -> Result<(), AppError> {
        self.nobody_is_signed_in()?;
        let epoch = self.state().epoch;
        let address = discovery::address(&request.address, self.inner.tuning.transport)?;
        let found = self.find(address).await?;
        self.update(|state| {
            // Somebody may have signed in while the servers were asked.
            if state.epoch != epoch || state.who.account().is_some() {
                return Err(signed_in_already());
            }
            state.arrive_at(found.connected);
            Ok(())
        })?;
        self.inner.file.save_provider(&found.saved).map_err(internal)
    }

    /// Forgets the family server, so that another one can be named.
    ///
    /// # Errors
    /// [`ErrorCode::ConfigInvalid`] while somebody is signed in, or where the configuration names
    /// the server; [`ErrorCode::Internal`] when the state file cannot be written.
    pub async fn disconnect(&self) -> Result<(), AppError> {
        self.update(|state| {
            if !state.changeable {
                let message = "the configuration names whom to sign in with";
                return Err(AppError::new(ErrorCode::ConfigInvalid, message));
            }
            if state.who.account().is_some() {
                return Err(signed_in_already());
            }
            // An answer that is on its way belongs to the provider that is left.
            state.epoch += 1;
            state.pending.cancel_all();
            state.activity = Activity::Idle;
            state.provider = None;
            state.problem = None;
            Ok(())
        })?;
        self.inner.file.forget_provider().map_err(internal)?;
        self.save_pending().await;
        Ok(())
    }

    fn nobody_is_signed_in(&self) -> Result<(), AppError> {
        match self.state().who.account() {
            Some(_) => Err(signed_in_already()),
            None => Ok(()),
        }
    }

    pub(super) async fn find(&self, address: Url) -> Result<Found, AppError> {
        let said = discovery::ask(&*self.inner.ports.http, &address).await?;
        self.find_provider(address, said).await
    }

    /// Makes sure that the provider which the server at `address` names is there.
    pub(super) async fn find_provider(
        &self,
        address: Url,
        said: Discovery,
    ) -> Result<Found, AppError> {
        let service = Service::from_discovery(&said, self.inner.tuning.transport)
            .map_err(|error| unusable(&error))?;
        let connected = connected(&self.inner.ports, service);
        let metadata = connected.provider.metadata().await.map_err(|error| of_discovery(&error))?;
        let saved = SavedProvider {
            address: said.provider.address.clone(),
            client_id: said.provider.client_id.clone(),
            issuer: metadata.issuer.clone(),
            server: Some(SavedServer { address: address.into(), discovery: said }),
        };
        Ok(Found { connected, saved })
    }
}

impl State {
    /// The provider is known from now on.
    pub(super) fn arrive_at(&mut self, connected: Connected) {
        self.provider = Some(connected);
        self.connecting = false;
        self.problem = None;
    }
}

fn signed_in_already() -> AppError {
    AppError::new(ErrorCode::ConfigInvalid, "sign out before connecting elsewhere")
}

/// What the state file remembers of the first connection; another server than the configured one
/// does not count.
pub(super) fn saved_service(file: &StateFile, tuning: &Tuning) -> Option<Service> {
    let saved = file
        .provider()
        .inspect_err(|error| tracing::warn!(%error, "the saved provider cannot be read"))
        .ok()??;
    if let Some(configured) = &tuning.server {
        let configured = discovery::address(configured, tuning.transport).ok()?;
        if saved.server.as_ref().is_none_or(|server| server.address != configured.as_str()) {
            return None;
        }
    }
    restored(&saved, tuning)
        .inspect_err(|error| tracing::warn!(%error, "the saved provider cannot be used"))
        .ok()
}

fn restored(saved: &SavedProvider, tuning: &Tuning) -> Result<Service, ConfigError> {
    let transport = tuning.transport;
    let mut service = match &saved.server {
        Some(server) => Service::from_discovery(&server.discovery, transport)?,
        None => ProviderConfig::from_address(&saved.address, &saved.client_id, transport)?.into(),
    };
    service.provider.expected_issuer = ExpectedIssuer::Exact(saved.issuer.clone());
    Ok(service)
}

/// A description that cannot be used is no description of a family server.
fn unusable(error: &ConfigError) -> AppError {
    let message = format!("the family server's description cannot be used: {error}");
    AppError::new(ErrorCode::ServerNotLuminous, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_of_before_there_were_family_servers_is_still_known() {
        let file = StateFile::in_memory().unwrap();
        let saved = SavedProvider {
            address: "https://id.example.test".to_owned(),
            client_id: "client".to_owned(),
            issuer: "https://id.example.test".to_owned(),
            server: None,
        };
        file.save_provider(&saved).unwrap();
        let service = saved_service(&file, &Tuning::default()).unwrap();
        assert_eq!(service.api, None);
        assert_eq!(service.provider.expected_issuer, ExpectedIssuer::Exact(saved.issuer));

        let elsewhere = Tuning { server: Some("family.example.test".into()), ..Tuning::default() };
        assert_eq!(saved_service(&file, &elsewhere), None, "the configuration names another");
    }
}
