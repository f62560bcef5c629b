//! A wall display that asks over HTTP: its key, what it was given, and how it asks.
//! [`crate::link::stand_in::StandIn`] is quicker to make, and asks the store.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::{
    AccessToken, ChallengeId, Clock as _, DeviceId, MatchNumber, OsEntropy, UserCode,
};
use luminous_oidc::DpopKey;
use luminous_server::link_codes;
use luminous_store::{Claim, Confirmation, Device, Failure, LinkKey, NewClaim};
use reqwest::{Method, RequestBuilder, Url};
use serde_json::Value;

use crate::rig::{Answer, Rig, Someone};

/// What `grant_type` is for a device code.
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// One display.
pub struct Display {
    /// Its key, which stays.
    pub key: DpopKey,
    /// What it shows and keeps since it asked for a code.
    pub codes: Value,
    /// Its tokens, as the token endpoint gave them.
    pub tokens: Value,
}

/// An approval on its way.
pub struct Approval {
    /// What the person was asked.
    pub claim: Claim,
    /// The number on the display.
    pub number: MatchNumber,
}

impl Display {
    /// One that was just taken out of its box.
    pub fn new() -> Self {
        Self { key: DpopKey::generate().unwrap(), codes: Value::Null, tokens: Value::Null }
    }

    /// One that shows a code.
    pub async fn showing(rig: &Rig) -> Self {
        let mut display = Self::new();
        assert_eq!(display.show(rig).await.status, 200);
        display
    }

    /// One that hangs in the family of `person`, who may link displays.
    pub async fn linked(rig: &Rig, person: &Someone) -> Self {
        let mut display = Self::showing(rig).await;
        display.approve(rig, person).await;
        let answer = display.redeem(rig).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        display
    }

    /// A proof of its key for one request, made now.
    pub fn proof(&self, rig: &Rig, method: &Method, path: &str, token: Option<&str>) -> String {
        let url = Url::parse(&format!("{}{path}", rig.public)).unwrap();
        let token = token.map(AccessToken::new);
        self.key.proof(method, &url, token.as_ref(), rig.clock.now(), &OsEntropy).unwrap()
    }

    /// A form with a proof, to an endpoint of the authorization server.
    pub async fn post(&self, rig: &Rig, path: &str, form: &[(&str, &str)]) -> Answer {
        let proof = self.proof(rig, &Method::POST, path, None);
        Answer::of(rig.request(Method::POST, path).header("dpop", proof).form(form)).await
    }

    /// Asks for a code.
    pub async fn show(&mut self, rig: &Rig) -> Answer {
        let form = [
            ("client_id", "luminous-display"),
            ("scope", "display"),
            ("device_name", " kitchen-pi "),
            ("device_model", "Raspberry Pi 5"),
            ("app_version", "0.1.0"),
        ];
        let answer = self.post(rig, "/oauth2/device_authorization", &form).await;
        if answer.status == 200 {
            self.codes = answer.json();
        }
        answer
    }

    /// What it shows.
    pub fn code(&self, name: &str) -> &str {
        self.codes[name].as_str().unwrap()
    }

    /// One of its tokens.
    pub fn token(&self, name: &str) -> &str {
        self.tokens[name].as_str().unwrap()
    }

    /// Its id.
    pub fn id(&self) -> DeviceId {
        self.token("device_id").parse().unwrap()
    }

    /// Somebody types its code.
    pub async fn claim(&self, rig: &Rig, person: &Someone) -> Result<Approval, Failure> {
        let code = UserCode::parse(self.code("user_code")).unwrap();
        let key = LinkKey::UserCode(link_codes::hash(rig.server.state(), &code));
        let (account, act) = rig.arrive(person).await;
        let number = MatchNumber::new(&OsEntropy).unwrap();
        let new = NewClaim {
            challenge: ChallengeId::new(rig.clock.now(), &OsEntropy).unwrap(),
            number,
            account,
            member: person.place().member,
            family: person.family(),
            lifetime: Duration::from_secs(180),
        };
        Ok(Approval { claim: rig.store.claim_link(&key, &new, &act).await?, number })
    }

    /// Somebody types the number.
    pub async fn confirm(
        &self,
        rig: &Rig,
        person: &Someone,
        approval: &Approval,
    ) -> Result<Device, Failure> {
        let (account, act) = rig.arrive(person).await;
        let yes = Confirmation {
            challenge: approval.claim.challenge,
            number: approval.number,
            account,
            member: person.place().member,
            family: person.family(),
            device: DeviceId::new(rig.clock.now(), &OsEntropy).unwrap(),
            name: "Kitchen".to_owned(),
            room: Some("Kitchen".to_owned()),
            absolute: Duration::from_secs(90 * 24 * 3600),
        };
        rig.store.confirm_link(&yes, &act).await
    }

    /// Somebody approves it, as they should.
    pub async fn approve(&self, rig: &Rig, person: &Someone) -> Device {
        let approval = self.claim(rig, person).await.unwrap();
        self.confirm(rig, person, &approval).await.unwrap()
    }

    /// Asks for its first tokens, as a poll.
    pub async fn redeem(&mut self, rig: &Rig) -> Answer {
        let code = self.code("device_code").to_owned();
        self.grant(rig, &[("grant_type", DEVICE_CODE), ("device_code", &code)]).await
    }

    /// Asks for the next tokens with this refresh token.
    pub async fn refresh_with(&mut self, rig: &Rig, token: &str) -> Answer {
        self.grant(rig, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Asks for the next tokens.
    pub async fn refresh(&mut self, rig: &Rig) -> Answer {
        let token = self.token("refresh_token").to_owned();
        self.refresh_with(rig, &token).await
    }

    async fn grant(&mut self, rig: &Rig, form: &[(&str, &str)]) -> Answer {
        let form = [form, &[("client_id", "luminous-display")]].concat();
        let answer = self.post(rig, "/oauth2/token", &form).await;
        if answer.status == 200 {
            self.tokens = answer.json();
        }
        answer
    }

    /// A request to the API with its token and a proof.
    pub fn ask(&self, rig: &Rig, method: Method, path: &str) -> RequestBuilder {
        self.ask_with(rig, method, path, self.token("access_token"))
    }

    /// The same with another token.
    pub fn ask_with(&self, rig: &Rig, method: Method, path: &str, token: &str) -> RequestBuilder {
        let proof = self.proof(rig, &method, path, Some(token));
        rig.request(method, path)
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", proof)
    }

    /// A GET with its token.
    pub async fn get(&self, rig: &Rig, path: &str) -> Answer {
        Answer::of(self.ask(rig, Method::GET, path)).await
    }
}

impl Answer {
    /// Status and word of an answer of the authorization server, such as `400 invalid_grant unknown`.
    pub fn oauth(&self) -> String {
        let status = self.status.as_u16();
        if self.status.is_success() {
            return status.to_string();
        }
        let problem = self.json();
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{problem}");
        let words = [&problem["error"], &problem["reason"]];
        let words = words.into_iter().filter_map(Value::as_str).collect::<Vec<_>>();
        format!("{status} {}", words.join(" "))
    }
}

/// A part of a compact token, as JSON.
pub fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
