//! A way to the server whose connections are cut after a random number of bytes: in the middle of a
//! request, a handshake, a frame; sometimes with a reset, which loses what was under way as well.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use luminous_domain::Entropy as _;
use luminous_testkit::SeededEntropy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How many cuts there shall be among how many events: the cuts are spread over all of the events.
pub struct Plan {
    cuts: u64,
    events: u64,
    cut: AtomicU64,
    written: AtomicU64,
}

impl Plan {
    /// So many among so many.
    pub fn new(cuts: u64, events: u64) -> Arc<Self> {
        Arc::new(Self { cuts, events, cut: AtomicU64::new(0), written: AtomicU64::new(0) })
    }

    /// An event was written.
    pub fn wrote(&self) {
        self.written.fetch_add(1, Ordering::SeqCst);
    }

    /// How many cuts there were.
    pub fn cut(&self) -> u64 {
        self.cut.load(Ordering::SeqCst)
    }

    /// Whether all of them were made.
    pub fn is_cut(&self) -> bool {
        self.cut() == self.cuts
    }

    fn may_cut(&self) -> bool {
        let due = self.written.load(Ordering::SeqCst) * self.cuts / self.events;
        let next = |cut| (cut < due.min(self.cuts)).then_some(cut + 1);
        self.cut.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).is_ok()
    }
}

/// Random numbers that are the same for the same seed.
pub struct Random(SeededEntropy);

impl Random {
    /// Of this seed.
    pub fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    fn below(&self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes).unwrap();
        u64::from_le_bytes(bytes) % end
    }

    /// After how many bytes a connection ends: one of four on its way to the hub, where a ticket, a
    /// negotiation and a handshake have some two thousand bytes; the others on it.
    fn offset(&self) -> u64 {
        if self.below(4) == 0 { 1 + self.below(2_000) } else { 1_000 + self.below(4_000) }
    }
}

/// Starts one to this server; answers where it is.
pub async fn start(server: SocketAddr, plan: Arc<Plan>, random: Random) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let random = Arc::new(random);
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(carry(client, server, Arc::clone(&plan), Arc::clone(&random)));
        }
    });
    address
}

async fn carry(mut client: TcpStream, server: SocketAddr, plan: Arc<Plan>, random: Arc<Random>) {
    // At the end of the test there is none any more.
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    while pass(&mut client, &mut server, random.offset()).await {
        if plan.may_cut() {
            if random.below(2) == 0 {
                client.set_zero_linger().unwrap();
                server.set_zero_linger().unwrap();
            }
            return;
        }
    }
}

/// Carries so many bytes, counted both ways; answers whether the connection lasted that long.
async fn pass(client: &mut TcpStream, server: &mut TcpStream, mut left: u64) -> bool {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let (mut up, mut down) = ([0; 1024], [0; 1024]);
    while left > 0 {
        let most = left.min(1024) as usize;
        let (read, written) = tokio::select! {
            read = from_client.read(&mut up[..most]) => {
                let count = read.unwrap_or(0);
                (count, to_server.write_all(&up[..count]).await)
            }
            read = from_server.read(&mut down[..most]) => {
                let count = read.unwrap_or(0);
                (count, to_client.write_all(&down[..count]).await)
            }
        };
        if read == 0 || written.is_err() {
            return false;
        }
        left -= read as u64;
    }
    true
}
