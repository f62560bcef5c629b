//! A real server: its database is a file, its identity provider the emulator over HTTP, and all of
//! them live on one clock that moves only when told to.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{
    Clock as _, Entropy as _, FamilyId, InviteId, MemberId, ObjectId, OsEntropy, PersonKey, Role,
    SystemClock, TenantId,
};
use luminous_emulator::{
    Config as EmulatorConfig, DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_EDIT_POLICY,
    DEMO_MFA_POLICY, DEMO_POLICY, DEMO_RESET_POLICY, DEMO_SCOPE, DEMO_TENANT, DEMO_TENANT_ID,
    DEMO_WEB_CLIENT_ID, DEMO_WEB_CLIENT_SECRET, Emulator, Endpoint, Fault, Times, TokenSpec, User,
};
use luminous_oidc::{ReqwestClient, Trust};
use luminous_server::config::{Config, IssuerSettings, Limits, Profile};
use luminous_server::{Parts, Server};
use luminous_store::{
    Act, Actor, Arrival, Membership, Network, NewFamily, NewInvite, SqliteStore, Store,
};
use luminous_testkit::FrozenClock;
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket};

/// The server and everything around it.
pub struct Rig {
    /// The identity provider.
    pub emulator: Arc<Emulator>,
    /// Everybody's clock.
    pub clock: Arc<FrozenClock>,
    /// The server's store, for what no route does.
    pub store: Arc<dyn Store>,
    /// The server.
    pub server: Server,
    /// Where its files are.
    pub folder: Arc<TempDir>,
    /// Its address, without a slash at the end.
    pub base: String,
    /// The address it is known by: of replicas, that of the first.
    pub public: String,
    config: Config,
    http: reqwest::Client,
}

/// Somebody with an account at the identity provider.
#[derive(Debug, Clone)]
pub struct Someone {
    /// As the provider knows them.
    pub user: User,
    /// Their place, if they were given one.
    pub place: Option<Membership>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub text: String,
}

impl Rig {
    /// The usual one.
    pub async fn start() -> Self {
        Self::with(|_, _| {}).await
    }

    /// One whose server and provider are configured otherwise.
    pub async fn with(change: impl FnOnce(&mut Config, &mut EmulatorConfig)) -> Self {
        Self::prepared(change, |_| {}).await
    }

    /// One whose identity provider fails from before the server's start, until it is cleared.
    pub async fn down() -> Self {
        Self::prepared(
            |_, _| {},
            |emulator| {
                let control = emulator.control();
                control.fault(Endpoint::Discovery, Fault::ServerError, Times::Always);
                control.fault(Endpoint::Keys, Fault::ServerError, Times::Always);
            },
        )
        .await
    }

    /// One whose connections hold little that was not read yet.
    pub async fn with_small_sockets() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Those that are accepted have it from the one that listens.
        socket.set_send_buffer_size(4096).unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self::at(socket.listen(64).unwrap(), None, |_, _| {}, |_| {}).await
    }

    async fn prepared(
        change: impl FnOnce(&mut Config, &mut EmulatorConfig),
        prepare: impl FnOnce(&Emulator),
    ) -> Self {
        Self::on(None, change, prepare).await
    }

    /// One on this store, or on a file of its own.
    pub async fn on(
        store: Option<Arc<dyn Store>>,
        change: impl FnOnce(&mut Config, &mut EmulatorConfig),
        prepare: impl FnOnce(&Emulator),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::at(listener, store, change, prepare).await
    }

    async fn at(
        listener: TcpListener,
        store: Option<Arc<dyn Store>>,
        change: impl FnOnce(&mut Config, &mut EmulatorConfig),
        prepare: impl FnOnce(&Emulator),
    ) -> Self {
        // Now, because the `Date` headers come from HTTP libraries and say so.
        let clock = Arc::new(FrozenClock::at(SystemClock.now()));
        let folder = tempfile::tempdir().unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let mut config = config(&folder, &base);
        let wall = Arc::clone(&clock);
        let mut emulator_config =
            EmulatorConfig { clock: Arc::new(move || wall.now()), ..EmulatorConfig::demo() }
                .with_web_redirects(&[&format!("{base}/callback")]);
        change(&mut config, &mut emulator_config);
        let emulator = Emulator::start(emulator_config).await.unwrap();
        prepare(&emulator);
        let address = format!("{}{DEMO_TENANT}/{DEMO_POLICY}", emulator.base_url());
        for issuer in &mut config.issuers {
            issuer.address = issuer
                .address
                .replace("{emulator}", &address)
                .replace("{emulator-root}", emulator.base_url().as_str());
        }
        let store = store.unwrap_or_else(|| {
            let (file, clock) = (&config.store.sqlite, clock.clone());
            Arc::new(SqliteStore::open(file, clock, Arc::new(OsEntropy)).unwrap())
        });
        let server = Server::start_on(listener, config.clone(), parts(&store, &clock)).await;
        let (emulator, folder, public) = (Arc::new(emulator), Arc::new(folder), base.clone());
        let server = server.unwrap();
        Self { emulator, clock, store, server, folder, base, public, config, http: client() }
    }

    /// Another replica of this server: the same files, another store on the same database.
    pub async fn replica(&self, store: Arc<dyn Store>) -> Self {
        self.replica_at(store, Arc::clone(&self.clock)).await
    }

    /// The same with a clock of its own.
    pub async fn replica_at(&self, store: Arc<dyn Store>, clock: Arc<FrozenClock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let config = self.config.clone();
        let server = Server::start_on(listener, config.clone(), parts(&store, &clock)).await;
        Self {
            emulator: Arc::clone(&self.emulator),
            clock,
            store,
            server: server.unwrap(),
            folder: Arc::clone(&self.folder),
            base,
            public: self.public.clone(),
            config,
            http: client(),
        }
    }

    /// A request to this path.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// A GET of this path by whoever has this token.
    pub async fn get(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).bearer_auth(token)).await
    }

    /// A request with a JSON body (`Value::Null` for none).
    pub async fn send(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        let request = self.request(method, path).bearer_auth(token);
        Answer::of(if body.is_null() { request } else { request.json(body) }).await
    }

    /// Time passes.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Somebody who has an account at the provider and was never here.
    pub fn someone(&self, name: &str) -> Someone {
        let email = format!("{name}@example.test");
        let control = self.emulator.control();
        let known = control.user(&email).unwrap();
        let user = known.unwrap_or_else(|| {
            control.create_user(&email, name, "correct horse 7 battery").unwrap()
        });
        Someone { user, place: None }
    }

    /// Somebody who has founded a family of their own, called after them.
    pub async fn owner(&self, name: &str) -> Someone {
        self.found(self.someone(name)).await
    }

    /// Lets somebody found a family.
    pub async fn found(&self, someone: Someone) -> Someone {
        let name = &someone.user.name;
        let (account, act) = self.arrive(&someone).await;
        let now = self.clock.now();
        let new = NewFamily {
            id: FamilyId::new(now, &OsEntropy).unwrap(),
            name: format!("The family of {name}"),
            owner: account,
            member: MemberId::new(now, &OsEntropy).unwrap(),
        };
        let place = self.store.create_family(&new, &act).await.unwrap();
        Someone { place: Some(place), ..someone }
    }

    /// Somebody who was taken into the family of `home`.
    pub async fn member(&self, home: &Someone, name: &str, role: Role) -> Someone {
        self.take_in(home, self.someone(name), role).await
    }

    /// Takes somebody into the family of `home`.
    pub async fn take_in(&self, home: &Someone, someone: Someone, role: Role) -> Someone {
        let (_, host) = self.arrive(home).await;
        let now = self.clock.now();
        let mut code = [0; 32];
        OsEntropy.fill(&mut code).unwrap();
        let invite = NewInvite {
            id: InviteId::new(now, &OsEntropy).unwrap(),
            family: home.family(),
            role,
            code,
            invited_by: home.place().member,
            lifetime: Duration::from_secs(60),
        };
        self.store.create_invite(&invite, &host).await.unwrap();
        let (account, act) = self.arrive(&someone).await;
        let member = MemberId::new(now, &OsEntropy).unwrap();
        let place = self.store.accept_invite(&code, account, member, &act).await.unwrap();
        Someone { place: Some(place), ..someone }
    }

    /// What the store knows of somebody, who has come by now.
    pub async fn arrive(&self, someone: &Someone) -> (luminous_domain::AccountId, Act) {
        let arrival = Arrival {
            id: luminous_domain::AccountId::new(self.clock.now(), &OsEntropy).unwrap(),
            person: someone.key(),
            name: someone.user.name.clone(),
            email: Some(someone.user.email.clone()),
            network: Network::Loopback,
        };
        let account = self.store.arrive(&arrival).await.unwrap().account;
        let actor = Actor::Account { id: account.id, name: account.name };
        (account.id, Act { actor, network: Network::Loopback })
    }

    /// What an access token of the sign-in policy says, issued now, to be changed.
    pub fn spec(&self, someone: &Someone) -> TokenSpec {
        self.emulator.control().access_token_spec(&someone.user, DEMO_APP_CLIENT_ID)
    }

    /// An access token of the sign-in policy, issued now.
    pub fn token(&self, someone: &Someone) -> String {
        self.mint(&self.spec(someone))
    }

    /// An access token of the step-up policy: a second factor was proved just now.
    pub fn fresh_token(&self, someone: &Someone) -> String {
        self.mint(&self.fresh_spec(someone))
    }

    /// The same, to be changed.
    pub fn fresh_spec(&self, someone: &Someone) -> TokenSpec {
        let control = self.emulator.control();
        control
            .access_token_spec_at(DEMO_MFA_POLICY, &someone.user, DEMO_APP_CLIENT_ID)
            .with("auth_time", self.clock.now().as_second())
    }

    /// Signs it.
    pub fn mint(&self, spec: &TokenSpec) -> String {
        self.emulator.control().mint(spec).unwrap()
    }
}

fn parts(store: &Arc<dyn Store>, clock: &Arc<FrozenClock>) -> Parts {
    Parts {
        store: Arc::clone(store),
        clock: Arc::clone(clock) as _,
        entropy: Arc::new(OsEntropy),
        http: Arc::new(ReqwestClient::new(Trust::system()).unwrap()),
    }
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy();
    client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

impl Someone {
    /// Their key.
    pub fn key(&self) -> PersonKey {
        PersonKey {
            tenant: TenantId::new(DEMO_TENANT_ID),
            object: ObjectId::new(self.user.oid.clone()),
        }
    }

    /// Their place.
    pub fn place(&self) -> &Membership {
        self.place.as_ref().expect("somebody in a family")
    }

    /// Their family.
    pub fn family(&self) -> FamilyId {
        self.place().family.id
    }
}

impl Answer {
    /// Sends a request and reads all of the answer.
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect(&self.text)
    }

    /// Status and code, such as `403 authz.role_missing`; `200` where there is no problem.
    pub fn outcome(&self) -> String {
        let status = self.status.as_u16();
        if self.status.is_success() || self.status.is_redirection() {
            return status.to_string();
        }
        let problem = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{problem}");
        format!("{status} {}", problem["code"].as_str().unwrap())
    }

    /// A header, or nothing.
    pub fn header(&self, name: &'static str) -> &str {
        let value = self.headers.get(HeaderName::from_static(name));
        value.map_or("", |value| value.to_str().unwrap())
    }
}

/// A configuration for development, with its files in `folder`. In an issuer's address `{emulator}`
/// becomes the demonstration tenant with its sign-in policy, `{emulator-root}` the emulator itself.
pub fn config(folder: &TempDir, base: &str) -> Config {
    let secret = folder.path().join("web-client-secret");
    std::fs::write(&secret, DEMO_WEB_CLIENT_SECRET).unwrap();
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
            address: "{emulator}".to_owned(),
            audiences: vec![DEMO_API_CLIENT_ID.to_owned()],
            clients: vec![DEMO_APP_CLIENT_ID.to_owned()],
            app_client_id: DEMO_APP_CLIENT_ID.to_owned(),
            scopes: vec!["openid".into(), "offline_access".into(), DEMO_SCOPE.into()],
            web_client_id: Some(DEMO_WEB_CLIENT_ID.to_owned()),
            web_client_secret_file: Some(secret),
            step_up_policy: Some(DEMO_MFA_POLICY.to_owned()),
            password_reset_policy: Some(DEMO_RESET_POLICY.to_owned()),
            profile_edit_policy: Some(DEMO_EDIT_POLICY.to_owned()),
            ..IssuerSettings::default()
        }],
        ..Config::default()
    };
    config.displays.signing_keys_file = folder.path().join("signing-keys.json");
    config.store.sqlite = folder.path().join("luminous.sqlite");
    config
}
