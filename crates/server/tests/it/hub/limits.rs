//! How often something may be asked for over a hub.

use std::time::Duration;

use luminous_signalr::client::InvokeError;
use luminous_wire::api::hub::{family_hub, link_hub};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Listener, PATIENCE, display_at, person_at, waiting_at};
use crate::display::Display;
use crate::rig::Rig;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn whoever_waits_may_ask_120_times_a_minute_with_whatever_keys() {
    let rig = Rig::start().await;
    let (display, other) = (Display::showing(&rig).await, Display::showing(&rig).await);
    let (hub, others) = (waiting_at(&rig, &display).await, waiting_at(&rig, &other).await);
    let ask = async |hub: &Listener, who: &Display, code: &str| {
        let proof = who.proof(&rig, &Method::POST, "/oauth2/token", None);
        let asked = json!({ "device_code": code, "proof": proof });
        let told: Value = hub.client.invoke(link_hub::REDEEM, &(asked,), PATIENCE).await.unwrap();
        told["error"].as_str().unwrap().to_owned()
    };
    let unjudged = json!({ "device_code": "x", "proof": "no proof" });
    for _ in 0..60 {
        assert_eq!(ask(&hub, &Display::new(), "nobody's").await, "invalid_grant");
        let told: Value =
            hub.client.invoke(link_hub::REDEEM, &(&unjudged,), PATIENCE).await.unwrap();
        assert_eq!(told["error"], "invalid_dpop_proof");
    }
    let told: Value = hub.client.invoke(link_hub::REDEEM, &(unjudged,), PATIENCE).await.unwrap();
    assert_eq!(told["error"], "slow_down", "it was not even judged");
    assert_eq!(ask(&hub, &Display::new(), "nobody's").await, "slow_down");
    assert_eq!(ask(&hub, &display, display.code("device_code")).await, "slow_down");
    let pending = "authorization_pending";
    assert_eq!(ask(&others, &other, other.code("device_code")).await, pending);
    rig.pass(MINUTE);
    assert_eq!(ask(&hub, &display, display.code("device_code")).await, pending);
}

#[tokio::test]
async fn what_is_asked_over_the_familys_hub_counts_with_what_is_asked_by_http() {
    let rig = Rig::with(|config, _| config.limits.per_account_per_minute = 5).await;
    let ana = rig.owner("Ana").await;
    let display = Display::linked(&rig, &ana).await;
    let listeners = [person_at(&rig, &ana).await, display_at(&rig, &display).await];
    for listener in &listeners {
        // One of the five was for the ticket.
        for _ in 0..4 {
            listener.resume(0).await;
        }
        let refused = listener.client.invoke::<u64>(family_hub::RESUME, &(0,), PATIENCE).await;
        match refused.unwrap_err() {
            InvokeError::Refused(error) => assert!(error.contains("request.rate_limited")),
            other => panic!("{other}"),
        }
    }
    rig.pass(MINUTE);
    for listener in &listeners {
        listener.resume(0).await;
    }
}
