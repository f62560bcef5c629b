//! The hubs over real sockets: who is let in, what they hear, when they are shown out.

mod clocks;
mod failing;
mod life;
mod limits;
mod logged;
mod raw;
mod reuse;
mod rewound;
mod slow;

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{OsEntropy, Role};
use luminous_signalr::client::{
    Client, ClientPort, ClientSettings, Event, Events, Lost, PostAnswer, PostFailed, TicketError,
};
use luminous_store::contract::postgres_server::PostgresServer;
use luminous_store::{EventKind, Store};
use luminous_wire::api::hub::{family_hub, link_hub};
use luminous_wire::api::{CodeClaimed, FamilyEvent};
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};

use crate::display::Display;
use crate::rig::{Answer, Rig, Someone};

/// How long a test waits for what is on its way already.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to a hub.
struct Listener {
    client: Client,
    events: Events,
}

struct Port {
    http: reqwest::Client,
    ticket: String,
}

impl ClientPort for Port {
    async fn ticket(&self) -> Result<Option<String>, TicketError> {
        Ok(Some(self.ticket.clone()))
    }

    async fn post(&self, address: &Url, bearer: Option<&str>) -> Result<PostAnswer, PostFailed> {
        let request = self.http.post(address.clone()).bearer_auth(bearer.unwrap_or_default());
        let answer = request.send().await.map_err(|error| PostFailed(error.to_string()))?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|error| PostFailed(error.to_string()))?;
        Ok(PostAnswer { status, body: body.to_vec(), retry_after: None })
    }
}

impl Listener {
    /// Comes with this ticket, and is let in.
    async fn at(rig: &Rig, path: &str, ticket: &str) -> Self {
        let hub = Url::parse(&format!("{}{path}", rig.base)).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let port = Port { http, ticket: ticket.to_owned() };
        let (client, events) = Client::start(ClientSettings::new(hub, Arc::new(OsEntropy)), port);
        let mut listener = Self { client, events };
        assert_eq!(listener.next().await, Event::Connected);
        listener
    }

    async fn next(&mut self) -> Event {
        let next = tokio::time::timeout(PATIENCE, self.events.next()).await;
        next.expect("nothing happens").expect("the connection has ended")
    }

    /// The next call, which is to this target.
    async fn called(&mut self, expected: &str) -> luminous_signalr::codec::Arguments {
        match self.next().await {
            Event::Called { target, arguments } if target == expected => arguments,
            other => panic!("{other:?} instead of {expected}"),
        }
    }

    /// The next event of the family.
    async fn event(&mut self) -> FamilyEvent {
        let (event,) = self.called(family_hub::EVENT).await.read().unwrap();
        event
    }

    async fn resume(&self, seen: u64) -> u64 {
        self.client.invoke(family_hub::RESUME, &(seen,), PATIENCE).await.unwrap()
    }

    /// That the hub closes the connection, which may come again.
    async fn shown_out(&mut self) {
        match self.next().await {
            Event::Lost { why: Lost::Closed { allow_reconnect: true, .. }, .. } => {}
            other => panic!("{other:?} instead of a close"),
        }
    }
}

/// The family hub, as a person.
async fn person_at(rig: &Rig, person: &Someone) -> Listener {
    let bought = rig.send(Method::POST, "/api/hub/ticket", &rig.token(person), &Value::Null).await;
    Listener::at(rig, family_hub::PATH, ticket(&bought)).await
}

/// The family hub, as a display.
async fn display_at(rig: &Rig, display: &Display) -> Listener {
    let bought = Answer::of(display.ask(rig, Method::POST, "/api/hub/ticket")).await;
    Listener::at(rig, family_hub::PATH, ticket(&bought)).await
}

/// The link hub.
async fn waiting_at(rig: &Rig, display: &Display) -> Listener {
    let bought = link_ticket(rig, display).await;
    Listener::at(rig, link_hub::PATH, ticket(&bought)).await
}

async fn link_ticket(rig: &Rig, display: &Display) -> Answer {
    let code = display.code("device_code");
    let form = [("client_id", "luminous-display"), ("device_code", code)];
    display.post(rig, "/oauth2/link_ticket", &form).await
}

fn ticket(bought: &Answer) -> &'static str {
    assert_eq!(bought.status, 200, "{bought:?}");
    assert_eq!(bought.json()["expires_in"], 30);
    String::leak(bought.json()["ticket"].as_str().unwrap().to_owned())
}

/// Asks a hub for a connection by hand.
async fn negotiate(rig: &Rig, path: &str, ticket: &str) -> Answer {
    let path = format!("{path}/negotiate?negotiateVersion=1");
    Answer::of(rig.request(Method::POST, &path).bearer_auth(ticket)).await
}

async fn post_note(rig: &Rig, person: &Someone, text: &str) {
    let path = format!("/api/families/{}/notes", person.family());
    let posted = rig.send(Method::POST, &path, &rig.token(person), &json!({ "text": text })).await;
    assert_eq!(posted.status, 201, "{posted:?}");
}

#[tokio::test]
async fn a_waiting_display_is_told_the_number_and_the_yes_and_redeems_over_its_own_connection() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let display = Display::showing(&rig).await;
    let mut hub = waiting_at(&rig, &display).await;
    let approval = display.claim(&rig, &ana).await.unwrap();
    let (claimed,): (CodeClaimed,) = hub.called(link_hub::CODE_CLAIMED).await.read().unwrap();
    assert_eq!(claimed.number, approval.number.to_string());
    display.confirm(&rig, &ana, &approval).await.unwrap();
    assert!(hub.called(link_hub::LINKED).await.is_empty(), "a push carries no token (P2)");
    let asked = json!({
        "device_code": display.code("device_code"),
        "proof": display.proof(&rig, &Method::POST, "/oauth2/token", None),
    });
    let tokens: Value = hub.client.invoke(link_hub::REDEEM, &(asked,), PATIENCE).await.unwrap();
    let mut display = display;
    display.tokens = tokens;
    assert_eq!(display.get(&rig, "/api/wall").await.status, 200);
}

#[tokio::test]
async fn a_display_that_connects_late_is_told_what_it_missed() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let display = Display::showing(&rig).await;
    display.approve(&rig, &ana).await;
    let mut hub = waiting_at(&rig, &display).await;
    hub.called(link_hub::LINKED).await;
}

#[tokio::test]
async fn redeeming_over_the_hub_takes_the_displays_own_proof() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let display = Display::showing(&rig).await;
    display.approve(&rig, &ana).await;
    let mut hub = waiting_at(&rig, &display).await;
    hub.called(link_hub::LINKED).await;
    let other = Display::new();
    for (proof, expected) in [
        (other.proof(&rig, &Method::POST, "/oauth2/token", None), "invalid_grant"),
        (display.proof(&rig, &Method::POST, "/oauth2/revoke", None), "invalid_dpop_proof"),
        ("nonsense".to_owned(), "invalid_dpop_proof"),
    ] {
        let asked = json!({ "device_code": display.code("device_code"), "proof": proof });
        let told: Value = hub.client.invoke(link_hub::REDEEM, &(asked,), PATIENCE).await.unwrap();
        assert_eq!(told["error"], expected, "{told}");
    }
}

#[tokio::test]
async fn a_display_is_told_of_a_no_and_of_the_end_of_its_code() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let declined = Display::showing(&rig).await;
    let mut hub = waiting_at(&rig, &declined).await;
    let approval = declined.claim(&rig, &ana).await.unwrap();
    hub.called(link_hub::CODE_CLAIMED).await;
    let (account, act) = rig.arrive(&ana).await;
    let challenge = approval.claim.challenge;
    rig.store.decline_link(challenge, account, ana.family(), &act).await.unwrap();
    hub.called(link_hub::DENIED).await;

    let late = Display::showing(&rig).await;
    let mut hub = waiting_at(&rig, &late).await;
    rig.pass(Duration::from_secs(601));
    hub.called(link_hub::EXPIRED).await;
}

#[tokio::test]
async fn p8_a_ticket_is_good_once_for_half_a_minute_and_what_clocks_differ_and_for_its_own_hub() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let display = Display::showing(&rig).await;
    let one = link_ticket(&rig, &display).await;
    let one = ticket(&one);
    assert_eq!(negotiate(&rig, family_hub::PATH, one).await.outcome(), "401 push.ticket");
    // It is used up all the same.
    assert_eq!(negotiate(&rig, link_hub::PATH, one).await.outcome(), "401 push.ticket");
    let two = link_ticket(&rig, &display).await;
    let two = ticket(&two);
    assert_eq!(negotiate(&rig, link_hub::PATH, two).await.status, 200);
    assert_eq!(negotiate(&rig, link_hub::PATH, two).await.outcome(), "401 push.ticket");
    let three = link_ticket(&rig, &display).await;
    let three = ticket(&three);
    rig.pass(Duration::from_secs(30 + 91));
    assert_eq!(negotiate(&rig, link_hub::PATH, three).await.outcome(), "401 push.ticket");
    for nonsense in ["", "a.b", &rig.token(&ana)] {
        let refused = negotiate(&rig, link_hub::PATH, nonsense).await;
        assert_eq!(refused.outcome(), "401 push.ticket", "{nonsense:?}");
    }
}

#[tokio::test]
async fn p8_a_ticket_that_was_tampered_with_is_refused() {
    let rig = Rig::start().await;
    let display = Display::showing(&rig).await;
    let bought = link_ticket(&rig, &display).await;
    let whole = ticket(&bought);
    for at in [3, whole.len() / 2, whole.len() - 2] {
        let mut bytes = whole.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let refused = negotiate(&rig, link_hub::PATH, &changed).await;
        assert_eq!(refused.outcome(), "401 push.ticket", "byte {at}");
    }
    assert_eq!(negotiate(&rig, link_hub::PATH, whole).await.status, 200);
}

#[tokio::test]
async fn p8_no_page_of_a_browser_may_connect() {
    let rig = Rig::start().await;
    let display = Display::showing(&rig).await;
    let bought = link_ticket(&rig, &display).await;
    let path = format!("{}/negotiate?negotiateVersion=1", link_hub::PATH);
    let request = rig.request(Method::POST, &path).bearer_auth(ticket(&bought));
    let refused = Answer::of(request.header("origin", "https://evil.example")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_ticket_to_a_family_takes_a_place_in_one() {
    let rig = Rig::start().await;
    let nobody = rig.someone("Nora");
    let token = rig.token(&nobody);
    let refused = rig.send(Method::POST, "/api/hub/ticket", &token, &Value::Null).await;
    assert_eq!(refused.outcome(), "403 authz.family_mismatch");
}

#[tokio::test]
async fn what_happens_is_heard_by_people_and_displays_of_the_family_and_by_nobody_else() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let eva = rig.owner("Eva").await;
    let display = Display::linked(&rig, &ana).await;
    let (mut wall, mut desk) = (display_at(&rig, &display).await, person_at(&rig, &ana).await);
    let mut foreign = person_at(&rig, &eva).await;
    let seen = wall.resume(0).await;
    let mut heard = Vec::new();
    for _ in 0..seen {
        heard.push(wall.event().await);
    }
    let numbers: Vec<u64> = heard.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=seen).collect::<Vec<_>>(), "everything from the beginning, in order");
    desk.resume(seen).await;
    let theirs = foreign.resume(0).await;
    for _ in 0..theirs {
        foreign.event().await;
    }
    post_note(&rig, &ana, "Milk").await;
    for listener in [&mut wall, &mut desk] {
        let event = listener.event().await;
        assert_eq!((event.seq, event.kind.as_str()), (seen + 1, EventKind::NotesChanged.as_str()));
    }
    post_note(&rig, &eva, "Bread").await;
    let event = foreign.event().await;
    assert_eq!(event.seq, theirs + 1, "the first thing it hears is its own family's");
}

#[tokio::test]
async fn p4_whoever_was_away_too_long_is_told_to_read_everything_anew_and_misses_nothing_after() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    post_note(&rig, &ana, "Milk").await;
    rig.pass(Duration::from_secs(25 * 3600));
    post_note(&rig, &ana, "Bread").await;
    let mut desk = person_at(&rig, &ana).await;
    let latest = desk.resume(0).await;
    let (told,): (u64,) = desk.called(family_hub::RESYNC).await.read().unwrap();
    assert_eq!(told, latest);
    let wall = rig.get("/api/wall", &rig.token(&ana)).await.json();
    assert_eq!(wall["seq"], latest, "the snapshot is of the same moment");
    post_note(&rig, &ana, "Salt").await;
    assert_eq!(desk.event().await.seq, latest + 1);
}

#[tokio::test]
async fn p3_forty_writers_and_a_listener_that_comes_and_goes_make_one_gapless_log() {
    let rig = Arc::new(Rig::start().await);
    let ana = rig.owner("Ana").await;
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (rig, ana) = (Arc::clone(&rig), ana.clone());
        writers.spawn(async move { post_note(&rig, &ana, &format!("note {number}")).await });
    }
    let (mut last, mut numbers) = (0, Vec::new());
    while numbers.len() < 20 {
        let mut desk = person_at(&rig, &ana).await;
        desk.resume(last).await;
        for _ in 0..4 {
            last = desk.event().await.seq;
            numbers.push(last);
        }
        drop(desk);
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap();
    }
    let mut desk = person_at(&rig, &ana).await;
    let latest = desk.resume(last).await;
    while last < latest {
        last = desk.event().await.seq;
        numbers.push(last);
    }
    assert_eq!(numbers, (1..=latest).collect::<Vec<_>>());
}

#[tokio::test]
async fn p9_d19_a_revoked_display_is_shown_out_and_cannot_come_back() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let display = Display::linked(&rig, &ana).await;
    let mut wall = display_at(&rig, &display).await;
    let path = format!("/api/devices/{}/revoke", display.id());
    let revoked = rig.send(Method::POST, &path, &rig.fresh_token(&ana), &Value::Null).await;
    assert!(revoked.status.is_success(), "{revoked:?}");
    wall.shown_out().await;
    let refused = Answer::of(display.ask(&rig, Method::POST, "/api/hub/ticket")).await;
    assert_eq!(refused.outcome(), "401 device.revoked");
}

#[tokio::test]
async fn p9_a_ticket_that_was_bought_before_the_revocation_opens_nothing_after_it() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let display = Display::linked(&rig, &ana).await;
    let bought = Answer::of(display.ask(&rig, Method::POST, "/api/hub/ticket")).await;
    let path = format!("/api/devices/{}/revoke", display.id());
    rig.send(Method::POST, &path, &rig.fresh_token(&ana), &Value::Null).await;
    let mut late = Listener::at(&rig, family_hub::PATH, ticket(&bought)).await;
    match late.next().await {
        Event::Ended(Lost::Closed { error, allow_reconnect: false }) => {
            assert!(error.is_some_and(|error| error.contains("push.revoked")));
        }
        other => panic!("{other:?} instead of an end"),
    }
}

#[tokio::test]
async fn p9_whoever_leaves_the_family_or_ends_all_sign_ins_is_shown_out() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let ben = rig.member(&ana, "Ben", Role::Adult).await;
    let mut bens = person_at(&rig, &ben).await;
    let mut anas = person_at(&rig, &ana).await;
    let path = format!("/api/families/{}/members/{}", ana.family(), ben.place().member);
    let removed = rig.send(Method::DELETE, &path, &rig.fresh_token(&ana), &Value::Null).await;
    assert!(removed.status.is_success(), "{removed:?}");
    bens.shown_out().await;
    rig.pass(Duration::from_secs(2));
    let path = "/api/me/sign-out-everywhere";
    let ended = rig.send(Method::POST, path, &rig.token(&ana), &Value::Null).await;
    assert!(ended.status.is_success(), "{ended:?}");
    anas.shown_out().await;
}

#[tokio::test]
async fn a_yes_in_the_last_second_can_be_redeemed_after_the_code_has_ended() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let (display, other) = (Display::showing(&rig).await, Display::showing(&rig).await);
    let mut hub = waiting_at(&rig, &display).await;
    let mut others = waiting_at(&rig, &other).await;
    rig.pass(Duration::from_secs(599));
    display.approve(&rig, &ana).await;
    while !matches!(hub.next().await, Event::Called { target, .. } if target == link_hub::LINKED) {}
    rig.pass(Duration::from_secs(3));
    // Both codes were looked at by now, and only one of them has ended.
    others.called(link_hub::EXPIRED).await;
    let asked = json!({
        "device_code": display.code("device_code"),
        "proof": display.proof(&rig, &Method::POST, "/oauth2/token", None),
    });
    let tokens: Value = hub.client.invoke(link_hub::REDEEM, &(asked,), PATIENCE).await.unwrap();
    assert!(tokens["access_token"].is_string(), "{tokens}");
}

#[tokio::test]
async fn p4_a_number_from_the_future_is_told_to_read_anew_and_misses_nothing_after() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    for seen in [u64::MAX, 1_000_000] {
        let mut desk = person_at(&rig, &ana).await;
        let latest = desk.resume(seen).await;
        let (told,): (u64,) = desk.called(family_hub::RESYNC).await.read().unwrap();
        assert_eq!(told, latest);
        post_note(&rig, &ana, "Milk").await;
        assert_eq!(desk.event().await.seq, latest + 1);
    }
}

#[tokio::test]
async fn p5_whoever_resumes_twice_hears_everything_once_and_in_order() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    for number in 0..5 {
        post_note(&rig, &ana, &format!("note {number}")).await;
    }
    let mut desk = person_at(&rig, &ana).await;
    let latest = desk.resume(0).await;
    desk.resume(0).await;
    post_note(&rig, &ana, "the last").await;
    desk.resume(2).await;
    for expected in 1..=latest + 1 {
        assert_eq!(desk.event().await.seq, expected);
    }
}

#[tokio::test]
async fn t24_of_too_many_connections_of_one_display_the_oldest_is_closed_for_good() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let display = Display::linked(&rig, &ana).await;
    let mut oldest = display_at(&rig, &display).await;
    let mut older = display_at(&rig, &display).await;
    // It is in the room once it was answered.
    oldest.resume(u64::MAX).await;
    older.resume(u64::MAX).await;
    oldest.called(family_hub::RESYNC).await;
    older.called(family_hub::RESYNC).await;
    let _newest = display_at(&rig, &display).await;
    match oldest.next().await {
        Event::Ended(Lost::Closed { error: Some(error), allow_reconnect: false }) => {
            assert_eq!(error, "push.replaced");
        }
        other => panic!("{other:?} instead of an end"),
    }
    post_note(&rig, &ana, "Milk").await;
    older.event().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f6_p9_what_one_replica_does_is_heard_at_the_other() {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(database.store().await), Arc::new(database.store().await)];
    let here = Rig::on(Some(Arc::clone(&stores[0])), |_, _| {}, |_| {}).await;
    let there = here.replica(Arc::clone(&stores[1])).await;
    let ana = here.owner("Ana").await;
    // Time is the database's, which goes on: what is issued from here on is younger than her place.
    here.pass(Duration::from_secs(10));

    let mut display = Display::showing(&here).await;
    let mut hub = waiting_at(&here, &display).await;
    let approval = display.claim(&there, &ana).await.unwrap();
    let (claimed,): (CodeClaimed,) = hub.called(link_hub::CODE_CLAIMED).await.read().unwrap();
    assert_eq!(claimed.number, approval.number.to_string());
    display.confirm(&there, &ana, &approval).await.unwrap();
    hub.called(link_hub::LINKED).await;
    assert_eq!(display.redeem(&here).await.oauth(), "200");
    assert_eq!(display.get(&here, "/api/wall").await.status, 200);
    assert_eq!(display.refresh(&there).await.oauth(), "200");

    let bought = Answer::of(display.ask(&there, Method::POST, "/api/hub/ticket")).await;
    let mut wall = Listener::at(&here, family_hub::PATH, ticket(&bought)).await;
    let again = negotiate(&there, family_hub::PATH, ticket(&bought)).await;
    assert_eq!(again.outcome(), "401 push.ticket", "a ticket is good once in all replicas");
    let latest = wall.resume(u64::MAX).await;
    wall.called(family_hub::RESYNC).await;
    post_note(&there, &ana, "Milk").await;
    assert_eq!(wall.event().await.seq, latest + 1);
    let path = format!("/api/devices/{}/revoke", display.id());
    let revoked = there.send(Method::POST, &path, &there.fresh_token(&ana), &Value::Null).await;
    assert!(revoked.status.is_success(), "{revoked:?}");
    wall.shown_out().await;
    assert_eq!(display.get(&here, "/api/wall").await.outcome(), "401 device.revoked");
}

#[tokio::test]
async fn a_display_at_the_hub_is_shown_as_online() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let display = Display::linked(&rig, &ana).await;
    let path = format!("/api/families/{}/devices", ana.family());
    let online =
        || async { rig.get(&path, &rig.token(&ana)).await.json()["devices"][0]["online"].clone() };
    // What it did to be linked is long ago.
    rig.pass(Duration::from_secs(361));
    assert_eq!(online().await, false);
    let wall = display_at(&rig, &display).await;
    assert_eq!(online().await, true);
    wall.client.close().await;
    // Until then it might have moved to another replica.
    rig.pass(Duration::from_secs(361));
    while online().await == true {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_stops_says_goodbye_and_lets_come_again() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let mut desk = person_at(&rig, &ana).await;
    rig.server.shutdown().await;
    desk.shown_out().await;
}
