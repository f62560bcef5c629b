//! The display in a process of its own. It writes each snapshot as a line, and ends when its input
//! does, or where it is told to die.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use luminous_auth::Display;
use luminous_auth::display::{Description, Ports, Server};
use luminous_domain::{Clock, OsEntropy, SystemClock, Timestamp};
use luminous_oidc::{HttpClient, HttpError, Limits, ReqwestClient, Transport, Trust};
use luminous_wire::KioskSnapshot;
use tokio::io::AsyncWriteExt as _;

use super::point::Point;
use super::store::FileStore;

pub const ARGUMENT: &str = "--display";
pub const SERVER: &str = "DISPLAY_SERVER";
pub const FOLDER: &str = "DISPLAY_FOLDER";

/// Longer than the token before the one in use is kept.
const LONG: u64 = 61;

/// The system's clock, and what was added to its monotonic half.
#[derive(Default)]
struct Leaping(AtomicU64);

impl Clock for Leaping {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn elapsed(&self) -> Duration {
        SystemClock.elapsed() + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// The network, with the points that lie on it.
struct Network {
    client: ReqwestClient,
    dies_at: Option<Point>,
    /// A token was used, and accepted.
    used: Arc<AtomicBool>,
}

#[async_trait]
impl HttpClient for Network {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: Limits,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let is_refresh = request.body().starts_with(b"grant_type=refresh_token");
        let is_use = request.uri().path() == "/api/wall";
        if is_refresh {
            Point::BeforeSend.reach(self.dies_at);
            if self.dies_at == Some(Point::SentNoResponse) {
                send_and_die(&request).await;
            }
        }
        let answer = self.client.send(request, limits).await;
        if is_refresh && answer.is_ok() {
            Point::ReceivedNotWritten.reach(self.dies_at);
        }
        if is_use && answer.is_ok() {
            Point::AfterFirstUse.reach(self.dies_at);
            self.used.store(true, Ordering::SeqCst);
        }
        answer
    }
}

/// Writes the whole request, and dies without reading a byte of the answer.
async fn send_and_die(request: &Request<Vec<u8>>) {
    let authority = request.uri().authority().unwrap().clone();
    let mut head = format!("POST {} HTTP/1.1\r\nhost: {authority}\r\n", request.uri().path());
    for (name, value) in request.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", request.body().len()));
    let port = authority.port_u16().unwrap();
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(request.body()).await.unwrap();
    stream.flush().await.unwrap();
    Point::SentNoResponse.reach(Some(Point::SentNoResponse));
}

pub fn run(point: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(live(Point::parse(point)));
}

async fn live(dies_at: Option<Point>) {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let clock = Arc::new(Leaping::default());
    let used = Arc::<AtomicBool>::default();
    let client = ReqwestClient::new(Trust::system()).unwrap();
    let ports = Ports {
        http: Arc::new(Network { client, dies_at, used: Arc::clone(&used) }),
        store: Arc::new(FileStore { folder: folder.join("keyring"), dies_at }),
        clock: Arc::clone(&clock) as _,
        entropy: Arc::new(OsEntropy),
    };
    let address = std::env::var(SERVER).unwrap();
    let server = Server { address, transport: Transport::LoopbackHttp };
    let description = Description {
        name: "wall".to_owned(),
        model: "a process".to_owned(),
        app_version: "1".to_owned(),
    };
    let display = Display::open(ports, &folder.join("display"), Some(&server), description);
    let mut snapshots = display.snapshots();
    display.start();
    let follow = async {
        loop {
            let shown = snapshots.borrow_and_update().clone();
            tell(&shown);
            if used.load(Ordering::SeqCst) && dies_at == Some(Point::OldSlotDeleted) {
                // The time of the token before it is over: what is due is looked at again. Not sooner,
                // because proofs are dated by this clock.
                clock.0.fetch_add(LONG, Ordering::SeqCst);
                display.retry_storage();
            }
            if snapshots.changed().await.is_err() {
                return;
            }
        }
    };
    let input = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        () = follow => {}
        _ = input => {}
    }
    display.shutdown().await;
}

fn tell(shown: &KioskSnapshot) {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, shown).unwrap();
    out.write_all(b"\n").unwrap();
    out.flush().unwrap();
}
