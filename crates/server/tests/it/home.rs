//! Families over HTTP: who asks, how they ask, and what comes back.

use aws_lc_rs::digest;
use luminous_domain::{Clock as _, FamilyId, MemberId, Role};
use luminous_emulator::{DEMO_TENANT_ID, User};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{Answer, Rig, Someone};

/// A server, and the people who use it.
pub struct Home {
    pub rig: Rig,
}

/// Somebody with a token in hand.
pub struct Caller<'h> {
    home: &'h Home,
    token: Option<String>,
    key: Option<String>,
    address: Option<String>,
}

impl Home {
    pub async fn start() -> Self {
        Self { rig: Rig::start().await }
    }

    /// Somebody whom the provider vouches for and the server does not know yet. They have no
    /// password: these tests begin with a token, and a hundred password hashes take long.
    pub fn person(&self, name: &str) -> Someone {
        let hash = digest::digest(&digest::SHA256, name.as_bytes());
        let oid = uuid::Builder::from_custom_bytes(hash.as_ref()[..16].try_into().unwrap());
        let oid = oid.into_uuid();
        let user = User {
            oid: oid.to_string(),
            tenant_id: DEMO_TENANT_ID.to_owned(),
            email: format!("{}@example.test", oid.simple()),
            name: name.to_owned(),
            idp: None,
        };
        Someone { user, place: None }
    }

    /// What the clock shows, Unix time in ms.
    pub fn now_ms(&self) -> i64 {
        self.rig.clock.now().as_millisecond()
    }

    /// Asks with a token of the sign-in policy, issued now.
    pub fn with(&self, person: &Someone) -> Caller<'_> {
        self.bearer(self.rig.token(person))
    }

    /// Asks with a token of the policy with a second factor, issued now.
    pub fn proved(&self, person: &Someone) -> Caller<'_> {
        self.bearer(self.rig.fresh_token(person))
    }

    /// Asks with this token.
    pub fn bearer(&self, token: String) -> Caller<'_> {
        Caller { home: self, token: Some(token), key: None, address: None }
    }

    /// Asks without any.
    pub fn anonymous(&self) -> Caller<'_> {
        Caller { home: self, token: None, key: None, address: None }
    }

    /// A family of `owner`.
    pub async fn family(&self, owner: &Someone, name: &str) -> FamilyId {
        let me = self.with(owner).post("/api/families", json!({ "name": name })).await;
        assert_eq!(me.status, 201, "{me:?}");
        id(&me.json()["membership"]["family"]["id"])
    }

    /// Lets `person` into the family of `owner`.
    pub async fn join(
        &self,
        owner: &Someone,
        family: FamilyId,
        person: &Someone,
        role: Role,
    ) -> MemberId {
        let code = self.invite(owner, family, role).await;
        let me = self.with(person).post("/api/invites/accept", json!({ "code": code })).await;
        assert_eq!(me.status, 200, "{me:?}");
        me.json()["membership"]["member_id"].as_str().unwrap().parse().unwrap()
    }

    /// Somebody's id in their family.
    pub async fn place(&self, person: &Someone) -> MemberId {
        id(&self.with(person).get("/api/me").await.json()["membership"]["member_id"])
    }

    /// The code of a new invitation.
    pub async fn invite(&self, owner: &Someone, family: FamilyId, role: Role) -> String {
        let path = format!("/api/families/{family}/invites");
        let invited = self.proved(owner).post(&path, json!({ "role": role })).await;
        assert_eq!(invited.status, 201, "{invited:?}");
        invited.json()["code"].as_str().unwrap().to_owned()
    }

    /// A family of everybody: owner, then one of each other role for people.
    pub async fn full_house(&self) -> (FamilyId, Someone, Vec<(Role, Someone, MemberId)>) {
        let owner = self.person("Olga");
        let family = self.family(&owner, "Lum").await;
        let mut others = Vec::new();
        for role in [Role::Admin, Role::Adult, Role::Teen, Role::Child, Role::Caregiver] {
            let person = self.person(&format!("the {role}"));
            let member = self.join(&owner, family, &person, role).await;
            others.push((role, person, member));
        }
        (family, owner, others)
    }
}

impl Caller<'_> {
    /// The same, as a request with this `Idempotency-Key`.
    pub fn once(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// The same, as a proxy on this machine would hand it on for this address.
    pub fn from(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.home.rig.request(method, path);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(address) = &self.address {
            request = request.header("x-forwarded-for", address);
        }
        Answer::of(if let Some(body) = body { request.json(&body) } else { request }).await
    }
}

/// The id in a JSON text.
pub fn id<T: std::str::FromStr>(value: &Value) -> T {
    let text = value.as_str().unwrap_or_else(|| panic!("no id: {value}"));
    text.parse().unwrap_or_else(|_| panic!("no id: {text}"))
}
