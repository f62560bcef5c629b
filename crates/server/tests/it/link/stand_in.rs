//! A stand-in for a wall display: it holds the secrets that a real one gets, and asks the store
//! itself what a real one asks the server. One that asks over HTTP is [`crate::display::Display`].

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use aws_lc_rs::digest;
use luminous_domain::{Clock as _, Entropy as _, LinkId, OsEntropy, Timestamp, TokenId, UserCode};
use luminous_server::{link_codes, networks};
use luminous_store::{
    DeviceGrant, KeyThumbprint, LinkState, NewLink, NewToken, Redeemed, Redemption, SecretHash,
    SelfDescription,
};

use crate::rig::Rig;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Stands in for a display that shows a code.
pub struct StandIn {
    /// What is on the wall.
    pub code: UserCode,
    /// What is in its QR.
    pub qr: String,
    key: KeyThumbprint,
    link: LinkId,
    device_code: SecretHash,
}

impl StandIn {
    /// One on this machine, with a new key.
    pub async fn new(rig: &Rig) -> Self {
        Self::called(rig, "kitchen-pi").await
    }

    /// The same that calls itself so.
    pub async fn called(rig: &Rig, name: &str) -> Self {
        Self::with(rig, random(), HERE, name).await
    }

    /// One that asks from this address.
    pub async fn at(rig: &Rig, address: IpAddr) -> Self {
        Self::with(rig, random(), address, "hall-pi").await
    }

    /// This one, and its next code.
    pub async fn again(&self, rig: &Rig) -> Self {
        Self::with(rig, self.key, HERE, "kitchen-pi").await
    }

    async fn with(rig: &Rig, key: KeyThumbprint, address: IpAddr, name: &str) -> Self {
        let state = rig.server.state();
        let code = UserCode::new(&OsEntropy).unwrap();
        let qr = text(&random()[..16]);
        let new = NewLink {
            id: LinkId::new(rig.clock.now(), &OsEntropy).unwrap(),
            device_code: random(),
            user_code: link_codes::hash(state, &code),
            qr: link_codes::qr_hash(&qr).unwrap(),
            key,
            is_key_proven: true,
            described: SelfDescription {
                name: name.to_owned(),
                model: "Raspberry Pi 5".to_owned(),
                app_version: "0.1.0".to_owned(),
            },
            network: networks::hash(state, address),
            lifetime: Duration::from_secs(600),
            interval: Duration::from_secs(5),
            most: 5000,
        };
        rig.store.begin_link(&new).await.unwrap();
        Self { code, qr, key, link: new.id, device_code: new.device_code }
    }

    /// Where its wish stands.
    pub async fn state(&self, rig: &Rig) -> LinkState {
        rig.store.link_state(self.link).await.unwrap().unwrap()
    }

    /// The number it shows, once its code was typed.
    pub async fn number(&self, rig: &Rig) -> String {
        match self.state(rig).await {
            LinkState::Claimed { number } => number.to_string(),
            other => panic!("no number: {other:?}"),
        }
    }

    /// A number that it does not show.
    pub async fn other_number(&self, rig: &Rig) -> String {
        let shown: u8 = self.number(rig).await.parse().unwrap();
        format!("{:02}", (shown + 1) % 100)
    }

    /// Fetches its tokens.
    pub async fn redeem(&self, rig: &Rig) -> DeviceGrant {
        let redemption = Redemption {
            device_code: self.device_code,
            key: self.key,
            token: NewToken {
                id: TokenId::new(Timestamp::UNIX_EPOCH, &OsEntropy).unwrap(),
                refresh: random(),
                idle: Duration::from_secs(45 * 86_400),
            },
            is_poll: false,
            network: luminous_store::Network::Loopback,
        };
        match rig.store.redeem_link(&redemption).await.unwrap() {
            Redeemed::Done(grant) => grant,
            other => panic!("no tokens: {other:?}"),
        }
    }
}

/// 32 random bytes.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    OsEntropy.fill(&mut bytes).unwrap();
    bytes
}

/// 22 characters of the alphabet of base64url, from 16 bytes and what follows from them.
fn text(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let hash = digest::digest(&digest::SHA256, bytes);
    hash.as_ref()[..22].iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect()
}
