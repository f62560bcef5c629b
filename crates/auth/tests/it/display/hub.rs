//! The hub, where others come in this display's name.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, header};
use luminous_domain::OsEntropy;
use luminous_oidc::{HttpClient as _, Limits};
use luminous_signalr::client::{
    Client, ClientPort, ClientSettings, Event, Events, PostAnswer, PostFailed, TicketError,
};
use luminous_testkit::DisplayRig;
use luminous_testkit::between::{Between, Weather};
use luminous_testkit::family_server::Owner;
use luminous_wire::api::HubTicket;
use luminous_wire::api::hub::family_hub;
use url::Url;

use super::{MINUTE, SECOND, notes};

const TICKETS: &str = "POST /api/hub/ticket";

/// Somebody with a ticket that was bought for the display.
struct Twin {
    between: Between,
    ticket: String,
}

impl ClientPort for Twin {
    async fn ticket(&self) -> Result<Option<String>, TicketError> {
        Ok(Some(self.ticket.clone()))
    }

    async fn post(&self, address: &Url, bearer: Option<&str>) -> Result<PostAnswer, PostFailed> {
        let bearer = format!("Bearer {}", bearer.unwrap_or_default());
        let request = Request::builder().method(Method::POST).uri(address.as_str());
        let request = request.header(header::AUTHORIZATION, bearer).body(Vec::new()).unwrap();
        let limits = Limits { timeout: Duration::from_secs(3600), max_body: 64 * 1024 };
        let answer = self.between.send(request, limits).await;
        let answer = answer.map_err(|error| PostFailed(error.to_string()))?;
        let status = answer.status().as_u16();
        Ok(PostAnswer { status, body: answer.into_body(), retry_after: None })
    }
}

/// Comes to the family's hub with this ticket, and is let in.
async fn come(rig: &DisplayRig, ticket: Vec<u8>) -> (Client, Events) {
    let HubTicket { ticket, .. } = serde_json::from_slice(&ticket).unwrap();
    let hub = format!("{}{}", rig.server.base, family_hub::PATH).parse().unwrap();
    let twin = Twin { between: rig.between.clone(), ticket };
    let (client, mut events) = Client::start(ClientSettings::new(hub, Arc::new(OsEntropy)), twin);
    assert_eq!(events.next().await, Some(Event::Connected));
    (client, events)
}

/// A note now; whether it is on the wall at once.
async fn arrives_at_once(rig: &mut DisplayRig, owner: &Owner, text: &str) -> bool {
    rig.server.note(owner, text).await;
    for _ in 0..5 {
        rig.pass(SECOND).await;
        if notes(&rig.shown())[0] == text {
            return true;
        }
    }
    false
}

/// Waits until the hub brings the news: reading by the minute never brings two notes in half of one.
async fn until_pushed(rig: &mut DisplayRig, owner: &Owner) {
    let mut is_pushed = false;
    // The network is real and needs time of its own, in which the display's may pass quickly.
    for _ in 0..10 {
        is_pushed = is_pushed || {
            let one = arrives_at_once(rig, owner, "one").await;
            for _ in 0..20 {
                rig.pass(SECOND).await;
            }
            one && arrives_at_once(rig, owner, "another").await
        };
    }
    assert!(is_pushed, "no push brings the news");
}

/// Lets time pass until more of these requests went out.
async fn until_more(rig: &mut DisplayRig, what: &str, most: Duration) {
    let before = rig.between.count(what, None);
    let mut waited = Duration::ZERO;
    while rig.between.count(what, None) == before {
        assert!(waited < most, "no {what} within {most:?}");
        rig.pass(SECOND).await;
        waited += SECOND;
    }
}

#[tokio::test(start_paused = true)]
async fn t24_a_display_that_newer_connections_pushed_out_polls_and_comes_back_after_a_while() {
    let mut rig = DisplayRig::before_start().await;
    // Two tickets that the display never sees are enough for both of its places at the hub.
    for _ in 0..2 {
        rig.between.next(TICKETS, Weather::AnswerLost);
    }
    rig.display.start();
    let owner = rig.server.owner("ana").await;
    rig.link(&owner, "Kitchen").await;
    while rig.between.count(TICKETS, None) < 3 {
        rig.pass(SECOND).await;
    }
    let mut twins = Vec::new();
    let tickets = rig.between.lost();
    assert_eq!(tickets.len(), 2);
    let mut is_pushed = false;
    for _ in 0..4 {
        is_pushed = is_pushed || arrives_at_once(&mut rig, &owner, "pushed").await;
    }
    assert!(is_pushed);
    for ticket in tickets {
        twins.push(come(&rig, ticket).await);
    }
    // What its end may have kept from it is asked for at once, and from then on by the minute.
    until_more(&mut rig, "GET /api/wall", 10 * SECOND).await;
    let bought = rig.between.count(TICKETS, None);
    assert!(!arrives_at_once(&mut rig, &owner, "polled").await);
    rig.until_in_time(MINUTE, |shown| notes(shown)[0] == "polled").await;
    for _ in 0..8 {
        rig.pass(MINUTE).await;
    }
    assert_eq!(rig.between.count(TICKETS, None), bought, "it does not push back");
    drop(twins);
    until_more(&mut rig, TICKETS, 3 * MINUTE).await;
    until_pushed(&mut rig, &owner).await;
}
