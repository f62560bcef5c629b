//! The app with its real commands, context and permissions, over ports that a test holds.

use std::sync::Arc;

use luminous_app::kiosk::KioskState;
use luminous_app::page::Page;
use luminous_app::state::AppState;
use luminous_auth::{Display, Ports, Service, Session, StateFile, display};
use luminous_domain::Clock;
use luminous_testkit::scripted_api::FAMILY_SERVER;
use luminous_testkit::{
    FakeScheme, FaultyStore, FrozenClock, RecordingBrowser, ScriptedApi, ScriptedProvider,
    SeededEntropy,
};
use serde_json::Value;
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{App, Manager, WebviewWindow, WebviewWindowBuilder};
use tempfile::TempDir;

/// Where our own pages live on this system.
pub const OUR_PAGE: &str =
    if cfg!(windows) { "http://tauri.localhost" } else { "tauri://localhost" };

/// A running app without a screen.
pub struct Desk {
    /// The app.
    pub app: App<MockRuntime>,
    /// Its session.
    pub session: Session,
    /// Its provider.
    pub provider: Arc<ScriptedProvider>,
    /// Its family server.
    pub api: Arc<ScriptedApi>,
    /// Its keyring.
    pub store: FaultyStore,
    _folder: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let clock = Arc::new(FrozenClock::new());
        let provider = Arc::new(ScriptedProvider::new(Arc::clone(&clock)));
        let api = Arc::new(ScriptedApi::new(Arc::clone(&provider) as _));
        let store = FaultyStore::new();
        let clock: Arc<dyn Clock> = clock;
        let display_ports = display::Ports {
            http: api.clone(),
            store: Arc::new(store.clone()),
            clock: Arc::clone(&clock),
            entropy: Arc::new(SeededEntropy::new(8)),
        };
        let ports = Ports {
            http: api.clone(),
            browser: Arc::new(RecordingBrowser::default()),
            scheme: Arc::new(FakeScheme::new(true)),
            store: Arc::new(store.clone()),
            clock: Arc::clone(&clock),
            entropy: Arc::new(SeededEntropy::new(7)),
        };
        let file = StateFile::in_memory().expect("a state in memory");
        let served = Some(FAMILY_SERVER.parse().expect("an address"));
        let service = Service { api: served, ..provider.config().into() };
        let session = Session::open(ports, file, Some(service));
        let app = luminous_app::with_commands(mock_builder())
            .plugin(tauri_plugin_deep_link::init())
            .build(luminous_app::context())
            .expect("the real context builds an app");
        app.manage(AppState::new(session.clone(), Arc::clone(&clock)));
        app.manage(Page::new(clock));
        // In the product each process has one of the two; here each window finds its own.
        let folder = tempfile::tempdir().expect("a folder");
        let description = display::Description {
            name: "wall".to_owned(),
            model: "test".to_owned(),
            app_version: "0".to_owned(),
        };
        let display = Display::open(display_ports, folder.path(), None, description);
        app.manage(KioskState::new(display));
        Self { app, session, provider, api, store, _folder: folder }
    }

    /// A window by the label that its capability is found under.
    pub fn window(&self, label: &str) -> WebviewWindow<MockRuntime> {
        WebviewWindowBuilder::new(&self.app, label, Default::default()).build().expect("a window")
    }
}

/// What `window` is told when a page at `origin` calls `command`.
pub fn call(
    window: &WebviewWindow<MockRuntime>,
    origin: &str,
    command: &str,
    arguments: Value,
) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.into(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: origin.parse().expect("an origin"),
        body: InvokeBody::Json(arguments),
        headers: Default::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).map(|body| body.deserialize().unwrap_or(Value::Null))
}

/// Whether an answer is the access control list's "no". Any other answer, an error of the command's
/// own included, means that the call went through.
pub fn was_forbidden(answer: &Result<Value, Value>) -> bool {
    answer.as_ref().is_err_and(|error| {
        let words = error.to_string();
        words.contains("not allowed")
    })
}
