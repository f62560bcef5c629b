//! People and families to try the store with.

use std::time::Duration;

use luminous_domain::{
    AccountId, ChallengeId, DeviceId, FamilyId, InviteId, LinkId, MemberId, NoteId, ObjectId,
    OsEntropy, PersonKey, Role, TenantId, TokenId, WebSessionId,
};

use crate::contract::Bench;
use crate::{
    Account, Act, Actor, Arrival, Failure, Invite, MemberChange, MemberState, Network, NewChild,
    NewFamily, NewInvite, NewNote, NewWebSession, Note, SecretHash, Standing,
};

/// An hour.
pub const HOUR: Duration = Duration::from_secs(3600);
/// The smallest step of the store's time.
pub const MS: Duration = Duration::from_millis(1);

/// A person who arrived.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their account, as it was then.
    pub account: Account,
    /// Their place, for those who were given one by [`Bench::join`].
    pub member: MemberId,
}

/// A family and its first owner.
#[derive(Debug, Clone)]
pub struct Home {
    /// The family.
    pub family: FamilyId,
    /// Who founded it.
    pub owner: Person,
}

impl Person {
    /// The key of the person.
    pub const fn key(&self) -> &PersonKey {
        &self.account.person
    }

    /// They do something, from a private network.
    pub fn act(&self) -> Act {
        Act { actor: self.actor(), network: Network::Private }
    }

    /// They, as the log names them.
    pub fn actor(&self) -> Actor {
        Actor::Account { id: self.account.id, name: self.account.name.clone() }
    }
}

/// The key of the person called so.
pub fn key(name: &str) -> PersonKey {
    PersonKey { tenant: TenantId::new("contract"), object: ObjectId::new(name) }
}

/// A hash that stands for the secret `word`.
pub fn hash(word: &str) -> SecretHash {
    let mut hash = [0; 32];
    for (at, byte) in word.bytes().enumerate() {
        let slot: &mut u8 = &mut hash[at % 32];
        *slot = slot.wrapping_mul(31).wrapping_add(byte);
    }
    hash
}

macro_rules! fresh {
    ($($make:ident $id:ident)*) => {
        impl Bench {
            $(
                /// A new id, made at the store's time.
                pub async fn $make(&self) -> $id {
                    $id::new(self.time.now().await, &OsEntropy).unwrap()
                }
            )*
        }
    };
}
fresh! {
    account_id AccountId
    family_id FamilyId
    member_id MemberId
    invite_id InviteId
    note_id NoteId
    session_id WebSessionId
    device_id DeviceId
    link_id LinkId
    challenge_id ChallengeId
    token_id TokenId
}

impl Bench {
    /// How the person called `name` arrives.
    pub async fn arrival(&self, name: &str) -> Arrival {
        Arrival {
            id: self.account_id().await,
            person: key(name),
            name: name.to_owned(),
            email: Some(format!("{name}@example.test")),
            network: Network::Public,
        }
    }

    /// The person called `name` arrives.
    pub async fn person(&self, name: &str) -> Person {
        let standing = self.store.arrive(&self.arrival(name).await).await.unwrap();
        let member = match standing.membership {
            Some(place) => place.member,
            None => self.member_id().await,
        };
        Person { account: standing.account, member }
    }

    /// Where the person stands now.
    pub async fn standing(&self, person: &Person) -> Standing {
        self.store.standing(person.key()).await.unwrap().expect("they arrived")
    }

    /// A family called `{name}s`, founded by `name`.
    pub async fn home(&self, name: &str) -> Home {
        let owner = self.person(name).await;
        let family = self.family_id().await;
        let new = NewFamily {
            id: family,
            name: format!("{name}s"),
            owner: owner.account.id,
            member: owner.member,
        };
        self.store.create_family(&new, &owner.act()).await.unwrap();
        self.tick().await;
        Home { family, owner }
    }

    /// An invitation by `by` whose code is `word`, for an hour.
    pub async fn invite(
        &self,
        home: &Home,
        by: &Person,
        role: Role,
        word: &str,
    ) -> Result<Invite, Failure> {
        let new = NewInvite {
            id: self.invite_id().await,
            family: home.family,
            role,
            code: hash(word),
            invited_by: by.member,
            lifetime: HOUR,
        };
        self.store.create_invite(&new, &by.act()).await
    }

    /// The person called `name` arrives and accepts an invitation of the first owner's.
    pub async fn join(&self, home: &Home, role: Role, name: &str) -> Person {
        let person = self.person(name).await;
        let word = format!("join {name}");
        self.invite(home, &home.owner, role, &word).await.unwrap();
        self.tick().await;
        self.store
            .accept_invite(&hash(&word), person.account.id, person.member, &person.act())
            .await
            .unwrap();
        self.tick().await;
        person
    }

    /// A managed profile.
    pub async fn child(&self, home: &Home, name: &str) -> MemberId {
        let id = self.member_id().await;
        let new = NewChild { id, family: home.family, name: name.to_owned() };
        self.store.add_child(&new, home.owner.member, &home.owner.act()).await.unwrap();
        self.tick().await;
        id
    }

    /// `by` gives `id` another role.
    pub async fn set_role(
        &self,
        home: &Home,
        id: MemberId,
        role: Role,
        by: &Person,
    ) -> Result<(), Failure> {
        let change = MemberChange { role: Some(role), ..MemberChange::default() };
        self.store.change_member(home.family, id, &change, by.member, &by.act()).await.map(drop)
    }

    /// `by` switches `id` off or on.
    pub async fn set_state(
        &self,
        home: &Home,
        id: MemberId,
        state: MemberState,
        by: &Person,
    ) -> Result<(), Failure> {
        let change = MemberChange { state: Some(state), ..MemberChange::default() };
        self.store.change_member(home.family, id, &change, by.member, &by.act()).await.map(drop)
    }

    /// `by` posts `text`.
    pub async fn note(
        &self,
        home: &Home,
        by: &Person,
        text: &str,
        lifetime: Option<Duration>,
    ) -> Result<Note, Failure> {
        let new = NewNote {
            id: self.note_id().await,
            family: home.family,
            text: text.to_owned(),
            author: by.member,
            lifetime,
        };
        self.store.post_note(&new, &by.act()).await
    }

    /// A session to be of `person` with the cookie `word`: half an hour idle, twelve in all.
    pub async fn new_session(&self, person: &Person, word: &str) -> NewWebSession {
        NewWebSession {
            id: self.session_id().await,
            token: hash(word),
            account: person.account.id,
            user_agent: format!("Browser of {}", person.account.name),
            auth_time: Some(self.time.now().await),
            is_email_unverified: false,
            idle: HOUR / 2,
            lifetime: 12 * HOUR,
        }
    }

    /// Opens it.
    pub async fn session(&self, person: &Person, word: &str) -> crate::WebSession {
        let new = self.new_session(person, word).await;
        self.store.open_session(&new, None, &person.act()).await.unwrap()
    }
}

/// Runs `task(n)` for 0..`times`, all at once, and answers what they said.
pub async fn all_at_once<T, F>(times: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut running = tokio::task::JoinSet::new();
    for n in 0..times {
        running.spawn(task(n));
    }
    running.join_all().await
}
