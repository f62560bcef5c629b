//! Wall displays to try the store with.

use std::time::Duration;

use luminous_domain::{DeviceId, MatchNumber, Role};

use super::Bench;
use super::people::{Home, Person, hash};
use crate::{
    Actor, Claim, Confirmation, Device, DeviceChange, DeviceGrant, DeviceStanding, DeviceState,
    Failure, KeyThumbprint, Link, LinkKey, LinkState, Network, NewClaim, NewLink, NewToken,
    Redeemed, Redemption, Refresh, Refusal, SecretHash, SelfDescription,
};

/// How long a code lives.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// How long a claim may take.
pub const CLAIM: Duration = Duration::from_secs(180);
/// Between two polls.
pub const INTERVAL: Duration = Duration::from_secs(5);
/// A day.
pub const DAY: Duration = Duration::from_hours(24);
/// How long a display may be silent.
pub const IDLE: Duration = Duration::from_hours(45 * 24);
/// How long a link may be taken back.
pub const WINDOW: Duration = DAY;
/// How long a display stays without renewal.
pub const ABSOLUTE: Duration = Duration::from_hours(90 * 24);

/// The number that displays show in these tests.
pub fn number(value: u8) -> MatchNumber {
    MatchNumber::from_value(value).unwrap()
}

/// The key of the display called `wall`.
pub fn thumbprint(wall: &str) -> KeyThumbprint {
    hash(&format!("key of {wall}"))
}

/// The device code of a wish.
pub fn device_code(word: &str) -> SecretHash {
    hash(&format!("device code {word}"))
}

/// The code on the wall.
pub fn user_code(word: &str) -> LinkKey {
    LinkKey::UserCode(hash(&format!("user code {word}")))
}

/// The QR on the wall.
pub fn qr(word: &str) -> LinkKey {
    LinkKey::Qr(hash(&format!("qr {word}")))
}

/// What is refused.
pub fn refused<T>(refusal: Refusal) -> Result<T, Failure> {
    Err(Failure::Refused(refusal))
}

/// The display with this id, called `name`, does something.
pub fn display(id: DeviceId, name: &str) -> Actor {
    Actor::Display { id, name: name.to_owned() }
}

impl Bench {
    /// A wish of the display called `wall` with codes made of `word`.
    pub async fn new_link(&self, wall: &str, word: &str) -> NewLink {
        NewLink {
            id: self.link_id().await,
            device_code: device_code(word),
            user_code: hash(&format!("user code {word}")),
            qr: hash(&format!("qr {word}")),
            key: thumbprint(wall),
            is_key_proven: true,
            described: SelfDescription {
                name: wall.to_owned(),
                model: "Raspberry Pi 5".to_owned(),
                app_version: "1.2.3".to_owned(),
            },
            network: hash("network"),
            lifetime: LIFETIME,
            interval: INTERVAL,
            most: 1000,
        }
    }

    /// Writes it down.
    pub async fn begin(&self, wall: &str, word: &str) -> Link {
        self.store.begin_link(&self.new_link(wall, word).await).await.unwrap()
    }

    /// How it stands.
    pub async fn link(&self, link: &Link) -> LinkState {
        self.store.link_state(link.id).await.unwrap().expect("a wish")
    }

    /// A claim by `person`; the display shows 42 then.
    pub async fn new_claim(&self, home: &Home, person: &Person) -> NewClaim {
        NewClaim {
            challenge: self.challenge_id().await,
            number: number(42),
            account: person.account.id,
            member: person.member,
            family: home.family,
            lifetime: CLAIM,
        }
    }

    /// `person` types the code made of `word`.
    pub async fn claim(&self, home: &Home, person: &Person, word: &str) -> Result<Claim, Failure> {
        let new = self.new_claim(home, person).await;
        self.store.claim_link(&user_code(word), &new, &person.act()).await
    }

    /// The right answer of `person`: it is called Kitchen from now on, and hangs in no room.
    pub async fn yes(&self, home: &Home, person: &Person, claim: &Claim) -> Confirmation {
        Confirmation {
            challenge: claim.challenge,
            number: number(42),
            account: person.account.id,
            member: person.member,
            family: home.family,
            device: self.device_id().await,
            name: "Kitchen".to_owned(),
            room: None,
            absolute: ABSOLUTE,
        }
    }

    /// `person` types the code made of `word`, and the number.
    pub async fn approve(&self, home: &Home, person: &Person, word: &str) -> Device {
        let claim = self.claim(home, person, word).await.unwrap();
        let yes = self.yes(home, person, &claim).await;
        self.store.confirm_link(&yes, &person.act()).await.unwrap()
    }

    /// Tokens whose refresh token is `word`.
    pub async fn tokens(&self, word: &str) -> NewToken {
        NewToken { id: self.token_id().await, refresh: hash(word), idle: IDLE }
    }

    /// The display called `wall` asks, after a push, for the tokens of `word`: called the same.
    pub async fn redemption(&self, wall: &str, word: &str, token: &str) -> Redemption {
        Redemption {
            device_code: device_code(word),
            key: thumbprint(wall),
            token: self.tokens(token).await,
            is_poll: false,
            network: Network::Private,
        }
    }

    /// The same, and what it is told.
    pub async fn redeem(&self, wall: &str, word: &str, token: &str) -> Redeemed {
        let redemption = self.redemption(wall, word, token).await;
        self.store.redeem_link(&redemption).await.unwrap()
    }

    /// The same, which must get some.
    pub async fn granted(&self, wall: &str, word: &str, token: &str) -> DeviceGrant {
        match self.redeem(wall, word, token).await {
            Redeemed::Done(grant) => grant,
            other => panic!("no tokens: {other:?}"),
        }
    }

    /// The display called `wall` is linked by `person`; its refresh token is called as `word`.
    pub async fn linked(
        &self,
        home: &Home,
        person: &Person,
        wall: &str,
        word: &str,
    ) -> DeviceGrant {
        self.begin(wall, word).await;
        self.approve(home, person, word).await;
        let grant = self.granted(wall, word, word).await;
        self.tick().await;
        grant
    }

    /// The display called `wall` presents the refresh token `word` for the one called `next`.
    pub async fn refresh(
        &self,
        wall: &str,
        word: &str,
        next: &str,
    ) -> Result<DeviceGrant, Failure> {
        let refresh = Refresh {
            presented: hash(word),
            key: thumbprint(wall),
            next: self.tokens(next).await,
            network: Network::Public,
        };
        self.store.refresh_tokens(&refresh).await
    }

    /// How the display and the token stand.
    pub async fn stands(&self, grant: &DeviceGrant) -> DeviceStanding {
        let standing = self.store.device_standing(grant.device.id, grant.token).await;
        standing.unwrap().expect("a display")
    }

    /// Whether the door lets this token in.
    pub async fn is_let_in(&self, grant: &DeviceGrant) -> bool {
        self.stands(grant).await.is_token_live
    }

    /// Its access token is seen at the door.
    pub async fn use_token(&self, grant: &DeviceGrant) {
        self.store.confirm_token(grant.device.id, grant.token).await.unwrap();
    }

    /// The family's display with this id.
    pub async fn device(&self, home: &Home, id: DeviceId) -> Option<Device> {
        let devices = self.store.devices(home.family).await.unwrap();
        devices.into_iter().find(|device| device.id == id)
    }

    /// Asserts that the display has ended for good.
    pub async fn assert_ended(&self, home: &Home, grant: &DeviceGrant) {
        assert_eq!(self.device(home, grant.device.id).await, None);
        let standing = self.stands(grant).await;
        assert_eq!((standing.device.state, standing.is_token_live), (DeviceState::Revoked, false));
    }

    /// `by` ends the display.
    pub async fn revoke(&self, home: &Home, device: &Device, by: &Person) -> Result<(), Failure> {
        self.store.revoke_device(home.family, device.id, by.member, &by.act()).await
    }

    /// `by` takes its link back.
    pub async fn undo(&self, home: &Home, device: &Device, by: &Person) -> Result<(), Failure> {
        self.store.undo_link(home.family, device.id, WINDOW, by.member, &by.act()).await
    }

    /// `by` lets it stay for longer.
    pub async fn renew(
        &self,
        home: &Home,
        device: &Device,
        by: &Person,
    ) -> Result<Device, Failure> {
        self.store.renew_device(home.family, device.id, ABSOLUTE, by.member, &by.act()).await
    }

    /// `by` calls it Hall.
    pub async fn rename(
        &self,
        home: &Home,
        device: &Device,
        by: &Person,
    ) -> Result<Device, Failure> {
        let change = DeviceChange { name: Some("Hall".to_owned()), room: None };
        self.store.change_device(home.family, device.id, &change, by.member, &by.act()).await
    }

    /// A family with an owner, an admin, an adult and a teen.
    pub async fn household(&self) -> (Home, Person, Person, Person) {
        let home = self.home("ada").await;
        let admin = self.join(&home, Role::Admin, "ben").await;
        let adult = self.join(&home, Role::Adult, "cleo").await;
        let teen = self.join(&home, Role::Teen, "dan").await;
        (home, admin, adult, teen)
    }
}
