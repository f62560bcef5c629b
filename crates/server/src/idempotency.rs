//! `Idempotency-Key`: a request that creates something can be repeated after a lost answer.
//!
//! The id of what is created follows from the account, the key and the request itself, so the same
//! request finds what its first try made, and no other does: another body under the same key is
//! another request. The store gives an id once, so what is gone (used, withdrawn, removed, over)
//! does not come back by repeating: that is 409 `request.repeated`.
//! (draft-ietf-httpapi-idempotency-key-header asks to replay the first answer; here what is there is
//! answered as it is now.)

use aws_lc_rs::digest::{Context, SHA256};
use axum::extract::FromRequestParts;
use http::request::Parts;
use luminous_domain::{AccountId, FamilyId, MemberId, NoEntropy};
use luminous_store::{Failure, Refusal, StoreError};
use serde::Serialize;
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
    /// The request of `account` that makes a thing of this `kind` in `place` (a family, or nothing
    /// yet) out of `body`.
    ///
    /// # Errors
    /// [`ApiError::Internal`] for a body that is no JSON, which none of ours is.
    pub fn request<'s>(
        self,
        state: &'s AppState,
        account: AccountId,
        (kind, place): (&str, Option<FamilyId>),
        body: &impl Serialize,
    ) -> Result<Repeatable<'s>, ApiError> {
        let Some(key) = self.0 else { return Ok(Repeatable { state, digest: None }) };
        let body = serde_json::to_vec(body).map_err(|e| ApiError::Internal(e.to_string()))?;
        let mut hash = Context::new(&SHA256);
        // Nobody can aim at another account's ids, for the account is hashed with the key. All but
        // the last two are of one length, and a kind holds no zero.
        hash.update(account.as_uuid().as_bytes());
        hash.update(key.as_bytes());
        hash.update(place.map(FamilyId::as_uuid).unwrap_or_default().as_bytes());
        hash.update(kind.as_bytes());
        hash.update(&[0]);
        hash.update(&body);
        let mut digest = [0; 32];
        digest.copy_from_slice(hash.finish().as_ref());
        Ok(Repeatable { state, digest: Some(digest) })
    }
}

/// A request that may come again.
pub struct Repeatable<'s> {
    state: &'s AppState,
    digest: Option<[u8; 32]>,
}

impl Repeatable<'_> {
    /// What is the same for the same request; `None` without a key.
    #[must_use]
    pub fn digest(&self) -> Option<&[u8; 32]> {
        self.digest.as_ref()
    }

    /// The id of what the request makes; a new one where it has no key.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn id(&self) -> Result<Uuid, NoEntropy> {
        match &self.digest {
            Some(digest) => {
                let mut id = [0; 16];
                id.copy_from_slice(&digest[..16]);
                // Version 8 (RFC 9562 section 5.8): made by a rule of our own.
                Ok(uuid::Builder::from_custom_bytes(id).into_uuid())
            }
            None => Ok(MemberId::new(self.state.clock().now(), self.state.entropy())?.as_uuid()),
        }
    }

    /// Makes something once: what is already there under its id is the answer.
    ///
    /// # Errors
    /// Those of `find` and `make`.
    pub async fn once<T, F: Future<Output = Result<Option<T>, StoreError>>>(
        &self,
        find: impl Fn() -> F,
        make: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match make.await {
            // It was made before, maybe a moment ago by the same request sent twice.
            Err(Failure::Refused(Refusal::Repeated)) => {
                find().await?.ok_or(Failure::Refused(Refusal::Repeated))
            }
            made => made,
        }
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
