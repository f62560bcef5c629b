//! P9: nobody listens longer than their token lives.

use std::time::Duration;

use luminous_domain::Clock as _;
use luminous_signalr::client::{Event, Lost};
use luminous_wire::api::hub::family_hub;
use reqwest::Method;
use serde_json::Value;

use super::{Listener, display_at, person_at, post_note, ticket};
use crate::display::Display;
use crate::rig::Rig;

/// That the hub closes the connection because its time is over.
async fn expires(mut listener: Listener) {
    match listener.next().await {
        Event::Lost { why: Lost::Closed { error, allow_reconnect: true }, .. } => {
            assert_eq!(error.as_deref(), Some("push.expired"));
        }
        other => panic!("{other:?} instead of an end"),
    }
}

#[tokio::test]
async fn p9_a_connection_ends_with_its_bearers_token_and_no_other_with_it() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let mut display = Display::linked(&rig, &ana).await;
    // Both of these end in a second, the other two later.
    rig.pass(Duration::from_secs(1799));
    let wall = display_at(&rig, &display).await;
    let soon = rig.mint(&rig.spec(&ana).with("exp", rig.clock.now().as_second() + 1));
    let bought = rig.send(Method::POST, "/api/hub/ticket", &soon, &Value::Null).await;
    let desk = Listener::at(&rig, family_hub::PATH, ticket(&bought)).await;
    assert_eq!(display.refresh(&rig).await.oauth(), "200");
    let mut others = [display_at(&rig, &display).await, person_at(&rig, &ana).await];
    expires(wall).await;
    expires(desk).await;

    for other in &mut others {
        other.resume(u64::MAX).await;
        other.called(family_hub::RESYNC).await;
    }
    post_note(&rig, &ana, "Milk").await;
    for other in &mut others {
        other.event().await;
    }
}
