//! The first connection: from one address to everything the app must know.

use luminous_oidc::{ConfigError, ExpectedIssuer, ProviderConfig};

use luminous_wire::{AppError, ConnectRequest, ErrorCode};

use super::{Session, Tuning, connected};
use crate::error::{internal, of_discovery};
use crate::family::discovery;
use crate::service::Service;
use crate::state_file::{SavedProvider, SavedServer, StateFile};

impl Session {
    /// The first connection: asks the family server at the address whom to sign in with, makes sure
    /// that this provider is there, and remembers both.
    ///
    /// # Errors
    /// [`ErrorCode::ConfigInvalid`] for an address that cannot be used or while somebody is signed
    /// in; `server.*` when there is no family server, or none that answers; else why the provider
    /// cannot be reached or believed.
    pub async fn connect(&self, request: ConnectRequest) -> Result<(), AppError> {
        if self.state().who.account().is_some() {
            let message = "sign out before connecting elsewhere";
            return Err(AppError::new(ErrorCode::ConfigInvalid, message));
        }
        let transport = self.inner.tuning.transport;
        let address = discovery::address(&request.address, transport)?;
        let said = discovery::ask(&*self.inner.ports.http, &address).await?;
        let service =
            Service::from_discovery(&said, transport).map_err(|error| unusable(&error))?;
        let connected = connected(&self.inner.ports, service);
        let metadata = connected.provider.metadata().await.map_err(|error| of_discovery(&error))?;
        let saved = SavedProvider {
            address: said.provider.address.clone(),
            client_id: said.provider.client_id.clone(),
            issuer: metadata.issuer.clone(),
            server: Some(SavedServer { address: address.into(), discovery: said }),
        };
        self.inner.file.save_provider(&saved).map_err(internal)?;
        self.update(|state| {
            state.provider = Some(connected);
            state.problem = None;
        });
        Ok(())
    }

    /// The same for a server that the configuration names, where it is not known already. Nobody is
    /// asked; what goes wrong is in the snapshot.
    pub(super) fn connect_as_configured(&self) {
        let Some(address) = self.inner.tuning.server.clone() else { return };
        if self.state().provider.is_some() {
            return;
        }
        let session = self.clone();
        self.spawn(async move {
            let connected = session.connect(ConnectRequest { address }).await;
            session.update(|state| {
                state.connecting = false;
                if let Err(error) = connected {
                    state.problem = Some(error);
                }
            });
        });
    }
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
