//! What the emulator can be told to do wrong.
//!
//! A lie stands for a number of answers or until it is cleared. Lies about tokens change the token
//! just before it is signed; everything before that is done honestly.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::address::Endpoint;
use crate::jwt::{Signing, TokenSpec};

/// For how many answers a lie stands. In JSON: a number, or nothing for "until cleared".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Option<u32>", into = "Option<u32>")]
pub enum Times {
    /// Until cleared.
    #[default]
    Always,
    /// For this many answers.
    Next(u32),
}

impl From<Option<u32>> for Times {
    fn from(times: Option<u32>) -> Self {
        times.map_or(Self::Always, Self::Next)
    }
}

impl From<Times> for Option<u32> {
    fn from(times: Times) -> Self {
        match times {
            Times::Always => None,
            Times::Next(times) => Some(times),
        }
    }
}

/// A lie inside the tokens of a token response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenLie {
    /// A nonce that nobody sent.
    WrongNonce,
    /// No nonce.
    MissingNonce,
    /// An issuer of another host.
    WrongIssuer,
    /// The issuer of the second tenant, whose tokens the same key signs.
    OtherTenant,
    /// An audience that is nobody.
    WrongAudience,
    /// Another policy of the same tenant.
    WrongPolicy,
    /// A key that was never published, under the `kid` of the published one.
    WrongKey,
    /// A key that was never published, under its own `kid`.
    UnknownKid,
    /// No `kid`.
    MissingKid,
    /// Expired a day ago.
    Expired,
    /// Valid from tomorrow.
    NotYetValid,
    /// `alg: none`, no signature.
    AlgNone,
    /// HS256 with the public key as the secret.
    AlgHs256,
    /// An ID token without `at_hash`.
    MissingAtHash,
    /// An ID token with the hash of another access token.
    WrongAtHash,
    /// Another person.
    OtherSubject,
    /// An address that was never confirmed.
    EmailUnverified,
}

/// A lie about the members of a token response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseLie {
    /// No new refresh token.
    NoRefreshToken,
    /// No ID token.
    NoIdToken,
    /// No access token.
    NoAccessToken,
    /// `token_type` in lower case, which is right too.
    LowerCaseTokenType,
    /// No `expires_in`.
    NoExpiresIn,
}

/// A lie in the redirect back to the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedirectLie {
    /// A state that differs.
    WrongState,
    /// No state.
    NoState,
    /// The state twice.
    StateTwice,
    /// An `iss` of somebody else (RFC 9207).
    WrongIss,
    /// No `iss`, whatever the metadata promise.
    NoIss,
}

/// A lie in the metadata document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataLie {
    /// This issuer.
    Issuer(String),
    /// Keys at this address.
    JwksUri(String),
    /// Tokens redeemed at this address.
    TokenEndpoint(String),
    /// These signing algorithms.
    Algorithms(Vec<String>),
    /// These PKCE methods; an empty list leaves the member out.
    PkceMethods(Vec<String>),
}

/// A lie about the signing keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysLie {
    /// No keys.
    Empty,
    /// This document.
    Document(Value),
}

/// An endpoint that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Holds the request until it is released, then answers it.
    Hang,
    /// 500.
    ServerError,
    /// 503 with `Retry-After` in seconds.
    Unavailable(u32),
    /// 200 with the page of a hotel.
    CaptivePortal,
    /// 10 MiB of JSON.
    Huge,
    /// Bytes that are neither JSON nor text.
    Garbage,
    /// 302 to this address.
    Redirect(String),
    /// The connection is reset before anything is done.
    Reset,
    /// The request is done, then the connection is reset instead of answering.
    LoseAnswer,
    /// This status with this JSON text.
    Answer(u16, String),
}

/// A connector that cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreachable;

/// Lies that are waiting for their turn.
#[derive(Debug, Default)]
pub(crate) struct Lies {
    pub(crate) token: Queue<TokenLie>,
    pub(crate) response: Queue<ResponseLie>,
    pub(crate) redirect: Queue<RedirectLie>,
    pub(crate) metadata: Queue<MetadataLie>,
    pub(crate) keys: Queue<KeysLie>,
    /// Calls to connectors that find nobody there.
    pub(crate) connector: Queue<Unreachable>,
    pub(crate) faults: Vec<(Endpoint, Queue<Fault>)>,
}

impl Lies {
    pub(crate) fn add_fault(&mut self, endpoint: Endpoint, fault: Fault, times: Times) {
        if let Some((_, queue)) = self.faults.iter_mut().find(|(at, _)| *at == endpoint) {
            queue.add(fault, times);
        } else {
            let mut queue = Queue::default();
            queue.add(fault, times);
            self.faults.push((endpoint, queue));
        }
    }

    /// The fault whose turn it is at `endpoint`.
    pub(crate) fn fault(&mut self, endpoint: Endpoint) -> Option<Fault> {
        self.faults.iter_mut().find(|(at, _)| *at == endpoint)?.1.take_first()
    }
}

/// Entries with the number of turns they have left.
#[derive(Debug)]
pub(crate) struct Queue<T>(Vec<(T, Times)>);

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone> Queue<T> {
    pub(crate) fn add(&mut self, entry: T, times: Times) {
        self.0.push((entry, times));
    }

    /// Everything that stands for the coming answer; counts one turn for each.
    pub(crate) fn take_all(&mut self) -> Vec<T> {
        self.0.retain(|(_, times)| *times != Times::Next(0));
        let all = self.0.iter().map(|(entry, _)| entry.clone()).collect();
        for (_, times) in &mut self.0 {
            count_down(times);
        }
        all
    }

    /// The first that stands for the coming answer; counts one turn for it.
    pub(crate) fn take_first(&mut self) -> Option<T> {
        self.0.retain(|(_, times)| *times != Times::Next(0));
        let (entry, times) = self.0.first_mut()?;
        count_down(times);
        Some(entry.clone())
    }
}

fn count_down(times: &mut Times) {
    if let Times::Next(left) = times {
        *left = left.saturating_sub(1);
    }
}

/// What the lies about tokens need to know.
pub(crate) struct Truth<'a> {
    pub(crate) now: i64,
    pub(crate) is_id_token: bool,
    pub(crate) own_tenant: &'a str,
    pub(crate) other_tenant: &'a str,
    pub(crate) other_policy: &'a str,
}

const DAY: i64 = 86_400;

/// Changes a token that is about to be signed.
pub(crate) fn falsify(lie: TokenLie, spec: TokenSpec, truth: &Truth<'_>) -> TokenSpec {
    match lie {
        TokenLie::WrongNonce => spec.with("nonce", "a-nonce-that-nobody-sent"),
        TokenLie::MissingNonce => spec.without("nonce"),
        TokenLie::WrongIssuer => spec.with("iss", "https://evil.example/v2.0/"),
        TokenLie::OtherTenant => {
            let issuer = spec.claims.get("iss").and_then(Value::as_str).unwrap_or_default();
            let issuer = issuer.replace(truth.own_tenant, truth.other_tenant);
            spec.with("iss", issuer)
        }
        TokenLie::WrongAudience => spec.with("aud", "00000000-0000-0000-0000-00000000000f"),
        TokenLie::WrongPolicy => {
            let name = if spec.claims.contains_key("acr") { "acr" } else { "tfp" };
            spec.with(name, truth.other_policy)
        }
        TokenLie::WrongKey => spec.signed(Signing::OtherKeySameKid),
        TokenLie::UnknownKid => spec.signed(Signing::UnknownKid),
        TokenLie::MissingKid => spec.with_header("kid", Value::Null),
        TokenLie::Expired => spec
            .with("iat", truth.now - 2 * DAY)
            .with("nbf", truth.now - 2 * DAY)
            .with("exp", truth.now - DAY),
        TokenLie::NotYetValid => {
            spec.with("nbf", truth.now + DAY).with("exp", truth.now + DAY + 3600)
        }
        TokenLie::AlgNone => spec.signed(Signing::Unsigned),
        TokenLie::AlgHs256 => spec.signed(Signing::Hs256WithPublicKey),
        TokenLie::MissingAtHash => spec.without("at_hash"),
        TokenLie::WrongAtHash if truth.is_id_token => {
            spec.with("at_hash", crate::jwt::at_hash("another access token"))
        }
        TokenLie::WrongAtHash => spec,
        TokenLie::EmailUnverified => spec.with("email_verified", false),
        TokenLie::OtherSubject => {
            let other = "99999999-9999-4999-8999-999999999999";
            let spec = spec.with("sub", other);
            if spec.claims.contains_key("oid") { spec.with("oid", other) } else { spec }
        }
    }
}

/// Changes a metadata document.
pub(crate) fn falsify_metadata(lie: &MetadataLie, document: &mut Value) {
    match lie {
        MetadataLie::Issuer(issuer) => document["issuer"] = json!(issuer),
        MetadataLie::JwksUri(uri) => document["jwks_uri"] = json!(uri),
        MetadataLie::TokenEndpoint(uri) => document["token_endpoint"] = json!(uri),
        MetadataLie::Algorithms(names) => {
            document["id_token_signing_alg_values_supported"] = json!(names);
        }
        MetadataLie::PkceMethods(names) => {
            document["code_challenge_methods_supported"] = json!(names);
            if let Some(members) = document.as_object_mut().filter(|_| names.is_empty()) {
                members.remove("code_challenge_methods_supported");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lie_stands_for_its_number_of_answers_and_then_truth_returns() {
        let mut queue = Queue::default();
        queue.add(1, Times::Next(2));
        queue.add(2, Times::Always);
        assert_eq!(queue.take_all(), [1, 2]);
        assert_eq!(queue.take_all(), [1, 2]);
        assert_eq!(queue.take_all(), [2]);
    }

    #[test]
    fn faults_take_turns_and_belong_to_one_endpoint() {
        let mut lies = Lies::default();
        lies.add_fault(Endpoint::Token, Fault::Reset, Times::Next(1));
        lies.add_fault(Endpoint::Token, Fault::Garbage, Times::Next(1));
        assert_eq!(lies.fault(Endpoint::Keys), None);
        assert_eq!(lies.fault(Endpoint::Token), Some(Fault::Reset));
        assert_eq!(lies.fault(Endpoint::Token), Some(Fault::Garbage));
        assert_eq!(lies.fault(Endpoint::Token), None);
    }

    #[test]
    fn times_is_a_number_or_nothing_in_json() {
        assert_eq!(serde_json::from_str::<Times>("3").unwrap(), Times::Next(3));
        assert_eq!(serde_json::from_str::<Times>("null").unwrap(), Times::Always);
    }
}
