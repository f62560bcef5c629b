//! `luminous --demo` as a whole: the real emulator and the real family server in one process, a
//! browser that walks their pages, and everything still there after a restart.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use luminous_app::demo::Demo;
use luminous_auth::family::discovery;
use luminous_auth::{Ports, Service, Session, StateFile, Tuning};
use luminous_domain::{OsEntropy, Role, SystemClock};
use luminous_oidc::{ReqwestClient, Transport, Trust};
use luminous_testkit::following::{Person, Visit};
use luminous_testkit::{FakeScheme, FaultyStore, FollowingBrowser};
use luminous_wire::api::{AddChild, CreateFamily, CreateInvite, PostNote, RenameFamily};
use luminous_wire::{FamilyStanding, SessionSnapshot, SignInIntent, Stage};
use tokio::task::JoinHandle;

/// The demo, and a session at it.
pub struct Running {
    demo: Demo,
    pub session: Session,
    delivery: JoinHandle<()>,
}

/// Ana, her computer's keyring and her browser.
pub struct Ana {
    store: FaultyStore,
    pub browser: FollowingBrowser,
    arrived: Arc<tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<String>>>,
}

impl Ana {
    pub fn new() -> Self {
        let person = Person {
            email: "ana@example.test".to_owned(),
            password: "correct horse 7 battery".to_owned(),
            name: "Ana".to_owned(),
        };
        let (browser, arrived) = FollowingBrowser::new(person, Visit::SignUp);
        let arrived = Arc::new(tokio::sync::Mutex::new(arrived));
        Self { store: FaultyStore::new(), browser, arrived }
    }

    pub async fn starts(&self, folder: &Path, port: u16) -> Running {
        let clock = Arc::new(SystemClock);
        let demo = Demo::start(folder, port, clock.clone()).await.expect("the demo starts");
        let ports = Ports {
            http: Arc::new(ReqwestClient::new(Trust::system()).expect("a client")),
            browser: Arc::new(self.browser.clone()),
            scheme: Arc::new(FakeScheme::new(true)),
            store: Arc::new(self.store.clone()),
            clock,
            entropy: Arc::new(OsEntropy),
        };
        let file = StateFile::open(&folder.join("state.sqlite")).expect("a state file");
        let transport = Transport::LoopbackHttp;
        let tuning = Tuning { transport, ..Tuning::default() };
        let session = Session::open_with(ports, file, Some(demo.service.clone()), tuning);
        let (receiver, arrived) = (session.clone(), Arc::clone(&self.arrived));
        let delivery = tokio::spawn(async move {
            while let Some(redirect) = arrived.lock().await.recv().await {
                receiver.redirect_received(redirect.as_bytes());
            }
        });
        session.start().await;
        Running { demo, session, delivery }
    }
}

impl Running {
    pub async fn until(&self, fits: impl Fn(&SessionSnapshot) -> bool) -> SessionSnapshot {
        let mut snapshots = self.session.snapshots();
        snapshots.wait_for(|snapshot| fits(snapshot)).await.expect("a session").clone()
    }

    pub async fn stop(self) {
        self.session.shutdown().await;
        self.delivery.abort();
        self.demo.stop().await;
    }
}

pub fn standing(snapshot: &SessionSnapshot) -> Option<&FamilyStanding> {
    match &snapshot.stage {
        Stage::SignedIn { family, .. } => Some(family),
        _ => None,
    }
}

fn family_name(snapshot: &SessionSnapshot) -> Option<&str> {
    match standing(snapshot)? {
        FamilyStanding::Member { membership } => Some(&membership.family.name),
        _ => None,
    }
}

/// Two ports in a row that were free a moment ago.
pub fn free_ports() -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = first.local_addr().expect("an address").port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
}

#[tokio::test]
async fn a_family_is_made_in_the_demo_and_is_there_after_a_restart() {
    luminous_app::use_one_crypto_provider();
    let folder = tempfile::tempdir().expect("a folder");
    let (ana, port) = (Ana::new(), free_ports());
    let running = ana.starts(folder.path(), port).await;
    running.session.begin_sign_in(SignInIntent::SignIn, None).await.expect("a sign-in begins");
    running.until(|snapshot| standing(snapshot) == Some(&FamilyStanding::Outside)).await;

    let session = &running.session;
    let family = CreateFamily { name: "The Lights".to_owned() };
    let me = session.create_family(&family).await.expect("a family");
    assert_eq!(me.membership.expect("a place").role, Role::Owner);
    session.add_child(&AddChild { name: "Bo".to_owned() }).await.expect("a child");
    let note = PostNote { text: "Soup at six".to_owned(), hours: None };
    session.post_note(&note).await.expect("a note");
    let rename = RenameFamily { name: "The Larks".to_owned() };
    session.rename_family(&rename).await.expect("another name");

    // An act of administration: the browser is asked for a second factor, and the act is done.
    ana.browser.set_visit(Visit::SignIn);
    let opened = ana.browser.opened().len();
    let invite = CreateInvite { role: Role::Admin, hours: None };
    let made = session.create_invite(&invite).await.expect("an invitation");
    assert_eq!(ana.browser.opened().len(), opened + 1, "she proved a second factor");
    assert_eq!(session.list_invites().await.expect("a list").invites, [made.invite]);
    running.stop().await;

    let running = ana.starts(folder.path(), port).await;
    let first = running.session.snapshots().borrow().clone();
    assert_eq!(family_name(&first), Some("The Larks"), "without waiting for anybody");
    let members = running.session.list_members().await.expect("members").members;
    let names: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["Ana", "Bo"]);
    let notes = running.session.list_notes().await.expect("notes").notes;
    assert_eq!(notes[0].text, "Soup at six");
    assert!(running.session.export_my_data().await.expect("an export").contains("Soup at six"));
    running
        .session
        .delete_family(&luminous_wire::api::DeleteFamily { name: "The Larks".into() })
        .await
        .expect("deleted, after a second factor");
    running.until(|snapshot| standing(snapshot) == Some(&FamilyStanding::Outside)).await;
    running.stop().await;
}

/// The app asks its own server nothing at the start: what it believes must be what others are told.
#[tokio::test]
async fn the_demo_knows_what_its_server_says_of_itself() {
    luminous_app::use_one_crypto_provider();
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_ports();
    let demo = Demo::start(folder.path(), port, Arc::new(SystemClock)).await.expect("a demo");
    let http = ReqwestClient::new(Trust::system()).expect("a client");
    let typed = format!("http://localhost:{}", port + 1);
    let address = discovery::address(&typed, Transport::LoopbackHttp).expect("an address");
    let said = discovery::ask(&http, &address).await.expect("a description");
    let mut service = Service::from_discovery(&said, Transport::LoopbackHttp).expect("a service");
    // The server may know its issuer by now; the app learns it from the provider itself.
    service.provider.expected_issuer = demo.service.provider.expected_issuer.clone();
    assert_eq!(Service { demo: true, ..service }, demo.service);
    demo.stop().await;
}

#[tokio::test]
async fn u12_the_last_port_has_no_room_for_a_server_after_it() {
    luminous_app::use_one_crypto_provider();
    let folder = tempfile::tempdir().expect("a folder");
    let started = Demo::start(folder.path(), u16::MAX, Arc::new(SystemClock)).await;
    let error = started.err().expect("there is no such port");
    assert!(error.to_string().contains("--demo-port"), "{error:#}");
}

#[tokio::test]
async fn s9_the_demo_keeps_no_token_in_its_files() {
    luminous_app::use_one_crypto_provider();
    let folder = tempfile::tempdir().expect("a folder");
    let (ana, port) = (Ana::new(), free_ports());
    let running = ana.starts(folder.path(), port).await;
    running.session.begin_sign_in(SignInIntent::SignIn, None).await.expect("a sign-in begins");
    running.until(|snapshot| standing(snapshot) == Some(&FamilyStanding::Outside)).await;
    let family = CreateFamily { name: "The Lights".to_owned() };
    running.session.create_family(&family).await.expect("a family");
    let token = running.session.access_token().await.expect("a token");
    running.stop().await;

    let mut looked_at = Vec::new();
    for entry in std::fs::read_dir(folder.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        let needle = token.expose().as_bytes();
        let found = bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!found, "{} holds an access token", path.display());
        looked_at.push(path.file_name().expect("a name").to_string_lossy().into_owned());
    }
    for file in ["family.sqlite", "provider.sqlite", "state.sqlite"] {
        assert!(looked_at.iter().any(|name| name == file), "{file} is not there: {looked_at:?}");
    }
}
