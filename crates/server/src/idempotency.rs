//! `Idempotency-Key`: a request that creates something can be repeated after a lost answer.
//!
//! Nothing is remembered for it. The id of what is created follows from the account and the key, so
//! the repetition finds what the first try made. (draft-ietf-httpapi-idempotency-key-header asks to
//! replay the first answer; here it is answered as it is now.)

use aws_lc_rs::digest::{Context, SHA256};
use axum::extract::FromRequestParts;
use http::request::Parts;
use luminous_domain::{AccountId, MemberId, NoEntropy};
use luminous_store::{Failure, StoreError};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{ApiError, AppState};

/// The header's name.
const HEADER: &str = "idempotency-key";

/// What the client calls its request, if it calls it anything.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(names("idempotency-key"), parameter_in = Header)]
pub struct IdempotencyKey(
    /// A UUID of the client's; a repetition with the same one creates nothing more.
    #[param(value_type = Uuid, required = false)]
    Option<Uuid>,
);

impl IdempotencyKey {
    /// The id that `account` gives to a thing of this `kind` by this request; `None` without the
    /// header. Nobody can aim at another account's ids, for the account is hashed with the key.
    #[must_use]
    pub fn id(self, account: AccountId, kind: &str) -> Option<Uuid> {
        let mut id = [0; 16];
        id.copy_from_slice(&self.digest(account, kind)?[..16]);
        // Version 8 (RFC 9562 section 5.8): made by a rule of our own.
        Some(uuid::Builder::from_custom_bytes(id).into_uuid())
    }

    /// The same, or a new id where the request has no key.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn uuid(self, state: &AppState, account: AccountId, kind: &str) -> Result<Uuid, NoEntropy> {
        match self.id(account, kind) {
            Some(id) => Ok(id),
            None => Ok(MemberId::new(state.clock().now(), state.entropy())?.as_uuid()),
        }
    }

    /// Makes something once: with a key, what is already there under its id is the answer.
    ///
    /// # Errors
    /// Those of `find` and `make`.
    pub async fn once<T, F: Future<Output = Result<Option<T>, StoreError>>>(
        self,
        find: impl Fn() -> F,
        make: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        if self.0.is_none() {
            return make.await;
        }
        if let Some(there) = find().await? {
            return Ok(there);
        }
        match make.await {
            // The same request twice at once: the id is taken, by the other one.
            Err(Failure::Store(StoreError::Driver(cause))) => {
                find().await?.ok_or(Failure::Store(StoreError::Driver(cause)))
            }
            made => made,
        }
    }

    /// The bytes behind it.
    #[must_use]
    pub fn digest(self, account: AccountId, kind: &str) -> Option<[u8; 32]> {
        let mut hash = Context::new(&SHA256);
        hash.update(account.as_uuid().as_bytes());
        hash.update(self.0?.as_bytes());
        hash.update(kind.as_bytes());
        let mut digest = [0; 32];
        digest.copy_from_slice(hash.finish().as_ref());
        Some(digest)
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut given = parts.headers.get_all(HEADER).iter();
        let Some(first) = given.next() else { return Ok(Self(None)) };
        let key = first.to_str().ok().and_then(|text| Uuid::try_parse(text).ok());
        match (key, given.next()) {
            (Some(key), None) => Ok(Self(Some(key))),
            _ => Err(ApiError::Input("idempotency-key: one UUID".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> AccountId {
        text.parse().unwrap()
    }

    #[test]
    fn the_same_request_of_the_same_person_has_the_same_id_and_no_other_has() {
        let key = IdempotencyKey(Some(Uuid::from_u128(7)));
        let ana = account("0192f000-0000-7000-8000-000000000001");
        let ben = account("0192f000-0000-7000-8000-000000000002");
        let id = key.id(ana, "family").unwrap();
        assert_eq!(key.id(ana, "family"), Some(id));
        assert_ne!(key.id(ben, "family"), Some(id));
        assert_ne!(key.id(ana, "member"), Some(id));
        assert_ne!(IdempotencyKey(Some(Uuid::from_u128(8))).id(ana, "family"), Some(id));
        assert_eq!(IdempotencyKey(None).id(ana, "family"), None);
        assert_eq!(id.get_version_num(), 8);
    }
}
