//! The family server, as the app asks it.
//!
//! A [`Call`] is a request as a value; [`send`] carries it, with a token, over the product's own
//! bounded HTTP client; [`Outcome`] is what the answer means. [`discovery`] reads what a server
//! says of itself before there is a token. Who carries which token when is the session's affair.
//!
//! Every act fails with one of the server's own codes (`authz.*`, `family.*`, `invite.*`,
//! `input.invalid`, `resource.not_found`), with `session.step_up_required` when the person did not
//! prove a second factor, with `server.*` or `net.captive` when no verdict came, or with what keeps
//! the sign-in from giving a token. Only `token.revoked`, in the server's own words, ends a sign-in:
//! a page that something in between answers with is never a verdict (RFC 9457, RFC 6750).

pub(crate) mod answer;
mod call;
mod challenge;
pub mod discovery;
mod wishes;

pub(crate) use answer::{Outcome, read, read_me};
pub(crate) use call::{Call, send};
pub(crate) use challenge::Challenge;
pub(crate) use wishes::Wishes;
