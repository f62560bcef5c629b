//! The client over TLS, against a hub that shows a certificate.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use luminous_signalr::client::{Event, Lost};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use tokio_tungstenite::tungstenite;

use crate::client::{PlainPort, start_with};

/// Shakes hands once over TLS, on a thread of its own, and goes on until the client leaves.
fn hub(name: &str) -> (SocketAddr, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let stream = listener.accept().unwrap().0;
        let tls = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
        // A client that trusts nobody leaves here.
        let Ok(mut socket) = tungstenite::accept(tls) else { return };
        let _ = socket.read();
        let _ = socket.send(tungstenite::Message::text("{}\x1e"));
        while socket.read().is_ok() {}
    });
    (address, cert.der().clone())
}

fn trust(certificate: CertificateDer<'static>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

async fn first_event(name: &str, trusted: bool) -> Event {
    let (address, certificate) = hub(name);
    let hub = format!("https://localhost:{}/hub", address.port());
    let (_client, mut events) = start_with(&hub, PlainPort::default(), |settings| {
        settings.skip_negotiation = true;
        settings.tls = trusted.then(|| trust(certificate));
    });
    events.next().await.unwrap()
}

#[tokio::test]
async fn a_hub_is_reached_over_tls_by_who_trusts_its_certificate() {
    assert_eq!(first_event("localhost", true).await, Event::Connected);
}

#[tokio::test]
async fn a_hub_with_an_unknown_authority_or_another_name_is_not_spoken_to() {
    for (name, trusted) in [("localhost", false), ("family.example", true)] {
        let event = first_event(name, trusted).await;
        assert!(matches!(event, Event::Lost { why: Lost::Unreachable(_), .. }), "{event:?}");
    }
}
