//! Signing out: here always and at once, at the provider when asked for.

use std::sync::Arc;

use luminous_wire::{AppError, ErrorCode, SignOutScope, SignedOutCause};
use url::Url;

use super::Session;
use super::state::{Activity, Who};
use crate::error::of_discovery;

impl Session {
    /// Signs out. The local part needs no network and cannot fail: from this call on no token is
    /// given out, and none that is still on its way is taken (F14). What the keyring cannot erase
    /// now is erased as soon as it can.
    ///
    /// # Errors
    /// With [`SignOutScope::AndProvider`], why the provider's sign-out page could not be opened;
    /// the person is signed out here all the same.
    pub async fn sign_out(&self, scope: SignOutScope) -> Result<(), AppError> {
        let account = self.update(|state| {
            let account = state.who.account().map(|account| account.view.id.clone());
            state.leave(SignedOutCause::SignedOut);
            state.pending.cancel_all();
            state.activity = Activity::Idle;
            state.problem = None;
            account
        });
        if let Some(account) = account {
            self.note_file(self.inner.file.end(&account, SignedOutCause::SignedOut));
        }
        {
            let _gate = self.gate().await;
            self.erase_leftovers().await;
        }
        self.save_pending().await;
        match scope {
            SignOutScope::Here => Ok(()),
            SignOutScope::AndProvider => self.sign_out_at_provider().await,
        }
    }

    /// Opens the provider's sign-out page (OpenID Connect RP-Initiated Logout 1.0).
    ///
    /// Without `id_token_hint`: the URL goes through the command line of whatever opens the
    /// browser, and a token there is readable by every program of this user. `client_id` serves the
    /// same purpose. Without `post_logout_redirect_uri` too: B2C takes no custom scheme there
    /// (AADB2C90067), and its own page says what the person needs to know.
    async fn sign_out_at_provider(&self) -> Result<(), AppError> {
        let provider = self.provider()?;
        let metadata = provider.metadata().await.map_err(|error| of_discovery(&error))?;
        let Some(mut page) = metadata.end_session_endpoint.clone() else {
            let message = "the provider has no sign-out page";
            return Err(AppError::new(ErrorCode::DiscoveryFailed, message));
        };
        page.query_pairs_mut().append_pair("client_id", &provider.config().client_id);
        self.open_page(page).await
    }

    async fn open_page(&self, page: Url) -> Result<(), AppError> {
        let browser = Arc::clone(&self.inner.ports.browser);
        let opened = tokio::task::spawn_blocking(move || browser.open(&page)).await;
        let failure = match opened {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the browser's port panicked".to_owned(),
        };
        let error = AppError::new(ErrorCode::RedirectNoBrowser, failure);
        self.update(|state| {
            if matches!(state.who, Who::Nobody { .. }) {
                state.problem = Some(error.clone());
            }
        });
        Err(error)
    }
}
