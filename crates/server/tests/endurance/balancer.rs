//! A load balancer as simple as they come: each connection goes to the next replica that takes it,
//! and knows nothing of who came before (no sticky state).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

/// A place in front of the replicas, which are told of once they are there.
pub struct Balancer {
    listener: TcpListener,
}

impl Balancer {
    /// Takes an address.
    pub async fn bind() -> Self {
        Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap() }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Goes on until the program ends.
    pub fn run(self, replicas: Vec<SocketAddr>) {
        let replicas: Arc<[SocketAddr]> = replicas.into();
        tokio::spawn(async move {
            for turn in 0.. {
                let (client, _) = self.listener.accept().await.unwrap();
                tokio::spawn(carry(client, Arc::clone(&replicas), turn));
            }
        });
    }
}

async fn carry(mut client: TcpStream, replicas: Arc<[SocketAddr]>, turn: usize) {
    for attempt in 0..replicas.len() {
        let replica = replicas[(turn + attempt) % replicas.len()];
        let Ok(mut server) = TcpStream::connect(replica).await else { continue };
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        // However it ends, both ends learn of it by the end of their connection.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        return;
    }
}
