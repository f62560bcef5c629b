//! The real family server with people in it: its database is a file, its identity provider the
//! emulator over HTTP, and both live on one clock that moves only when told to.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, header};
use luminous_domain::{
    AccountId, Clock as _, DeviceId, FamilyId, MemberId, ObjectId, OsEntropy, PersonKey,
    SystemClock, TenantId,
};
use luminous_emulator::{
    Config as EmulatorConfig, DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_MFA_POLICY, DEMO_POLICY,
    DEMO_SCOPE, DEMO_TENANT, DEMO_TENANT_ID, Emulator, User,
};
use luminous_oidc::{HttpClient as _, Limits as HttpLimits, ReqwestClient, Trust};
use luminous_server::config::{Config, IssuerSettings, Limits, Profile};
use luminous_server::{Parts, Server};
use luminous_store::{Act, Actor, Arrival, Membership, Network, NewFamily, SqliteStore, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::FrozenClock;

/// The server and everything around it.
pub struct FamilyServer {
    /// The identity provider.
    pub emulator: Emulator,
    /// The clock of both.
    pub clock: Arc<FrozenClock>,
    /// The server's store, for what no route does.
    pub store: Arc<dyn Store>,
    /// Its address, without a slash at the end.
    pub base: String,
    server: Server,
    http: ReqwestClient,
    folder: TempDir,
}

/// Somebody who has a family.
#[derive(Debug, Clone)]
pub struct Owner {
    /// As the identity provider knows them.
    pub user: User,
    /// Their place.
    pub place: Membership,
}

impl FamilyServer {
    /// The usual one.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// One that is configured otherwise.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = Arc::new(FrozenClock::at(SystemClock.now()));
        let folder = tempfile::tempdir().unwrap();
        let wall = Arc::clone(&clock);
        let emulator =
            EmulatorConfig { clock: Arc::new(move || wall.now()), ..EmulatorConfig::demo() };
        let emulator = Emulator::start(emulator).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let mut config = config(&folder, &base, &emulator);
        change(&mut config);
        let path = &config.store.sqlite;
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(path, clock.clone(), Arc::new(OsEntropy)).unwrap());
        let http = ReqwestClient::new(Trust::system()).unwrap();
        let parts = Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(OsEntropy),
            http: Arc::new(http.clone()),
        };
        let server = Server::start_on(listener, config, parts).await.unwrap();
        Self { emulator, clock, store, base, server, http, folder }
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Ends it.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }

    /// Somebody who has founded a family, called after them.
    pub async fn owner(&self, name: &str) -> Owner {
        let email = format!("{name}@example.test");
        let user =
            self.emulator.control().create_user(&email, name, "correct horse 7 battery").unwrap();
        let now = self.clock.now();
        let arrival = Arrival {
            id: AccountId::new(now, &OsEntropy).unwrap(),
            person: PersonKey {
                tenant: TenantId::new(DEMO_TENANT_ID),
                object: ObjectId::new(user.oid.clone()),
            },
            name: user.name.clone(),
            email: Some(user.email.clone()),
            network: Network::Loopback,
        };
        let account = self.store.arrive(&arrival).await.unwrap().account;
        let act = Act {
            actor: Actor::Account { id: account.id, name: account.name },
            network: Network::Loopback,
        };
        let new = NewFamily {
            id: FamilyId::new(now, &OsEntropy).unwrap(),
            name: format!("The family of {name}"),
            owner: account.id,
            member: MemberId::new(now, &OsEntropy).unwrap(),
        };
        let place = self.store.create_family(&new, &act).await.unwrap();
        Owner { user, place }
    }

    /// Types a display's code; answers the challenge.
    pub async fn look_up(&self, owner: &Owner, user_code: &str) -> Value {
        let body = json!({ "user_code": user_code });
        let (status, answer) = self.post(owner, "/api/link/lookup", &body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Confirms a challenge with the number on the display; answers status and body.
    pub async fn confirm(
        &self,
        owner: &Owner,
        challenge: &Value,
        number: &str,
        name: &str,
    ) -> (u16, Value) {
        let body = json!({ "challenge": challenge["challenge"], "number": number, "name": name });
        self.post(owner, "/api/link/confirm", &body).await
    }

    /// Declines a challenge.
    pub async fn decline(&self, owner: &Owner, challenge: &Value) {
        let body = json!({ "challenge": challenge["challenge"] });
        let (status, answer) = self.post(owner, "/api/link/decline", &body).await;
        assert_eq!(status / 100, 2, "{answer}");
    }

    /// Puts a note on the wall.
    pub async fn note(&self, owner: &Owner, text: &str) {
        let path = format!("/api/families/{}/notes", owner.place.family.id);
        let (status, answer) = self.post(owner, &path, &json!({ "text": text })).await;
        assert_eq!(status / 100, 2, "{answer}");
    }

    /// The family's displays.
    pub async fn devices(&self, owner: &Owner) -> Vec<luminous_store::Device> {
        self.store.devices(owner.place.family.id).await.unwrap()
    }

    /// Ends a display.
    pub async fn revoke(&self, owner: &Owner, device: DeviceId) {
        let path = format!("/api/devices/{device}/revoke");
        let (status, answer) = self.post(owner, &path, &Value::Null).await;
        assert_eq!(status / 100, 2, "{answer}");
    }

    /// A POST by somebody who has just proved a second factor; status and body.
    pub async fn post(&self, owner: &Owner, path: &str, body: &Value) -> (u16, Value) {
        let control = self.emulator.control();
        let spec = control
            .access_token_spec_at(DEMO_MFA_POLICY, &owner.user, DEMO_APP_CLIENT_ID)
            .with("auth_time", self.clock.now().as_second());
        let token = control.mint(&spec).unwrap();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let mut sent = Vec::new();
        if !body.is_null() {
            request = request.header(header::CONTENT_TYPE, "application/json");
            sent = serde_json::to_vec(body).unwrap();
        }
        let limits = HttpLimits { timeout: Duration::from_secs(3600), max_body: 1024 * 1024 };
        let answer = self.http.send(request.body(sent).unwrap(), limits).await.unwrap();
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        (answer.status().as_u16(), body)
    }

    /// Goes there and back once, so that what is under way elsewhere gets on.
    pub async fn ping(&self) {
        let request = Request::get(format!("{}/healthz", self.base)).body(Vec::new()).unwrap();
        let limits = HttpLimits { timeout: Duration::from_secs(3600), max_body: 1024 };
        self.http.send(request, limits).await.unwrap();
    }
}

fn config(folder: &TempDir, base: &str, emulator: &Emulator) -> Config {
    let mut config = Config {
        profile: Profile::Dev,
        public_url: Some(base.parse().unwrap()),
        key_file: folder.path().join("server.key"),
        limits: Limits {
            per_account_per_minute: 0,
            per_address_per_minute: 0,
            ..Limits::default()
        },
        issuers: vec![IssuerSettings {
            address: format!("{}{DEMO_TENANT}/{DEMO_POLICY}", emulator.base_url()),
            audiences: vec![DEMO_API_CLIENT_ID.to_owned()],
            clients: vec![DEMO_APP_CLIENT_ID.to_owned()],
            app_client_id: DEMO_APP_CLIENT_ID.to_owned(),
            scopes: vec!["openid".into(), "offline_access".into(), DEMO_SCOPE.into()],
            step_up_policy: Some(DEMO_MFA_POLICY.to_owned()),
            ..IssuerSettings::default()
        }],
        ..Config::default()
    };
    config.store.sqlite = folder.path().join("luminous.sqlite");
    config.displays.signing_keys_file = folder.path().join("signing-keys.json");
    config
}
