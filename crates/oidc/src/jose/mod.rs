//! The JOSE layer: compact signed tokens (RFC 7515) and public keys (RFC 7517), strictly.
//!
//! Nothing in here decides by what a token says about itself: the algorithms come from the
//! configuration, the key from the provider's set by its exact `kid`. `cargo xtask vectors` judges
//! this layer with the Wycheproof vectors.

mod algorithm;
mod es256;
mod jwk;
mod jws;
mod key_set;
mod roca;

pub use algorithm::Algorithm;
pub(crate) use es256::thumbprint;
pub use es256::{SigningKey, SigningKeyError, Thumbprint};
pub use jwk::{DropReason, PublicKey};
pub(crate) use jws::MAX_TOKEN;
pub use jws::{Jws, Typ};
pub use key_set::{DroppedKey, KeySet, KeySetError};
