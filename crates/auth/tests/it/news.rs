//! The family's hub as the desktop listens to it: a real hub of `luminous-signalr` on loopback, with
//! a small family server beside it that says what the test wants.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Request, Response, StatusCode};
use luminous_auth::{Ports, Service, Session, StateFile, Tuning};
use luminous_domain::{OsEntropy, SystemClock};
use luminous_oidc::{HttpClient, HttpError, Limits, ReqwestClient, Transport, Trust};
use luminous_signalr::hub::{
    Connection, ConnectionId, Handler, Hub, HubError, HubSettings, Reply, presented_ticket,
};
use luminous_signalr::{Arguments, Timing};
use luminous_testkit::scripted_api::{FAMILY, member_of, outside};
use luminous_testkit::{
    FakeScheme, FaultyStore, FrozenClock, RecordingBrowser, ScriptedProvider, SeededEntropy,
};
use luminous_wire::api::hub::family_hub;
use luminous_wire::{FamilyNews, FamilyPart, FamilyStanding, SignInIntent, SignOutScope, Stage};
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

const DISPLAY: &str = "0199b0a0-0000-7000-8000-0000000000d1";

/// A family server that says what the test wants. A fake, but for its hub.
#[derive(Clone)]
struct FamilyServer(Arc<Said>);

struct Said {
    me: Mutex<Value>,
    newest: AtomicU64,
    /// Whether it sells tickets.
    open: AtomicBool,
    tickets: AtomicUsize,
    /// From where each connection went on.
    resumed: watch::Sender<Vec<u64>>,
    connections: Mutex<HashMap<ConnectionId, Connection<()>>>,
    left: watch::Sender<usize>,
}

impl FamilyServer {
    fn new() -> Self {
        let mut me = member_of("The Lights", "owner");
        me["membership"]["permissions"] = json!(["notes.read", "devices.read", "devices.link"]);
        Self(Arc::new(Said {
            me: Mutex::new(me),
            newest: AtomicU64::new(41),
            open: AtomicBool::new(true),
            tickets: AtomicUsize::new(0),
            resumed: watch::Sender::default(),
            connections: Mutex::default(),
            left: watch::Sender::default(),
        }))
    }

    async fn listen(&self) -> String {
        let settings = HubSettings {
            token_key: vec![7; 32],
            origins: Vec::new(),
            timing: Timing::default(),
            limits: luminous_signalr::Limits::HUB,
            apart: Duration::ZERO,
            shutdown: CancellationToken::new(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        };
        let hub = Hub::new(self.clone(), settings);
        let (me, wall, ticket) = (self.clone(), self.clone(), self.clone());
        let router = Router::new()
            .route("/api/me", get(async move || Json(me.0.me.lock().unwrap().clone())))
            .route("/api/wall", get(async move || Json(wall.wall())))
            .route("/api/hub/ticket", post(async move || ticket.ticket()))
            .route(&format!("/api/families/{FAMILY}/devices"), get(async || Json(devices())))
            .merge(hub.router(family_hub::PATH));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn wall(&self) -> Value {
        json!({
            "family_id": FAMILY, "family_name": "The Lights", "device": null,
            "members": [], "notes": [], "seq": self.0.newest.load(SeqCst),
        })
    }

    fn ticket(&self) -> Result<Json<Value>, StatusCode> {
        if !self.0.open.load(SeqCst) {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        let number = self.0.tickets.fetch_add(1, SeqCst);
        Ok(Json(json!({ "ticket": format!("ticket-{number}"), "expires_in": 30 })))
    }

    /// Something happens; whoever is connected hears of it.
    fn happens(&self, kind: &str, resource: Option<&str>) {
        let seq = self.0.newest.fetch_add(1, SeqCst) + 1;
        self.call(family_hub::EVENT, &[json!({ "seq": seq, "kind": kind, "resource": resource })]);
    }

    /// The server ends the display because its sign-in was used in two places.
    fn finds_reuse(&self) {
        let seq = self.0.newest.fetch_add(1, SeqCst) + 1;
        let ended = json!({
            "seq": seq, "kind": "device_revoked", "resource": DISPLAY, "reason": "reuse",
        });
        self.call(family_hub::EVENT, &[ended]);
    }

    fn call(&self, target: &str, arguments: &[Value]) {
        for connection in self.0.connections.lock().unwrap().values() {
            connection.send(target, &arguments).unwrap();
        }
    }

    fn throw_out(&self) {
        for connection in self.0.connections.lock().unwrap().values() {
            connection.close(None, true);
        }
    }

    async fn until_resumed(&self, times: usize) -> Vec<u64> {
        let mut resumed = self.0.resumed.subscribe();
        resumed.wait_for(|all| all.len() >= times).await.unwrap().clone()
    }

    async fn until_left(&self, times: usize) {
        self.0.left.subscribe().wait_for(|left| *left >= times).await.unwrap();
    }
}

impl Handler for FamilyServer {
    type Caller = ();
    type Refusal = StatusCode;
    const METHODS: &'static [&'static str] = &[family_hub::RESUME];

    async fn admit(
        &self,
        parts: &http::request::Parts,
        ticket: Option<&str>,
    ) -> Result<(), StatusCode> {
        assert_eq!(ticket, presented_ticket(parts).as_deref());
        let sold = self.0.tickets.load(SeqCst);
        match ticket == Some(&format!("ticket-{}", sold.saturating_sub(1))) {
            true => Ok(()),
            false => Err(StatusCode::UNAUTHORIZED),
        }
    }

    fn seal(&self, (): &()) -> Vec<u8> {
        Vec::new()
    }

    fn open(&self, _: &[u8]) -> Option<()> {
        Some(())
    }

    async fn connected(&self, connection: &Connection<()>) -> Result<(), HubError> {
        self.0.connections.lock().unwrap().insert(connection.id(), connection.clone());
        Ok(())
    }

    async fn invoke(
        &self,
        _: &Connection<()>,
        _: &'static str,
        arguments: Arguments,
    ) -> Result<Reply, HubError> {
        let [newest] = arguments.read::<[u64; 1]>()?;
        self.0.resumed.send_modify(|all| all.push(newest));
        Reply::of(&self.0.newest.load(SeqCst))
    }

    async fn closed(&self, connection: &Connection<()>) {
        self.0.connections.lock().unwrap().remove(&connection.id());
        self.0.left.send_modify(|left| *left += 1);
    }
}

fn devices() -> Value {
    json!({ "devices": [{
        "id": DISPLAY, "name": "Kitchen", "room": null, "model": "m", "app_version": "1",
        "state": "active", "online": true, "linked_by_name": "Ana", "linked_at_ms": 1,
        "undo_until_ms": 2, "expires_at_ms": 3, "last_seen_at_ms": null,
    }], "ended": [{ "id": DISPLAY, "name": "Hall", "room": null, "ended_at_ms": 4 }] })
}

/// The family server over real HTTP, the provider as scripted.
struct Network {
    real: ReqwestClient,
    provider: Arc<ScriptedProvider>,
}

#[async_trait]
impl HttpClient for Network {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: Limits,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        match request.uri().host() {
            Some("127.0.0.1") => self.real.send(request, limits).await,
            _ => self.provider.send(request, limits).await,
        }
    }
}

struct Desktop {
    session: Session,
    provider: Arc<ScriptedProvider>,
    news: broadcast::Receiver<FamilyNews>,
}

impl Desktop {
    /// Ana, signed in, with a window that listens.
    async fn of(server: &FamilyServer) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let clock = Arc::new(FrozenClock::new());
        let provider = Arc::new(ScriptedProvider::new(Arc::clone(&clock)));
        let real = ReqwestClient::new(Trust::system()).unwrap();
        let api = server.listen().await.parse().unwrap();
        let service = Service { api: Some(api), ..provider.config().into() };
        let ports = Ports {
            http: Arc::new(Network { real, provider: Arc::clone(&provider) }),
            browser: Arc::new(RecordingBrowser::default()),
            scheme: Arc::new(FakeScheme::new(true)),
            store: Arc::new(FaultyStore::new()),
            clock,
            entropy: Arc::new(SeededEntropy::new(7)),
        };
        let file = StateFile::in_memory().unwrap();
        let tuning = Tuning { transport: Transport::LoopbackHttp, ..Tuning::default() };
        let session = Session::open_with(ports, file, Some(service), tuning);
        session.start().await;
        let news = session.news();
        let desktop = Self { session, provider, news };
        desktop.sign_in().await;
        desktop
    }

    async fn sign_in(&self) {
        self.session.begin_sign_in(SignInIntent::SignIn, None).await.unwrap();
        let link = self.session.sign_in_link().unwrap().parse().unwrap();
        let redirect = self.provider.authorize(&link);
        self.session.redirect(redirect.as_bytes()).await.unwrap();
    }

    async fn hears(&mut self) -> FamilyNews {
        let told = tokio::time::timeout(Duration::from_secs(20), self.news.recv()).await;
        told.expect("nothing is told").unwrap()
    }

    /// The first news say that all is to be read, so that nothing from before is missed.
    async fn hears_that_all_is_old(&mut self) {
        assert_eq!(self.hears().await, changed(&FamilyPart::ALL));
    }

    fn is_signed_in(&self) -> bool {
        matches!(self.session.snapshots().borrow().stage, Stage::SignedIn { .. })
    }
}

fn changed(parts: &[FamilyPart]) -> FamilyNews {
    FamilyNews::Changed { parts: parts.to_vec() }
}

#[tokio::test]
async fn a_note_on_the_wall_is_heard_at_the_desktop_from_where_it_began() {
    let server = FamilyServer::new();
    let mut desktop = Desktop::of(&server).await;
    desktop.hears_that_all_is_old().await;
    assert_eq!(server.until_resumed(1).await, [41]);
    server.happens("notes_changed", None);
    server.happens("notes_changed", None);
    server.happens("device_revoked", Some(DISPLAY));
    // One word for what came together; two, if the second came late.
    let mut parts = Vec::new();
    while !parts.contains(&FamilyPart::Devices) {
        match desktop.hears().await {
            FamilyNews::Changed { parts: more } => parts.extend(more),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(parts.first(), Some(&FamilyPart::Notes));
}

#[tokio::test]
async fn whoever_may_link_is_told_of_a_display_that_joined_by_name() {
    let server = FamilyServer::new();
    let mut desktop = Desktop::of(&server).await;
    desktop.hears_that_all_is_old().await;
    server.until_resumed(1).await;
    server.happens("device_linked", Some(DISPLAY));
    assert_eq!(desktop.hears().await, changed(&[FamilyPart::Devices]));
    match desktop.hears().await {
        FamilyNews::DisplayJoined { device } => assert_eq!(device.name, "Kitchen"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn f6_whoever_may_link_is_told_by_name_of_a_display_whose_sign_in_was_used_in_two_places() {
    let server = FamilyServer::new();
    let mut desktop = Desktop::of(&server).await;
    desktop.hears_that_all_is_old().await;
    server.until_resumed(1).await;
    server.happens("device_revoked", Some(DISPLAY));
    assert_eq!(desktop.hears().await, changed(&[FamilyPart::Devices]));
    server.finds_reuse();
    assert_eq!(
        desktop.hears().await,
        changed(&[FamilyPart::Devices]),
        "an ordinary end is no news"
    );
    match desktop.hears().await {
        FamilyNews::DisplayEnded { display } => {
            assert_eq!((display.name.as_str(), display.ended_at_ms), ("Hall", 4));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_may_not_link_is_told_of_no_display() {
    let server = FamilyServer::new();
    server.0.me.lock().unwrap()["membership"]["permissions"] = json!(["notes.read"]);
    let mut desktop = Desktop::of(&server).await;
    desktop.hears_that_all_is_old().await;
    server.until_resumed(1).await;
    server.happens("device_linked", Some(DISPLAY));
    assert_eq!(desktop.hears().await, changed(&[FamilyPart::Devices]));
    server.finds_reuse();
    assert_eq!(desktop.hears().await, changed(&[FamilyPart::Devices]));
    server.happens("notes_changed", None);
    assert_eq!(desktop.hears().await, changed(&[FamilyPart::Notes]), "no display between");
}

#[tokio::test]
async fn f12_a_lost_hub_signs_nobody_out_and_is_gone_back_to_where_it_was_left() {
    let server = FamilyServer::new();
    let mut desktop = Desktop::of(&server).await;
    desktop.hears_that_all_is_old().await;
    server.until_resumed(1).await;
    server.happens("notes_changed", None);
    desktop.hears().await;
    server.0.open.store(false, SeqCst);
    server.throw_out();
    server.until_left(1).await;
    assert!(desktop.is_signed_in());
    server.0.open.store(true, SeqCst);
    assert_eq!(server.until_resumed(2).await, [41, 42]);
    assert!(desktop.is_signed_in());
    server.call(family_hub::RESYNC, &[json!(99)]);
    desktop.hears_that_all_is_old().await;
}

#[tokio::test]
async fn another_place_in_the_family_is_read_again_and_no_place_ends_the_listening() {
    let server = FamilyServer::new();
    let mut desktop = Desktop::of(&server).await;
    desktop.hears_that_all_is_old().await;
    server.until_resumed(1).await;
    *server.0.me.lock().unwrap() = outside();
    server.happens("members_changed", None);
    let mut snapshots = desktop.session.snapshots();
    let outside =
        |stage: &Stage| matches!(stage, Stage::SignedIn { family: FamilyStanding::Outside, .. });
    snapshots.wait_for(|snapshot| outside(&snapshot.stage)).await.unwrap();
    server.until_left(1).await;
    assert!(server.0.connections.lock().unwrap().is_empty());
}

#[tokio::test]
async fn f14_signing_out_ends_the_listening_and_signing_in_begins_it_anew() {
    let server = FamilyServer::new();
    let mut desktop = Desktop::of(&server).await;
    desktop.hears_that_all_is_old().await;
    server.until_resumed(1).await;
    desktop.session.sign_out(SignOutScope::Here).await.unwrap();
    server.until_left(1).await;
    let sold = server.0.tickets.load(SeqCst);
    desktop.sign_in().await;
    server.until_resumed(2).await;
    assert!(server.0.tickets.load(SeqCst) > sold);
}

#[tokio::test]
async fn while_no_window_listens_nobody_is_connected() {
    let server = FamilyServer::new();
    let mut desktop = Desktop::of(&server).await;
    desktop.hears_that_all_is_old().await;
    server.until_resumed(1).await;
    let other = desktop.session.news();
    drop(std::mem::replace(&mut desktop.news, other));
    drop(std::mem::replace(&mut desktop.news, broadcast::Sender::new(1).subscribe()));
    server.until_left(1).await;
    desktop.news = desktop.session.news();
    server.until_resumed(2).await;
}
