//! The control: everything a test may do to the provider behind the client's back.

mod command;

use std::sync::Arc;

use serde_json::Value;

use crate::accounts::{self, AccountError};
use crate::address::Endpoint;
use crate::config::{ClientKind, Tenant};
use crate::engine::{Core, Event, RequestLine, lock};
use crate::jwt::TokenSpec;
use crate::keys::{KeyError, KeyState, SigningKey};
use crate::lies::{
    Fault, KeysLie, MetadataLie, RedirectLie, ResponseLie, Times, TokenLie, Unreachable,
};
use crate::mailbox::Mail;
use crate::realm::Realm;
use crate::scope::Resource;
use crate::second_factor;
use crate::store::{StoreError, User};
use crate::tokens::{self, Occasion, no_claims};

pub use command::Command;

/// A command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An account could not be made.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Nobody of that name.
    #[error("there is no such account")]
    NoSuchUser,
    /// A one-time code could not be made.
    #[error("a one-time code could not be made")]
    SecondFactor,
}

/// Everything a test may do behind the client's back. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    core: Arc<Core>,
}

impl Control {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Puts a lie into the tokens of coming token responses.
    pub fn lie(&self, lie: TokenLie, times: Times) {
        lock(&self.core.lies).token.add(lie, times);
    }

    /// Changes the members of coming token responses.
    pub fn respond(&self, lie: ResponseLie, times: Times) {
        lock(&self.core.lies).response.add(lie, times);
    }

    /// Changes coming redirects to the app.
    pub fn redirect(&self, lie: RedirectLie, times: Times) {
        lock(&self.core.lies).redirect.add(lie, times);
    }

    /// Changes coming metadata documents.
    pub fn metadata(&self, lie: MetadataLie, times: Times) {
        lock(&self.core.lies).metadata.add(lie, times);
    }

    /// Changes coming key sets.
    pub fn keys(&self, lie: KeysLie, times: Times) {
        lock(&self.core.lies).keys.add(lie, times);
    }

    /// Lets an endpoint fail. Faults of one endpoint take turns in the order they were given.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault, times: Times) {
        lock(&self.core.lies).add_fault(endpoint, fault, times);
    }

    /// Lets the requests go on that [`Fault::Hang`] holds.
    pub fn release(&self) {
        self.core.released.send_modify(|generation| *generation += 1);
    }

    /// Returns to the truth, and releases what is held.
    pub fn clear(&self) {
        *lock(&self.core.lies) = crate::lies::Lies::default();
        self.release();
    }

    /// Publishes a new key that does not sign yet. Takes a good part of a second.
    ///
    /// # Errors
    /// When the key cannot be made or stored.
    pub fn publish_next_key(&self) -> Result<(), ControlError> {
        let key = SigningKey::generate(self.core.now(), KeyState::Next)?;
        Ok(self.core.change_keys(|ring| ring.publish(key))?)
    }

    /// Lets the published key sign; the one that signed stays published. Without a published key
    /// nothing changes.
    ///
    /// # Errors
    /// When the ring cannot be stored.
    pub fn promote_next_key(&self) -> Result<(), ControlError> {
        self.core.change_keys(|ring| {
            ring.promote();
        })?;
        Ok(())
    }

    /// Stops publishing the keys that no longer sign.
    ///
    /// # Errors
    /// When the ring cannot be stored.
    pub fn retire_old_keys(&self) -> Result<(), ControlError> {
        Ok(self.core.change_keys(crate::keys::KeyRing::retire)?)
    }

    /// The key that signs now.
    #[must_use]
    pub fn current_kid(&self) -> String {
        self.core.keys().current().kid.clone()
    }

    /// The published keys, as the keys endpoint answers them.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.core.keys().jwks()
    }

    /// Makes an account in the main tenant. The password rules of the page do not apply here.
    ///
    /// # Errors
    /// When the address is taken or none, or when hashing or the store fails.
    pub fn create_user(
        &self,
        email: &str,
        name: &str,
        password: &str,
    ) -> Result<User, ControlError> {
        self.create_user_in(&self.core.config.tenant, email, name, password)
    }

    /// Makes an account in any tenant.
    ///
    /// # Errors
    /// As [`Control::create_user`].
    pub fn create_user_in(
        &self,
        tenant: &Tenant,
        email: &str,
        name: &str,
        password: &str,
    ) -> Result<User, ControlError> {
        Ok(accounts::create(&self.core.store, &tenant.id, email, name, password)?)
    }

    /// The account of an address of the main tenant.
    ///
    /// # Errors
    /// When the store fails.
    pub fn user(&self, email: &str) -> Result<Option<User>, ControlError> {
        let email = accounts::normalise_email(email).unwrap_or_default();
        let found = self.core.store.account(&self.core.config.tenant.id, &email)?;
        Ok(found.map(|account| account.user))
    }

    fn known(&self, email: &str) -> Result<User, ControlError> {
        self.user(email)?.ok_or(ControlError::NoSuchUser)
    }

    /// Deletes an account. Its refresh tokens answer AADB2C90128 from now on.
    ///
    /// # Errors
    /// [`ControlError::NoSuchUser`], or when the store fails.
    pub fn delete_user(&self, email: &str) -> Result<(), ControlError> {
        let user = self.known(email)?;
        self.core.store.delete_user(&user.oid)?;
        Ok(())
    }

    /// Revokes every refresh token of a person; answers how many sign-ins that ended. They answer
    /// AADB2C90129 from now on.
    ///
    /// # Errors
    /// [`ControlError::NoSuchUser`], or when the store fails.
    pub fn revoke_refresh_tokens(&self, email: &str) -> Result<usize, ControlError> {
        Ok(self.core.store.revoke_user(&self.known(email)?.oid)?)
    }

    /// How many sign-ins of a person still have a working refresh token family.
    ///
    /// # Errors
    /// [`ControlError::NoSuchUser`], or when the store fails.
    pub fn live_families(&self, email: &str) -> Result<u32, ControlError> {
        Ok(self.core.store.live_families(&self.known(email)?.oid)?)
    }

    /// The messages that would have been mailed, oldest first.
    #[must_use]
    pub fn mailbox(&self) -> Vec<Mail> {
        lock(&self.core.mailbox).all()
    }

    /// Enrols a second factor for a person of the main tenant, as if they had scanned the QR code;
    /// what was enrolled before is gone.
    ///
    /// # Errors
    /// [`ControlError::NoSuchUser`], or when the store fails.
    pub fn enrol_second_factor(&self, email: &str) -> Result<(), ControlError> {
        let oid = self.known(email)?.oid;
        self.core.store.forget_second_factor(&oid)?;
        self.core.store.enrol(&oid, &second_factor::new_secret(), 0)?;
        Ok(())
    }

    /// Takes the second factor of a person away: they lost their phone. Says whether there was one.
    ///
    /// # Errors
    /// [`ControlError::NoSuchUser`], or when the store fails.
    pub fn forget_second_factor(&self, email: &str) -> Result<bool, ControlError> {
        Ok(self.core.store.forget_second_factor(&self.known(email)?.oid)?)
    }

    /// The code that a person's authenticator app shows now; `None` where none is enrolled.
    ///
    /// # Errors
    /// [`ControlError::NoSuchUser`], or when the store or the generator fails.
    pub fn second_factor_code(&self, email: &str) -> Result<Option<String>, ControlError> {
        let Some(known) = self.core.store.second_factor(&self.known(email)?.oid)? else {
            return Ok(None);
        };
        let code = second_factor::current_code(&known.secret, self.core.now());
        code.map(Some).map_err(|_| ControlError::SecondFactor)
    }

    /// Lets coming calls to the connector, or to the token issuance extension, find nobody there.
    pub fn connector_down(&self, times: Times) {
        lock(&self.core.lies).connector.add(Unreachable, times);
    }

    /// Signs all browsers out.
    ///
    /// # Errors
    /// When the store fails.
    pub fn clear_sessions(&self) -> Result<(), ControlError> {
        Ok(self.core.store.close_all_sessions()?)
    }

    /// How many requests an endpoint has seen since the start, faulty ones included.
    #[must_use]
    pub fn requests(&self, endpoint: Endpoint) -> u64 {
        self.core.requests(endpoint)
    }

    /// Waits until an endpoint has seen `count` requests since the start. A request that hangs
    /// counts when it is held.
    pub async fn wait_for_requests(&self, endpoint: Endpoint, count: u64) {
        self.core.wait_for_requests(endpoint, count).await;
    }

    /// What was asked, without anything secret.
    #[must_use]
    pub fn request_log(&self) -> Vec<RequestLine> {
        self.core.request_log()
    }

    /// How often something happened since the start.
    #[must_use]
    pub fn count(&self, event: Event) -> u64 {
        self.core.count(event)
    }

    /// The claims of an ID token of the main tenant's first policy, to be changed and minted.
    #[must_use]
    pub fn id_token_spec(&self, user: &User, client_id: &str, nonce: Option<&str>) -> TokenSpec {
        let occasion = self.occasion(user, client_id, nonce);
        TokenSpec::new(tokens::id_token(&self.realm(), &self.core.config, &occasion, None))
    }

    /// The claims of an access token of the main tenant's first policy for the first registered
    /// API, with all its scopes.
    #[must_use]
    pub fn access_token_spec(&self, user: &User, client_id: &str) -> TokenSpec {
        let resource = self.first_api(client_id);
        let occasion = self.occasion(user, client_id, None);
        let claims = tokens::access_token(&self.realm(), &self.core.config, &occasion, &resource);
        TokenSpec::new(claims)
    }

    /// The claims of an ID token of any policy of the main tenant.
    #[must_use]
    pub fn id_token_spec_at(
        &self,
        policy: &str,
        user: &User,
        client_id: &str,
        nonce: Option<&str>,
    ) -> TokenSpec {
        let realm = Realm::of_policy(policy, &self.core.config, &self.core.base);
        let occasion = self.occasion(user, client_id, nonce);
        TokenSpec::new(tokens::id_token(&realm, &self.core.config, &occasion, None))
    }

    /// The claims of an access token of any policy of the main tenant, for the first registered
    /// API, with all its scopes.
    #[must_use]
    pub fn access_token_spec_at(&self, policy: &str, user: &User, client_id: &str) -> TokenSpec {
        let realm = Realm::of_policy(policy, &self.core.config, &self.core.base);
        let occasion = self.occasion(user, client_id, None);
        let resource = self.first_api(client_id);
        TokenSpec::new(tokens::access_token(&realm, &self.core.config, &occasion, &resource))
    }

    /// The claims of a token that no person stands behind: the client credentials grant of the
    /// main tenant's first policy. `app_roles` stand in `scp`, as at B2C.
    #[must_use]
    pub fn daemon_token_spec(&self, client_id: &str, app_roles: &[&str]) -> TokenSpec {
        let audience = self.first_api(client_id).audience;
        let names = app_roles.iter().map(|role| (*role).to_owned()).collect();
        let resource = Resource { audience, names };
        let now = self.core.now();
        let claims =
            tokens::daemon_token(&self.realm(), &self.core.config, client_id, &resource, now);
        TokenSpec::new(claims)
    }

    /// The first registered API with all its scopes.
    fn first_api(&self, client_id: &str) -> Resource {
        let apis = self.core.config.clients.iter();
        let found = apis.filter_map(|client| match &client.kind {
            ClientKind::Api { scopes, .. } => {
                Some(Resource { audience: client.id.clone(), names: scopes.clone() })
            }
            _ => None,
        });
        let itself = || Resource { audience: client_id.to_owned(), names: Vec::new() };
        found.into_iter().next().unwrap_or_else(itself)
    }

    /// Signs a token as it is specified.
    ///
    /// # Errors
    /// When signing fails.
    pub fn mint(&self, spec: &TokenSpec) -> Result<String, KeyError> {
        self.core.sign(spec)
    }

    fn occasion<'a>(
        &self,
        user: &'a User,
        client_id: &'a str,
        nonce: Option<&'a str>,
    ) -> Occasion<'a> {
        let now = self.core.now();
        Occasion {
            user,
            client_id,
            nonce,
            auth_time: now,
            amr: &[],
            acr: None,
            extensions: no_claims(),
            new_user: false,
            now,
        }
    }

    fn realm(&self) -> Realm {
        Realm::main(&self.core.config, &self.core.base)
    }
}
